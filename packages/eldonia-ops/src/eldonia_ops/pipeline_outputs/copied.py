"""``copy``: events to several outputs, each with its own buffer and its own failures."""

import asyncio
import contextlib
from collections.abc import Sequence

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs import CopyOutput, CopyStore
from eldonia_ops.pipeline_outputs.running import OutputError, OutputStatus, RunningOutput


class CopyWriter:
    """Writes to each store, one after the other as they are written. All are tried, whatever one says."""

    def __init__(self, output: CopyOutput, stores: Sequence[tuple[CopyStore, RunningOutput]]) -> None:
        self.output = output
        self._stores = tuple(stores)

    async def write(self, batch: Batch) -> None:
        """Write to each store.

        Raises:
            OutputError: a store without ``ignore_error`` did not take the events; those that did have them.
        """
        failures: list[OutputError] = []
        before_failed = True
        for number, (store, output) in enumerate(self._stores):
            if store.ignore_if_prev_success and number and not before_failed:
                continue
            try:
                # Two stores of a copy may write to one place, and both are meant.
                await output.write(batch.under(f"{batch.key}+{number}") if batch.key and number else batch)
                before_failed = False
            except OutputError as error:
                before_failed = True
                if not store.ignore_error:
                    failures.append(error)
        if failures:
            words = "; ".join(str(error) for error in failures)
            raise OutputError(words, retry=any(error.retry for error in failures))

    async def run(self) -> None:
        """The loops of all stores."""
        async with asyncio.TaskGroup() as group:
            for _, output in self._stores:
                group.create_task(output.run())

    async def close(self) -> None:
        """Close all stores."""
        for _, output in self._stores:
            with contextlib.suppress(OutputError, OSError):
                await output.close()

    def statuses(self) -> list[OutputStatus]:
        """How the stores are doing."""
        return [status for _, output in self._stores for status in output.statuses()]

"""Outputs without a buffer: who writes to them waits until they are done."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.formatters import Formatter
from eldonia_ops.pipeline.outputs import NullOutput, Output, PrometheusOutput, RelabelOutput, StdoutOutput
from eldonia_ops.pipeline_outputs.file import formatted
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, OutputStatus
from eldonia_ops.pipeline_outputs.stored import store


class DirectOutput:
    """What direct outputs have in common."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._written_events = self._written_chunks = self._failed = 0
        self._last_error = ""

    async def write(self, batch: Batch) -> None:
        """Write events at once."""
        try:
            await self._write(batch)
        except OutputError as error:
            self._failed += 1
            self._last_error = str(error)
            raise
        self._written_events += len(batch.events)
        self._written_chunks += 1
        self._last_error = ""

    async def _write(self, batch: Batch) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Nothing is left to flush."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to let go of."""

    def statuses(self) -> list[OutputStatus]:
        """How it is doing."""
        return [
            OutputStatus(
                id=self.output.id,
                type=self.output.type,
                summary=self.output.summary,
                written_events=self._written_events,
                written_chunks=self._written_chunks,
                failed_writes=self._failed,
                last_error=self._last_error,
            )
        ]


class NullWriter(DirectOutput):
    """Keeps nothing."""

    def __init__(self, output: NullOutput) -> None:
        super().__init__(output)

    async def _write(self, batch: Batch) -> None:
        return None


class PrometheusWriter(DirectOutput):
    """Counts events."""

    def __init__(self, output: PrometheusOutput, edge: OutputEdge) -> None:
        super().__init__(output)
        self._metrics = replace(output.metrics, hostname=edge.hostname)
        self._edge = edge

    async def _write(self, batch: Batch) -> None:
        self._edge.count(self._metrics.counted(batch), batch.key)


class StdoutWriter(DirectOutput):
    """Writes to the standard output of the process."""

    def __init__(
        self, output: StdoutOutput, formatter: Formatter, write: Callable[[bytes], object] | None = None
    ) -> None:
        super().__init__(output)
        self._formatter = formatter
        self._to = write or _to_stdout

    async def _write(self, batch: Batch) -> None:
        try:
            self._to(formatted(self._formatter, [batch]))
        except OSError as error:
            raise OutputError(f"the standard output cannot be written: {error.strerror or error}") from error


class RelabelWriter(DirectOutput):
    """Hands events to a label."""

    def __init__(self, output: RelabelOutput, edge: OutputEdge) -> None:
        super().__init__(output)
        self._label = output.label
        self._edge = edge

    async def _write(self, batch: Batch) -> None:
        if self._edge.relabel is None:
            raise OutputError(f"there is no routing that has label {self._label}", retry=False)
        await self._edge.relabel(self._label, batch)


class StoreWriter(DirectOutput):
    """Writes to our own store, which is durable when it answers."""

    def __init__(self, output: Output, edge: OutputEdge) -> None:
        super().__init__(output)
        self._edge = edge

    async def _write(self, batch: Batch) -> None:
        await store(self._edge, batch, batch.key)


def _to_stdout(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()

"""A pipeline with one output that keeps what it gets, and fails when it is asked to."""

import asyncio
from typing import Any

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline_outputs.running import OutputError, OutputStatus

MATCH = """
<filter **>
  @type record_transformer
  <record>
    via ${tag}
  </record>
</filter>
<match **>
  @type null
</match>
"""


class Kept:
    """The only output."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.failures = 0

    async def write(self, batch: Batch) -> None:
        if self.failures:
            self.failures -= 1
            raise OutputError("not now")
        self.batches.append(batch)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        return None

    def statuses(self) -> list[OutputStatus]:
        return []

    @property
    def records(self) -> list[dict[str, Any]]:
        return [event.record for batch in self.batches for event in batch.events]

    async def until(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.records) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

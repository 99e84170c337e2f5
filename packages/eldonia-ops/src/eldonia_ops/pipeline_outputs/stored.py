"""Writes to our own log store, which is durable when it answers."""

import asyncio
from collections.abc import Sequence
from typing import Final

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.logs.documents import document_records

_MANY: Final = 200


async def store(edge: OutputEdge, batch: Batch, key: str = "") -> None:
    """Put events into our own store; those that it refuses go to ``@ERROR``. ``key``: what came with it before is not
    stored again. What the fields of a record mean is found as for any line of JSON.

    Raises:
        OutputError: they are not stored.
    """
    if edge.store is None:
        raise OutputError("there is no log store here", retry=False)
    if not batch.events:
        return
    now_ns = edge.now_ms() * 1_000_000
    # Thousands of records take a tenth of a second: alerting goes on meanwhile.
    many = len(batch.events) > _MANY
    records = await asyncio.to_thread(_records, batch, now_ns) if many else _records(batch, now_ns)
    try:
        receipt = await edge.store.logs(records, batch_key=key)
    except TelemetryError as error:
        raise OutputError(f"the log store does not take records: {error}") from error
    for refused in receipt.refused:
        event = batch.events[refused.index]
        again = f"{key}^{refused.index}" if key else ""
        await edge.errors(Batch(batch.tag, (event,), batch.source, again), refused.reason)


def _records(batch: Batch, now_ns: int) -> Sequence[LogRecord]:
    return document_records(
        [event.record for event in batch.events],
        [event.time_ns for event in batch.events],
        now_ns,
        tag=batch.tag,
        source=batch.source,
    )


class StoreDelivery:
    """Writes chunks for an output that has a buffer before our store."""

    def __init__(self, edge: OutputEdge) -> None:
        self._edge = edge

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Write the parts of a chunk, each of which is stored once."""
        for number, batch in enumerate(batches):
            await store(self._edge, batch, f"{chunk.id}-{number}")

    async def close(self) -> None:
        """Nothing to let go of."""

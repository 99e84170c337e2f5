"""What joins a tail to the platform's stores: lines to records, and where positions are kept."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from eldonia_ops.collectors.tail.batches import TailBatch
from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.model.log_batch import LogBatch
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogStore, StateStore
from eldonia_ops.protocols.container_paths import CONTAINER, container_of
from eldonia_ops.protocols.logs.lines import NO_DEFAULTS, LineDefaults, LineFormat, parse_line, parse_lines, raw_record

log = logging.getLogger("eldonia_ops.collectors.tail")


def batch_records(
    batch: TailBatch,
    received_ns: int,
    *,
    format: LineFormat = LineFormat.JSON,
    defaults: LineDefaults = NO_DEFAULTS,
) -> Sequence[LogRecord]:
    """The records of a batch, each with its ``source`` and ``offset``. Insert them with ``batch_key=batch.key``."""
    lines = batch.lines
    if any(line.dropped for line in lines):
        return [_record(line, batch.source, received_ns, format, defaults) for line in lines]
    return parse_lines(
        [line.data for line in lines],
        [line.offset for line in lines],
        received_ns,
        format=format,
        source=batch.source,
        defaults=defaults,
        parse_one=lambda place: _record(lines[place], batch.source, received_ns, format, defaults),
    )


def container_records(
    batch: TailBatch, received_ns: int, format: LineFormat, defaults: LineDefaults
) -> Sequence[LogRecord]:
    """:func:`batch_records`, with what the path says of the container that writes the file.

    A container is the service of lines that name none, unless the settings name one for the file.
    """
    container = container_of(batch.path)
    if not container:
        return batch_records(batch, received_ns, format=format, defaults=defaults)
    if not defaults.service:
        defaults = replace(defaults, service=container.get(CONTAINER, ""))
    records = batch_records(batch, received_ns, format=format, defaults=defaults)
    if isinstance(records, LogBatch):
        return records.with_metadata(container)
    return [msgspec.structs.replace(one, metadata={**container, **one.metadata}) for one in records]


def _record(line: TailLine, source: str, received_ns: int, format: LineFormat, defaults: LineDefaults) -> LogRecord:
    try:
        return parse_line(
            line.data,
            received_ns,
            format=format,
            source=source,
            offset=line.offset,
            dropped=line.dropped,
            defaults=defaults,
        )
    except Exception as error:
        # A fault of our own in one line must not keep those behind it from being read, for good.
        log.exception("tail %s: the line that ends at byte %d was not understood", source, line.offset)
        return raw_record(
            line.data,
            f"a fault of our own: {type(error).__name__}",
            received_ns,
            source=source,
            offset=line.offset,
            defaults=defaults,
        )


class StoredPositions:
    """Implements :class:`eldonia_ops.collectors.collector.Positions` over the two stores."""

    def __init__(self, state: StateStore, logs: LogStore) -> None:
        self._state = state
        self._logs = logs

    async def load_position(self, path: str) -> tuple[str, int] | None:
        """``(identity, offset)`` saved last for a path."""
        return await self._state.read(lambda tx: tx.positions.get(path))

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        """Remember a position."""
        await self._state.write(lambda tx: tx.positions.put(path, identity, offset))

    async def source_position(self, source: str) -> int | None:
        """What the store of logs itself knows of a source."""
        return await self._logs.source_position(source)

"""Log records as blocks of columns: what the write-ahead log keeps of a batch, and what the engine is given of it.

The same bytes serve both. Rows are taken out of a block again after an end of any kind, and when the engine refuses
it; both are rare, and such rows go on as JSON lines (:mod:`eldonia_ops.storage.clickhouse.journal.line_batches`).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from eldonia_ops.model.log_batch import LogBatch, LogBlock
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.attributes.documents import encoded, indexed
from eldonia_ops.storage.clickhouse.attributes.shapes import longest, shapes_of
from eldonia_ops.storage.clickhouse.engines import native
from eldonia_ops.storage.clickhouse.engines.engine import Engine, EngineUnavailableError
from eldonia_ops.storage.clickhouse.engines.native import NativeColumn
from eldonia_ops.storage.clickhouse.engines.native_reader import NativeReader
from eldonia_ops.storage.clickhouse.journal.blocks import NotStoredError
from eldonia_ops.storage.clickhouse.journal.line_batches import LineBatch, LineInserter, keyed, split_key
from eldonia_ops.storage.clickhouse.logs.rows import (
    COLUMNS,
    MAX_NS,
    SHORT_DOCUMENT,
    TEXTS,
    bounded_ns,
    documents_of,
    line_of_columns,
)

_MARK: Final = b"\x00"
"""What the rows of a payload begin with when they are blocks; JSON lines begin with a brace."""

_LENGTH: Final = struct.Struct("<I")
_NS: Final = "DateTime64(9, 'UTC')"
_FEW_VALUES: Final = frozenset({"service", "component", "operation", "environment", "hostname", "source", "pattern"})
"""The texts whose columns are of type LowCardinality."""

_lines_encoder: Final = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class BlockBatch:
    """Blocks in ClickHouse's Native format with ``rows`` rows together."""

    blocks: tuple[bytes, ...]
    rows: int

    @property
    def weight(self) -> int:
        """One for each row, and one for each KiB, as of a :class:`LineBatch`."""
        return self.rows + sum(map(len, self.blocks)) // 1024


RowBatch: TypeAlias = LineBatch | BlockBatch


def weight_of(batch: RowBatch) -> int:
    """See :attr:`BlockBatch.weight`."""
    return batch.weight


def block_batch(records: Sequence[LogRecord], ids: range) -> BlockBatch:
    """The blocks of records, which get these ids in their order."""
    if not isinstance(records, LogBatch):
        return BlockBatch((_of_records(records, ids),), len(records))
    blocks = [_of_block(part.block, _ids_at(ids, part.places)) for part in records.parts]
    if records.singles:
        places = sorted(records.singles)
        blocks.append(_of_records([records.singles[place] for place in places], _ids_at(ids, places)))
    return BlockBatch(tuple(blocks), len(records))


def payload_of(batch: BlockBatch, key: str) -> bytes:
    """What the write-ahead log keeps of a batch: its key, a mark, and each block behind its length (u32).

    Raises:
        ValueError: the key is longer than 64 KiB.
    """
    parts = [keyed(key), _MARK]
    for block in batch.blocks:
        parts += (_LENGTH.pack(len(block)), block)
    return b"".join(parts)


def rows_in(payload: bytes) -> tuple[str, list[bytes]]:
    """The key of a payload, of either form, and its rows in JSON.

    Raises:
        ValueError: it is neither.
    """
    key, rest = split_key(payload)
    if rest[:1] != _MARK:
        return key, rest.split(b"\n")
    rows: list[bytes] = []
    at = len(_MARK)
    while at < len(rest):
        (length,) = _LENGTH.unpack_from(rest, at)
        at += _LENGTH.size
        rows += _rows_of(rest[at : at + length])
        at += length
    return key, rows


class LogInserter:
    """Inserts batches of both forms into the table of logs, past rows that the engine refuses."""

    def __init__(self, engine: Engine, lines: LineInserter) -> None:
        self._engine = engine
        self._lines = lines

    async def insert(self, batches: Sequence[RowBatch]) -> None:
        """Store all rows of all batches: blocks with one insert, lines with another.

        Raises:
            NotStoredError: the engine is away, or takes nothing; it says what is left.
        """
        blocks = [batch for batch in batches if isinstance(batch, BlockBatch)]
        lines = [batch for batch in batches if isinstance(batch, LineBatch)]
        if blocks:
            body = b"".join([block for batch in blocks for block in batch.blocks])
            try:
                await self._engine.insert("logs", COLUMNS, "Native", body)
            except EngineUnavailableError as error:
                raise NotStoredError(str(error), batches) from error
            except TelemetryError:
                # One of the rows may be the reason. In lines it is found, and the others are stored.
                lines = [*map(_as_lines, blocks), *lines]
        if lines:
            await self._lines.insert(lines)


def _as_lines(batch: BlockBatch) -> LineBatch:
    rows = [row for block in batch.blocks for row in _rows_of(block)]
    return LineBatch(b"\n".join(rows), len(rows))


def _ids_at(ids: range, places: Sequence[int]) -> Sequence[int]:
    return ids if len(places) == len(ids) else [ids[place] for place in places]


def _of_block(block: LogBlock, ids: Sequence[int]) -> bytes:
    rows = len(block)
    timestamps = block.timestamps_ns
    if min(timestamps) < 0 or max(timestamps) > MAX_NS:
        timestamps = list(map(bounded_ns, timestamps))
    columns = [
        NativeColumn("timestamp", _NS, native.integers(timestamps, signed=True)),
        NativeColumn("id", "UInt64", native.integers(ids, signed=False)),
        NativeColumn("level", "LowCardinality(String)", native.low_cardinality(block.levels)),
        NativeColumn("offset", "Int64", native.integers(block.offsets, signed=True)),
        NativeColumn("message", "String", native.strings(block.messages)),
    ]
    columns += [_text_column(name, values) for name, values in block.texts.items()]
    for name, value in block.shared.items():
        if name == "tag":
            continue  # it has no column
        if name in _FEW_VALUES:
            columns.append(NativeColumn(name, "LowCardinality(String)", native.same_text(value, rows)))
        else:
            columns.append(_text_column(name, [value] * rows))
    # The end of the details of each record: the tag is the same in all.
    end = b',"tag":' + encoded(tag) + b"}" if (tag := block.shared.get("tag", "")) else b"}"
    if block.metadata:
        columns += _document_columns(block, end)
    elif tag:
        columns.append(NativeColumn("details", "String", native.byte_strings([b"{" + end[1:]] * rows)))
    return native.block(rows, columns)


def _document_columns(block: LogBlock, end: bytes) -> Iterator[NativeColumn]:
    shapes = shapes_of(block.metadata, len(block))
    bare = b"{" + end[1:] if len(end) > 1 else b""
    if all(shapes) and longest(block.metadata) <= SHORT_DOCUMENT:
        if bare:
            yield NativeColumn("details", "String", native.byte_strings([bare] * len(block)))
        yield NativeColumn("shape", "LowCardinality(String)", native.low_cardinality(shapes))
        yield NativeColumn("metadata", native.JSON_TYPE, native.json_paths(block.metadata))
        return
    keys = tuple(block.metadata)
    kind = _object_type(keys)
    objects: list[Any] = (
        list(map(kind, *block.metadata.values()))
        if kind is not None
        else [dict(zip(keys, values, strict=True)) for values in zip(*block.metadata.values(), strict=True)]
    )
    try:
        # JSON has no line end inside of a text: they are wrapped all at once.
        wrapped = _lines_encoder.encode_lines(objects)[:-1].replace(b"\n", end + b'\n{"metadata":')
        documents = (b'{"metadata":' + wrapped + end).split(b"\n")
    except UnicodeEncodeError:
        documents = [b'{"metadata":' + encoded(value) + end for value in objects]
    around = len(b'{"metadata":') + len(end)
    shapes = [
        shape if len(document) - around <= SHORT_DOCUMENT else ""
        for shape, document in zip(shapes, documents, strict=True)
    ]
    details = [bare if shape else document for shape, document in zip(shapes, documents, strict=True)]
    yield NativeColumn("details", "String", native.byte_strings(details))
    if any(shapes):
        yield NativeColumn("shape", "LowCardinality(String)", native.low_cardinality(shapes))
    if max(map(len, documents)) <= SHORT_DOCUMENT and not any("%" in key for key in keys):
        yield NativeColumn("metadata", native.JSON_TYPE, native.json_paths(block.metadata))
    else:
        rows = zip(*block.metadata.values(), strict=True)
        indexes = [bytes(indexed(dict(zip(keys, values, strict=True)))) for values in rows]
        yield NativeColumn("metadata", native.JSON_TYPE, native.json_texts(indexes))


@lru_cache(maxsize=256)
def _object_type(keys: tuple[str, ...]) -> type[msgspec.Struct] | None:
    """A type whose instances are written as objects with these keys: they take a fraction of a dictionary's memory.

    None for keys that msgspec would have to escape.
    """
    names = [f"f{number}" for number in range(len(keys))]
    try:
        return msgspec.defstruct(
            "Metadata", [(name, Any) for name in names], rename=dict(zip(names, keys, strict=True)), gc=False
        )
    except ValueError:
        return None


def _of_records(records: Sequence[LogRecord], ids: Sequence[int]) -> bytes:
    columns = [
        NativeColumn("timestamp", _NS, native.integers([bounded_ns(r.timestamp_ns) for r in records], signed=True)),
        NativeColumn("id", "UInt64", native.integers(ids, signed=False)),
        NativeColumn("level", "LowCardinality(String)", native.low_cardinality([r.level for r in records])),
        NativeColumn("offset", "Int64", native.integers([r.offset for r in records], signed=True)),
    ]
    for name in TEXTS:
        values: list[str] = [getattr(record, name) for record in records]
        if any(values):
            columns.append(_text_column(name, values))
    documents = list(map(documents_of, records))
    details = [text for text, _, _ in documents]
    shapes = [shape for _, shape, _ in documents]
    if any(details):
        columns.append(NativeColumn("details", "String", native.strings(details)))
    if any(shapes):
        columns.append(NativeColumn("shape", "LowCardinality(String)", native.low_cardinality(shapes)))
    if any(details) or any(shapes):
        metadata = [bytes(document) for _, _, document in documents]
        columns.append(NativeColumn("metadata", native.JSON_TYPE, native.json_texts(metadata)))
    return native.block(len(records), columns)


def _text_column(name: str, values: Sequence[str]) -> NativeColumn:
    if name in _FEW_VALUES:
        return NativeColumn(name, "LowCardinality(String)", native.low_cardinality(values))
    return NativeColumn(name, "String", native.strings(values))


def _rows_of(block: bytes) -> list[bytes]:
    """The rows of a block in JSON. In blocks of earlier releases the metadata follow from the details."""
    reader = NativeReader(block)
    rows, columns = reader.columns("metadata")
    objects = reader.json_objects(rows) if "shape" in columns else [{}] * rows
    names = [name for name in columns if name != "timestamp"]
    found: list[bytes] = []
    cells = zip(columns["timestamp"], objects, *(columns[name] for name in names), strict=True)
    for timestamp, metadata, *values in cells:
        row: dict[str, Any] = dict(zip(names, values, strict=True))
        found.append(line_of_columns(timestamp, row, metadata))
    if len(found) != rows:
        raise ValueError("a block with another number of rows")
    return found

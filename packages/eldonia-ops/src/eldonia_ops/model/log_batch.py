"""Log records column by column: what a large batch of a file is until somebody asks for one of its records.

A record as an object costs more than everything else that is done with a line of a log file. Lines of a file that have
the same keys become one :class:`LogBlock`; of what is done with them nothing needs the records one by one, but for the
few that are shown, or that report a security event.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, TypeVar, overload

import msgspec

from eldonia_ops.model.logs import LogLevel, LogRecord

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LogBlock:
    """N records whose objects had the same keys; no record has an error, performance or a parse error.

    ``timestamps_ns``, ``messages``, ``levels`` and ``offsets`` have N items, and so has each sequence in ``texts`` (by
    the field of :class:`LogRecord`) and in ``metadata`` (by key, in the order of the keys; str, int of 64 bits, float,
    bool or None). ``shared`` has the fields that are the same in all records; a tag is always one of them.
    """

    timestamps_ns: Sequence[int]
    messages: Sequence[str]
    levels: Sequence[LogLevel]
    offsets: Sequence[int]
    texts: Mapping[str, Sequence[str]]
    shared: Mapping[str, str]
    metadata: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.messages)

    def record(self, row: int) -> LogRecord:
        """One record as an object."""
        texts: dict[str, Any] = {**self.shared, **{name: values[row] for name, values in self.texts.items()}}
        return LogRecord(
            timestamp_ns=self.timestamps_ns[row],
            message=self.messages[row],
            level=self.levels[row],
            offset=self.offsets[row],
            metadata={key: values[row] for key, values in self.metadata.items()},
            **texts,
        )

    def rows_where(self, field: str, values: Iterable[str]) -> list[int]:
        """The rows in which a text field has one of some values, in lower case."""
        wanted = frozenset(values)
        if (column := self.texts.get(field)) is None:
            return list(range(len(self))) if self.shared.get(field, "").lower() in wanted else []
        if not any(value.lower() in wanted for value in set(column)):
            return []
        return [row for row, value in enumerate(column) if value.lower() in wanted]

    def with_default(self, field: str, value: str) -> "LogBlock":
        """The same, with ``value`` in a text field wherever it is empty."""
        if (column := self.texts.get(field)) is not None:
            if all(column):
                return self
            return replace(self, texts={**self.texts, field: [text or value for text in column]})
        return self if self.shared.get(field) else replace(self, shared={**self.shared, field: value})

    def with_text(self, field: str, values: Sequence[str]) -> "LogBlock":
        """The same with another text field, whatever it was before: N values."""
        shared = {name: value for name, value in self.shared.items() if name != field}
        return replace(self, shared=shared, texts={**self.texts, field: values})


@dataclass(frozen=True, slots=True)
class LogPart:
    """A block, and the place in its batch of each of its records, ascending."""

    places: Sequence[int]
    block: LogBlock

    def some(self, rows: Sequence[int]) -> "LogPart":
        """The part of some rows."""
        block = self.block

        def of(column: Sequence[_T]) -> list[_T]:
            return [column[row] for row in rows]

        return LogPart(
            of(self.places),
            LogBlock(
                timestamps_ns=of(block.timestamps_ns),
                messages=of(block.messages),
                levels=of(block.levels),
                offsets=of(block.offsets),
                texts={name: of(values) for name, values in block.texts.items()},
                shared=block.shared,
                metadata={key: of(values) for key, values in block.metadata.items()},
            ),
        )


def joined_parts(parts: Sequence[LogPart]) -> LogPart:
    """One part of several whose blocks have the same columns and share the same fields."""
    if len(parts) == 1:
        return parts[0]
    blocks = [part.block for part in parts]
    first = blocks[0]

    def of(columns: Iterable[Sequence[_T]]) -> list[_T]:
        return list(chain.from_iterable(columns))

    return LogPart(
        of(part.places for part in parts),
        LogBlock(
            timestamps_ns=of(block.timestamps_ns for block in blocks),
            messages=of(block.messages for block in blocks),
            levels=of(block.levels for block in blocks),
            offsets=of(block.offsets for block in blocks),
            texts={name: of(block.texts[name] for block in blocks) for name in first.texts},
            shared=first.shared,
            metadata={key: of(block.metadata[key] for block in blocks) for key in first.metadata},
        ),
    )


class LogBatch(Sequence[LogRecord]):
    """A sequence of records, most of them in blocks; ``singles`` are the others by their place.

    It is used as any sequence of records, which are made when they are asked for.
    """

    __slots__ = ("_records", "_size", "parts", "singles")

    def __init__(self, parts: Sequence[LogPart], singles: Mapping[int, LogRecord]) -> None:
        self.parts = tuple(parts)
        self.singles = dict(singles)
        self._size = len(singles) + sum(len(part.places) for part in parts)
        self._records: list[LogRecord] | None = None

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> LogRecord: ...

    @overload
    def __getitem__(self, index: slice) -> list[LogRecord]: ...

    def __getitem__(self, index: int | slice) -> LogRecord | list[LogRecord]:
        return self._all()[index]

    def __iter__(self) -> Iterator[LogRecord]:
        return iter(self._all())

    def span_ns(self) -> tuple[int, int]:
        """The earliest and the latest time of its records."""
        times = [record.timestamp_ns for record in self.singles.values()]
        for part in self.parts:
            times += (min(part.block.timestamps_ns), max(part.block.timestamps_ns))
        return min(times), max(times)

    def with_defaults(self, **values: str) -> "LogBatch":
        """The same, with these texts in the fields of this name wherever they are empty."""
        parts: list[LogPart] = []
        for part in self.parts:
            block = part.block
            for field, value in values.items():
                block = block.with_default(field, value)
            parts.append(LogPart(part.places, block))
        return LogBatch(parts, {place: with_defaults(record, values) for place, record in self.singles.items()})

    def with_metadata(self, values: Mapping[str, str]) -> "LogBatch":
        """The same, with these texts in the metadata of each record that has no such key."""
        parts: list[LogPart] = []
        for part in self.parts:
            more = {key: [value] * len(part.block) for key, value in values.items() if key not in part.block.metadata}
            parts.append(LogPart(part.places, replace(part.block, metadata={**part.block.metadata, **more})))
        singles = {
            place: msgspec.structs.replace(record, metadata={**values, **record.metadata})
            for place, record in self.singles.items()
        }
        return LogBatch(parts, singles)

    def _all(self) -> list[LogRecord]:
        if self._records is None:
            found: list[LogRecord | None] = [None] * self._size
            for part in self.parts:
                for row, place in enumerate(part.places):
                    found[place] = part.block.record(row)
            for place, record in self.singles.items():
                found[place] = record
            self._records = [record for record in found if record is not None]
        return self._records


def joined_batches(batches: Sequence[LogBatch]) -> LogBatch:
    """One batch with the records of several, one behind another."""
    if len(batches) == 1:
        return batches[0]
    parts: list[LogPart] = []
    singles: dict[int, LogRecord] = {}
    begin = 0
    for batch in batches:
        parts += [LogPart([begin + place for place in part.places], part.block) for part in batch.parts]
        singles |= {begin + place: record for place, record in batch.singles.items()}
        begin += len(batch)
    return LogBatch(parts, singles)


def with_defaults(record: LogRecord, values: Mapping[str, str]) -> LogRecord:
    """A record with some texts in the fields of their name wherever they are empty."""
    missing = {field: value for field, value in values.items() if not getattr(record, field)}
    return msgspec.structs.replace(record, **missing) if missing else record


def parse_errors(records: Sequence[LogRecord]) -> int:
    """How many of the records could not be read in part or as a whole."""
    looked_at = records.singles.values() if isinstance(records, LogBatch) else records
    return sum(1 for record in looked_at if record.parse_error)


def where(records: Sequence[LogRecord], field: str, values: Iterable[str]) -> Iterable[LogRecord]:
    """The records in which a text field has one of some values, in lower case; in their order."""
    wanted = frozenset(values)
    if not isinstance(records, LogBatch):
        return [record for record in records if getattr(record, field).lower() in wanted]
    found = {place: record for place, record in records.singles.items() if getattr(record, field).lower() in wanted}
    for part in records.parts:
        for row in part.block.rows_where(field, wanted):
            found[part.places[row]] = part.block.record(row)
    return [found[place] for place in sorted(found)]

"""Which columns of log records a statement reads: those that records at hand hold something in.

Each column costs an answer of few rows some hundred microseconds, for its file is opened and a block of it unpacked,
and records leave most of their columns empty. A row says in ``held`` which it fills. So a statement reads the columns
that recent answers held something in, and what a row has beyond these is read by its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.logs.rows import ALWAYS_READ, SELDOM
from eldonia_ops.storage.clickhouse.schema import decode_rows

_PLACES: Final = 1_000
"""Rows that one statement reads by their places; they are in the address of a server's request."""

_ANSWERS: Final = 250
"""After so many answers, columns that none of them held anything in are not read any more."""

_ALL: Final = (1 << len(SELDOM)) - 1


@dataclass(frozen=True, slots=True)
class ReadColumns:
    """The columns that one statement reads: a bit for each of ``SELDOM``."""

    held: int = _ALL

    @property
    def sql(self) -> tuple[str, ...]:
        """What is selected."""
        return (*ALWAYS_READ, *_names(self.held))


@dataclass(slots=True)
class HeldColumns:
    """What recent answers held. The first statement reads all columns."""

    _read: ReadColumns = field(default_factory=ReadColumns)
    _recent: int = 0
    _answers: int = 0
    _begun: bool = False

    def reading(self) -> ReadColumns:
        """The columns that a statement should read."""
        return self._read

    async def completed(self, engine: Engine, read: ReadColumns, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of an answer with all that they hold, but for rows that were deleted meanwhile."""
        held = 0
        for row in rows:
            held |= row["held"]
        if rows:
            self._learn(held)
        if not held & ~read.held:
            return rows
        lacking = [row for row in rows if row["held"] & ~read.held]
        more = await _read_by_place(engine, ReadColumns(held & ~read.held), lacking)
        return [
            row | more[place] if (place := (row["ns"], row["id"])) in more else row
            for row in rows
            if not row["held"] & ~read.held or (row["ns"], row["id"]) in more
        ]

    def _learn(self, held: int) -> None:
        self._answers += 1
        self._recent |= held
        if self._answers >= _ANSWERS or not self._begun:
            self._read = ReadColumns(self._recent)
            self._answers = self._recent = 0
            self._begun = True
        elif held & ~self._read.held:
            self._read = ReadColumns(self._read.held | held)


def _names(held: int) -> list[str]:
    found: list[str] = []
    for bit, columns in enumerate(SELDOM):
        if held >> bit & 1:
            found += columns
    return found


async def _read_by_place(
    engine: Engine, read: ReadColumns, rows: Sequence[dict[str, Any]]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Columns of rows that are known, by their times and ids."""
    columns = ", ".join(["toUnixTimestamp64Nano(timestamp) AS ns", "id", *_names(read.held)])
    sql = (
        f"SELECT {columns} FROM logs "  # noqa: S608  names of columns
        "WHERE timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({times:Array(Int64)}))) "
        "AND id IN {ids:Array(UInt64)}"
    )
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for start in range(0, len(rows), _PLACES):
        some = rows[start : start + _PLACES]
        parameters = {"times": [row["ns"] for row in some], "ids": [row["id"] for row in some]}
        for row in decode_rows(await engine.query(sql, parameters)):
            found[row["ns"], row["id"]] = row
    return found

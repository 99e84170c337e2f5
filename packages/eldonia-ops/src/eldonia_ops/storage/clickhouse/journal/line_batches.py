"""Rows in JSON lines as they go through the write-ahead log into the engine, past rows that the engine refuses."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import Engine, EngineUnavailableError
from eldonia_ops.storage.clickhouse.journal.blocks import NotStoredError

_LENGTH: Final = struct.Struct("<H")
_REFUSALS_IN_A_ROW: Final = 60
"""So many refusals without one row stored mean that nothing is wrong with the rows: 2 × log2(50,000), and some."""


@dataclass(frozen=True, slots=True)
class LineBatch:
    """Rows of one table: ``body`` holds ``rows`` JSON objects, each a line. ``weight`` counts a row for each KiB."""

    body: bytes
    rows: int

    @property
    def weight(self) -> int:
        """One for each row, and one for each KiB, so that bounds on rows bound the memory."""
        return self.rows + len(self.body) // 1024


def weight_of(batch: LineBatch) -> int:
    """See :attr:`LineBatch.weight`."""
    return batch.weight


def payload_of(batch: LineBatch, key: str) -> bytes:
    """What the write-ahead log keeps of a batch: its key and the rows.

    Raises:
        ValueError: the key is longer than 64 KiB.
    """
    return keyed(key) + batch.body


def batch_in(payload: bytes) -> tuple[str, list[bytes]]:
    """The key and the rows of a payload."""
    key, rest = split_key(payload)
    return key, rest.split(b"\n")


def keyed(key: str) -> bytes:
    """The beginning of a payload: the length of its key (u16) and the key.

    Raises:
        ValueError: the key is longer than 64 KiB.
    """
    name = key.encode("utf-8", "replace")
    if len(name) > 0xFFFF:
        raise ValueError("the key of a batch has more than 64 KiB")
    return _LENGTH.pack(len(name)) + name


def split_key(payload: bytes) -> tuple[str, bytes]:
    """The key of a payload, and what is behind it."""
    (length,) = _LENGTH.unpack_from(payload)
    start = _LENGTH.size + length
    return payload[_LENGTH.size : start].decode("utf-8", "replace"), payload[start:]


class LineInserter:
    """Inserts batches into one table. A row that is refused alone is replaced by ``plain(row, reason)``; when the
    engine refuses that too, and takes others, ``refuse(row, reason)`` gets it."""

    def __init__(
        self,
        engine: Engine,
        table: str,
        columns: tuple[str, ...],
        plain: Callable[[bytes, str], bytes],
        refuse: Callable[[bytes, str], None],
    ) -> None:
        self._engine = engine
        self._table = table
        self._columns = columns
        self._plain = plain
        self._refuse = refuse

    async def insert(self, batches: Sequence[LineBatch]) -> None:
        """Store all rows of all batches.

        Raises:
            NotStoredError: the engine is away, or takes nothing; it says what is left.
        """
        body = batches[0].body if len(batches) == 1 else b"\n".join([batch.body for batch in batches])
        try:
            await self._insert(body)
        except EngineUnavailableError as error:
            raise NotStoredError(str(error), batches) from error
        except TelemetryError as error:
            await self._halves(body.split(b"\n"), error)

    async def _halves(self, rows: list[bytes], why: TelemetryError) -> None:
        parts = [rows]
        suspects: list[tuple[bytes, str]] = []
        refusals, stored, known = 0, False, True
        while parts:
            part = parts.pop()
            if not known:  # but for the first, which has just been refused
                try:
                    await self._insert(b"\n".join(part))
                    stored, refusals = True, 0
                    continue
                except EngineUnavailableError as error:
                    raise self._left([*parts, part], suspects, error) from error
                except TelemetryError as error:
                    why = error
            refusals, known = refusals + 1, False
            if len(part) > 1:
                half = len(part) // 2
                parts += [part[half:], part[:half]]
                continue
            try:
                await self._insert(self._plain(part[0], str(why)))
                stored, refusals = True, 0
            except TelemetryError:
                suspects.append((part[0], str(why)))
                if not stored and refusals > _REFUSALS_IN_A_ROW:
                    raise self._left(parts, suspects, why) from why
        if not stored:
            raise self._left(parts, suspects, why)
        for row, reason in suspects:
            self._refuse(row, reason)

    def _left(
        self, parts: list[list[bytes]], suspects: list[tuple[bytes, str]], error: TelemetryError
    ) -> NotStoredError:
        rows = [row for row, _ in suspects] + [row for part in reversed(parts) for row in part]
        return NotStoredError(str(error), [LineBatch(b"\n".join(rows), len(rows))])

    async def _insert(self, body: bytes) -> None:
        await self._engine.insert(self._table, self._columns, "JSONEachRow", body)

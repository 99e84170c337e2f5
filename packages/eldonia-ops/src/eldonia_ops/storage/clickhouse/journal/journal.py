"""The write-ahead log in front of the tables: acknowledged when logged, readable at once, inserted in large blocks.

After an end of any kind every record that was not released is read again, and of its rows those go into the engine that
are not there. That is found out by looking, row by row: the engine notes a deduplication token before it names the
part, so a token may be known whose rows are not there.
"""

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.journal.blocks import BlockWriter
from eldonia_ops.storage.wal import Record, WriteAheadLog
from eldonia_ops.storage.wal.segments import sync_folder

_log = logging.getLogger(__name__)
R = TypeVar("R")

LOGS: Final = 1
SPANS: Final = 2
METRICS: Final = 3
LOG_DELETIONS: Final = 4
LOG_PATTERNS: Final = 5
LOG_REPLACEMENTS: Final = 6
_KEYS: Final = 15
_KEY_BYTES: Final = 16
MAX_KEYS: Final = 10_000
"""Batches that are remembered: a sender without an answer sends again, perhaps after hundreds of batches of others."""
UNRELEASED_BYTES: Final = 64 << 20
"""Beyond so many bytes of records that are not in the engine, all blocks are begun at once."""

REFUSED_BYTES: Final = 16 << 20
_OPEN_SECONDS: Final = 120.0
_TIDY_SECONDS: Final = 0.5


class Journal:
    """One write-ahead log for all tables. Register them with :meth:`table`, then :meth:`open` it."""

    def __init__(self, folder: Path, *, pause_seconds: float = 0.25) -> None:
        self._folder = folder
        self._pause = pause_seconds
        self._log = WriteAheadLog(folder, preamble=self._preamble)
        self._tables: dict[int, JournaledTable[Any]] = {}
        self._afterwards: dict[int, Callable[[Sequence[Record]], Awaitable[None]]] = {}
        self._last: dict[int, Callable[[Sequence[Record]], Awaitable[None]]] = {}
        self._held: set[int] = set()
        self._keys: dict[bytes, None] = {}
        self._tidying: asyncio.Task[None] | None = None
        self.put_aside = 0

    def table(
        self,
        kind: int,
        name: str,
        store: Callable[[Sequence[R]], Awaitable[None]],
        recover: Callable[[Sequence[Record]], Awaitable[Sequence[tuple[int, R]]]],
        *,
        weight: Callable[[R], int],
        delay_seconds: float,
        max_rows: int = 50_000,
        max_waiting: int = 100_000,
    ) -> "JournaledTable[R]":
        """A table whose rows come through this log.

        ``recover`` is given records of an earlier run and returns what of them is not in the engine, each item with
        its record's number. For the others see :class:`~eldonia_ops.storage.clickhouse.journal.blocks.BlockWriter`.
        """
        blocks = BlockWriter[R](
            name,
            store,
            delay_seconds=delay_seconds,
            pause_seconds=self._pause,
            max_rows=max_rows,
            max_waiting=max_waiting,
            weight=weight,
            progress=self._progress,
        )
        table = JournaledTable(self, kind, blocks, recover)
        self._tables[kind] = table
        return table

    def afterwards(
        self, kind: int, handle: Callable[[Sequence[Record]], Awaitable[None]], *, last: bool = False
    ) -> None:
        """Have :meth:`open` hand over records of a kind, once the rows of all records before them are in the engine;
        with ``last``, once those of all records behind them are, too."""
        (self._last if last else self._afterwards)[kind] = handle

    def hold(self, sequence: int) -> None:
        """Keep a record, and all behind it, until :meth:`let_go`."""
        self._held.add(sequence)

    def let_go(self, sequence: int) -> None:
        """Keep it no longer."""
        self._held.discard(sequence)
        self._release()

    async def open(self) -> None:
        """Take up what an earlier run left, and wait until it is in the engine.

        Raises:
            TelemetryError: the log cannot be read, or the engine cannot be asked what it has.
        """
        found = 0
        last: dict[int, list[Record]] = {}
        async for records in self._log.replay():
            by_kind: dict[int, list[Record]] = {}
            for record in records:
                by_kind.setdefault(record.kind, []).append(record)
            for record in by_kind.pop(_KEYS, ()):
                for at in range(0, len(record.payload), _KEY_BYTES):
                    self._remember(record.payload[at : at + _KEY_BYTES])
            for kind, some in by_kind.items():
                if (table := self._tables.get(kind)) is not None:
                    found += await table.recover(some)
            # The records of the next segment are looked for among these as well.
            await self.flush(_OPEN_SECONDS)
            for kind, handle in self._afterwards.items():
                if kind in by_kind:
                    await handle(by_kind[kind])
            for kind in self._last:
                last.setdefault(kind, []).extend(by_kind.get(kind, ()))
        for kind, handle in self._last.items():
            await handle(last.get(kind, ()))
        self._progress()
        if found:
            _log.info("%d batches of the write-ahead log were not in the engine and are stored now", found)

    async def append(self, kind: int, payload: bytes, accept: Callable[[int], None], key: str = "") -> None:
        """Return once the payload is durable; see :meth:`WriteAheadLog.append`."""
        digest = _digest(kind, key) if key else b""

        def accepted(sequence: int) -> None:
            if digest:
                self._remember(digest)
            accept(sequence)

        await self._log.append(kind, payload, accepted)
        if self._log.unreleased_bytes > UNRELEASED_BYTES:
            for table in self._tables.values():
                table.blocks.hurry()

    def knows(self, kind: int, key: str) -> bool:
        """Whether a batch with this key was taken: one of the last :data:`MAX_KEYS`."""
        return bool(key) and _digest(kind, key) in self._keys

    def recovered(self, kind: int, key: str) -> None:
        """Remember the key of a batch that an earlier run took."""
        if key:
            self._remember(_digest(kind, key))

    async def flush(self, seconds: float) -> None:
        """Wait until all that was accepted is in the engine, or some seconds."""
        await asyncio.gather(*(table.blocks.flush(seconds) for table in self._tables.values()))

    async def snapshot(self, scratch: Path, data: Path) -> list[SnapshotFile]:
        """The segments of the log and the rows that were refused, as :class:`~eldonia_ops.ports.Snapshots` has it."""
        here = scratch / self._folder.name
        await asyncio.to_thread(here.mkdir)
        found = [(self._folder / name, path, size) for name, path, size in await self._log.link(here)]
        refused = await asyncio.to_thread(lambda: sorted(self._folder.glob("refused-*.jsonl")))
        found += [(path, path, path.stat().st_size) for path in refused]
        return [SnapshotFile(place.relative_to(data).as_posix(), path, size) for place, path, size in found]

    async def expunge(self, seconds: float) -> int:
        """Return once no segment of the log holds a record that was accepted before; how many segments went.

        They go when they may: a copy of the folder that is being made has each row in the log or in a part.

        Raises:
            TelemetryError: the engine does not take the rows, or the log cannot be tidied up.
        """
        until = asyncio.get_running_loop().time() + seconds
        await self.flush(seconds)
        last = self._log.turn_over()
        before = self._log.holds(last)
        while self._log.holds(last):
            if asyncio.get_running_loop().time() > until:
                raise TelemetryError(
                    "rows in the write-ahead log wait to be stored: they cannot be removed from it yet"
                )
            self._release()
            await self._log.tidy()
            await asyncio.sleep(_TIDY_SECONDS)
        return before

    async def drop_refused(self, name: str, wanted: Callable[[bytes], bool]) -> int:
        """Take rows out of the file of those that the engine refused; how many."""
        path = self._folder / f"refused-{name}.jsonl"
        return await asyncio.to_thread(_without_lines, path, wanted)

    async def close(self) -> None:
        """Store what was accepted; what is refused stays in the log for the next start."""
        await asyncio.gather(*(table.blocks.close() for table in self._tables.values()))
        if self._tidying is not None:
            await self._tidying
        self._release()
        await self._log.close()

    def refuse(self, name: str, row: bytes, error: str) -> None:
        """Keep a row that the engine refuses in every form, in a file beside the log. At most 16 MiB are kept."""
        path = self._folder / f"refused-{name}.jsonl"
        if not self.put_aside:
            _log.error("a row of %s is refused by the engine and kept in %s: %s", name, path, error)
        self.put_aside += 1
        try:
            with path.open("ab") as file:
                if file.tell() + len(row) <= REFUSED_BYTES:
                    file.write(row + b"\n")
        except OSError as failure:
            _log.error("a refused row of %s could not be kept: %s", name, failure)

    def facts(self) -> dict[str, Any]:
        """Bytes of the log, rows that wait for the engine, rows put aside, and what went wrong with the disk."""
        return {
            "bytes": self._log.size,
            "waiting": sum(table.blocks.waiting for table in self._tables.values()),
            "put_aside": self.put_aside,
            "damaged": self._log.gaps,
            "failed_appends": self._log.failures,
        }

    def _progress(self) -> None:
        self._release()
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.create_task(self._tidy(), name="telemetry-wal-tidy")

    def _release(self) -> None:
        oldest = [*(table.blocks.oldest for table in self._tables.values()), *self._held]
        self._log.release(min((number - 1 for number in oldest if number is not None), default=self._log.last))

    async def _tidy(self) -> None:
        try:
            await self._log.tidy()
        except TelemetryError as error:
            _log.warning("%s", error)

    def _remember(self, digest: bytes) -> None:
        self._keys.pop(digest, None)  # to the end
        self._keys[digest] = None
        if len(self._keys) > MAX_KEYS:
            del self._keys[next(iter(self._keys))]

    def _preamble(self) -> list[tuple[int, bytes]]:
        # Called on the log's thread: list() of a dictionary is one step.
        return [(_KEYS, b"".join(list(self._keys)))] if self._keys else []


class JournaledTable(Generic[R]):
    """One table behind the log."""

    def __init__(
        self,
        journal: Journal,
        kind: int,
        blocks: BlockWriter[R],
        recover: Callable[[Sequence[Record]], Awaitable[Sequence[tuple[int, R]]]],
    ) -> None:
        self._journal = journal
        self._kind = kind
        self._recover = recover
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self.blocks = blocks

    async def submit(self, item: R, payload: bytes, key: str = "") -> None:
        """Return once the item is durable. A ``key`` that is known already makes it a no-op.

        Raises:
            TelemetryError: it is not durable: the disk is full, or too much waits for the engine.
        """
        while key:
            if self._journal.knows(self._kind, key):
                return
            if (other := self._under_way.get(key)) is None:
                break
            await asyncio.wait([other])
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if key:
            self._under_way[key] = done
        try:
            await self.blocks.room(item)
            await self._journal.append(self._kind, payload, lambda sequence: self.blocks.add(item, sequence), key)
        finally:
            if key:
                del self._under_way[key]
            done.set_result(None)

    async def flush(self) -> None:
        """Before a reader looks: see :meth:`BlockWriter.flush`."""
        await self.blocks.flush()

    async def recover(self, records: Sequence[Record]) -> int:
        """Take up what is not in the engine; returns how many items."""
        found = await self._recover(records)
        for sequence, item in found:
            self.blocks.add(item, sequence)
        return len(found)


class ReadingEngine:
    """An engine whose readers see what was acknowledged: ``flush`` is awaited before each query."""

    def __init__(self, engine: Engine, flush: Callable[[], Awaitable[None]]) -> None:
        self._engine = engine
        self._flush = flush

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement that changes something."""
        await self._engine.execute(sql, parameters)

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        """Insert, past the log."""
        await self._engine.insert(table, columns, format, body, token=token)

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        """Read what was acknowledged before."""
        await self._flush()
        return await self._engine.query(sql, parameters, format=format)

    async def freeze(self, data: Path) -> list[SnapshotFile]:
        """Keep the parts that are stored now."""
        return await self._engine.freeze(data)

    async def thaw(self) -> None:
        """Keep them no longer."""
        await self._engine.thaw()

    def facts(self) -> dict[str, Any]:
        """What the engine says of itself."""
        return self._engine.facts()

    async def close(self) -> None:
        """Close the engine."""
        await self._engine.close()


def _without_lines(path: Path, wanted: Callable[[bytes], bool]) -> int:
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return 0
    kept = [line for line in lines if not wanted(line)]
    if len(kept) < len(lines):
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    return len(lines) - len(kept)


def _digest(kind: int, key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=_KEY_BYTES, salt=bytes([kind])).digest()

"""Follows the journal: entries from ``journalctl``'s standard output to the store, none lost and none twice.

The position is the cursor of the last entry that is stored. Before a batch is stored, the position says where it will
end; so after a crash the first batch is the very same one, and the store knows its key.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from eldonia_ops.collectors.collector import LogIntake, Positions
from eldonia_ops.collectors.status import TargetHealth, TargetStatus, TurnWatch
from eldonia_ops.ports import Clock, TelemetryError
from eldonia_ops.protocols.journal_export import JournalEntries, JournalEntry, size_of
from eldonia_ops.protocols.journal_records import journal_records

log = logging.getLogger("eldonia_ops.collectors.journal")

BATCH: Final = 1_000
BATCH_SECONDS: Final = 0.2
_BATCH_SIZE: Final = 8 << 20
"""Characters that make a batch, too: every program that may write to the journal may write entries of megabytes."""

_READ: Final = 64 * 1024
_RETRY_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 5.0
_UNTIL_SECONDS: Final = 10.0
"""How long the end of a batch that was under way is waited for: its file may have been removed."""

_ERRORS: Final = 2_000
_CURSOR: Final = "__CURSOR"


EntrySink: TypeAlias = Callable[[Sequence[JournalEntry], str], Awaitable[None]]
"""Takes a batch, and its key, by which it is known when it comes again. Returns when it is stored.

Raises:
    TelemetryError: none of it is; it is offered again.
"""


def record_sink(logs: LogIntake, clock: Clock, name: str) -> EntrySink:
    """Stores entries as records of the source ``name``."""

    async def sink(entries: Sequence[JournalEntry], key: str) -> None:
        records = await asyncio.to_thread(journal_records, entries, clock.now() * 1_000_000, name)
        await logs(records, source=name, batch_key=key)

    return sink


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """What is stored up to the cursor ``stored``; the batch behind it ends at ``until``, '' when none is under way."""

    stored: str = ""
    until: str = ""

    def text(self) -> str:
        """For the store of positions."""
        return f"{self.stored} {self.until}"

    @classmethod
    def of(cls, text: str) -> "JournalPlace":
        """The place of a text."""
        stored, _, until = text.partition(" ")
        return cls(stored, until)


class JournalLoop:
    """Implements :class:`~eldonia_ops.collectors.collector.CollectorLoop`. ``command`` is journalctl with its options
    but those that say where to begin; ``name`` is that of the position. Without a position it begins with the next
    entry, or with ``from_head`` with the first."""

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        sink: EntrySink,
        positions: Positions,
        clock: Clock,
        watch: TurnWatch,
        *,
        from_head: bool = False,
    ) -> None:
        self._command = tuple(command)
        self._name = name
        self._sink = sink
        self._from_head = from_head
        self._positions = positions
        self._clock = clock
        self._watch = watch
        self._status = TargetStatus("journal", name, name)

    def statuses(self) -> list[TargetStatus]:
        """The journal."""
        return [self._status]

    async def close(self) -> None:
        """The program ends with ``run``."""

    async def run(self) -> None:
        """Follow until cancelled. When journalctl ends, it is started again."""
        while True:
            try:
                await self._follow()
                self._watch.succeeded()
            except OSError as error:
                self._fail(f"{self._command[0]} cannot be started: {error.strerror or error}")
            except ValueError as error:
                self._fail(f"what {self._command[0]} wrote cannot be read: {error}")
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _follow(self) -> None:
        saved = await self._positions.load_position(self._name)
        place = JournalPlace.of(saved[0]) if saved is not None else JournalPlace()
        # Following begins with the last ten entries, unless that is switched off. Without a place the journal of years
        # would be read; of the last entry only the place counts then.
        begin = ["--no-tail", f"--after-cursor={place.stored}"] if place.stored else ["--lines=1"]
        now_us = 0 if place.stored or self._from_head else self._clock.now() * 1_000
        if self._from_head and not place.stored:
            begin = ["--no-tail"]
        program = await asyncio.create_subprocess_exec(
            *self._command, *begin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        assert program.stdout is not None
        assert program.stderr is not None
        errors = asyncio.create_task(_tail_of(program.stderr))
        try:
            self._status.health, self._status.error = TargetHealth.UP, ""
            await self._entries(program.stdout, place, now_us)
        finally:
            with contextlib.suppress(ProcessLookupError):
                program.kill()
            await program.wait()
            said = await errors
        self._fail(f"{self._command[0]} ended with {program.returncode}: {said}")

    async def _entries(self, output: asyncio.StreamReader, place: JournalPlace, behind_us: int) -> None:
        """``behind_us``: an entry before that time (Unix microseconds) is the place to begin behind."""
        entries, waiting = JournalEntries(), deque[JournalEntry]()
        patience = asyncio.get_running_loop().time() + _UNTIL_SECONDS
        while True:
            # The end of a batch that was under way may be a little further than a new one would go.
            ended = await _fill(output, entries, waiting, _BATCH_SIZE * (2 if place.until else 1))
            if waiting and behind_us:
                if _realtime_us(waiting[0]) < behind_us:
                    place = JournalPlace(_cursor(waiting.popleft()))
                    await self._positions.save_position(self._name, place.text(), 0)
                behind_us = 0
            while waiting:
                batch = _batch(waiting, place.until)
                if batch is None:
                    if asyncio.get_running_loop().time() < patience:
                        break  # the end of what was under way has not come yet
                    place = JournalPlace(place.stored)
                    continue
                place = await self._store(batch, place)
            if ended:
                return

    async def _store(self, batch: Sequence[JournalEntry], place: JournalPlace) -> JournalPlace:
        last = _cursor(batch[-1])
        await self._positions.save_position(self._name, JournalPlace(place.stored, last).text(), 0)
        now = self._clock.now()
        while True:
            try:
                await self._sink(batch, f"{self._name} {place.stored} {last}")
                break
            except TelemetryError as error:
                self._fail(f"{len(batch)} entries wait, for they cannot be stored: {error}")
                await asyncio.sleep(_RETRY_SECONDS)
        place = JournalPlace(last)
        await self._positions.save_position(self._name, place.text(), 0)
        self._status.succeeded(now, 0.0, len(batch))
        return place

    def _fail(self, error: str) -> None:
        if self._status.error != error:
            log.warning("%s: %s", self._name, error)
        self._status.failed(self._clock.now(), 0.0, error)


async def _fill(output: asyncio.StreamReader, entries: JournalEntries, waiting: deque[JournalEntry], most: int) -> bool:
    """Wait for entries, then a little longer for others that are stored with them; True at the end of the stream.

    ``most`` characters of entries are enough.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + BATCH_SECONDS if waiting else None
    size = sum(map(size_of, waiting))
    while len(waiting) < BATCH and size < most:
        left = None if deadline is None else deadline - loop.time()
        if left is not None and left <= 0:
            return False
        try:
            async with asyncio.timeout(left):
                data = await output.read(_READ)
        except TimeoutError:
            return False
        if not data:
            return True
        for entry in entries.feed(data):
            waiting.append(entry)
            size += size_of(entry)
        if waiting and deadline is None:
            deadline = loop.time() + BATCH_SECONDS
    return False


def _batch(waiting: deque[JournalEntry], until: str) -> list[JournalEntry] | None:
    """The next entries: up to the cursor ``until``, or, where there is none, so many as make a batch.

    None while ``until`` has not come.
    """
    if until:
        for count, entry in enumerate(waiting, 1):
            if _cursor(entry) == until:
                return [waiting.popleft() for _ in range(count)]
        if len(waiting) < BATCH and sum(map(size_of, waiting)) < 2 * _BATCH_SIZE:
            return None
    return [waiting.popleft() for _ in range(min(BATCH, len(waiting)))]


def _cursor(entry: JournalEntry) -> str:
    found = entry.get(_CURSOR, "")
    if not isinstance(found, str) or " " in found or not found:
        raise ValueError("an entry has no cursor")
    return found


def _realtime_us(entry: JournalEntry) -> int:
    found = entry.get("__REALTIME_TIMESTAMP", "")
    return int(found) if isinstance(found, str) and found.isascii() and found.isdigit() else 0


async def _tail_of(stream: asyncio.StreamReader) -> str:
    """The end of what a program says on its standard error."""
    kept = b""
    while data := await stream.read(_READ):
        kept = (kept + data)[-_ERRORS:]
    return kept.decode("utf-8", "replace").strip()[-300:]

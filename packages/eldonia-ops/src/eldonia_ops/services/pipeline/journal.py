"""A ``<source>`` of type systemd at work: entries of journald through the pipeline, each once."""

import asyncio
from collections.abc import Sequence

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.journal import JOURNALCTL
from eldonia_ops.collectors.journal.follow import JournalLoop
from eldonia_ops.collectors.status import TargetStatus, TurnWatch
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import SystemdInput
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.journal_export import JournalEntry
from eldonia_ops.services.pipeline.entry import Pipeline
from eldonia_ops.services.pipeline.streams import insist


class JournalSource:
    """Follows the journal by ``journalctl``. The position goes on when every output has taken a batch."""

    def __init__(
        self, source: SystemdInput, runner: Pipeline, positions: Positions, clock: Clock, watch: TurnWatch
    ) -> None:
        self._source = source
        self._runner = runner
        self._clock = clock
        self._loop = JournalLoop(
            (*JOURNALCTL, *source.arguments),
            f"pipeline {source.id}",
            self._take,
            positions,
            clock,
            watch,
            from_head=source.read_from_head,
        )

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._loop.run()

    async def close(self) -> None:
        """The program has ended."""
        await self._loop.close()

    def statuses(self) -> Sequence[TargetStatus]:
        """The journal."""
        return self._loop.statuses()

    async def _take(self, entries: Sequence[JournalEntry], key: str) -> None:
        batch = Batch(self._source.tag, await asyncio.to_thread(self._events, entries), self._source.summary, key)
        await insist(self._runner, batch, self._source.label)

    def _events(self, entries: Sequence[JournalEntry]) -> tuple[Event, ...]:
        now_ns = self._clock.now() * 1_000_000
        return tuple(Event(_time_ns(entry) or now_ns, self._source.record(entry)) for entry in entries)


def _time_ns(entry: JournalEntry) -> int:
    found = entry.get("__REALTIME_TIMESTAMP", "")
    return int(found) * 1_000 if isinstance(found, str) and found.isascii() and found.isdigit() else 0

"""systemd's journal, followed."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from eldonia_ops.collectors.collector import Collector, CollectorContext, LoopContext, LoopPlan
from eldonia_ops.collectors.journal.config import SECTION, JournalSettings
from eldonia_ops.collectors.journal.follow import JournalLoop, record_sink
from eldonia_ops.settings import Settings

JOURNALCTL: Final = ("journalctl", "--follow", "--output=export", "--no-pager", "--quiet", "--all")


class JournalCollector:
    """Implements :class:`~eldonia_ops.collectors.collector.OpenCollector`."""

    def __init__(self, context: CollectorContext) -> None:
        self._context = context

    def plans(self, settings: Settings) -> Iterator[LoopPlan]:
        """One loop, if it is asked for."""
        journal: JournalSettings = settings.collectors.get("journal", JournalSettings())
        if journal.enabled:
            yield LoopPlan("journal", journal, partial(self._loop, journal))

    async def close(self) -> None:
        """Nothing is kept open."""

    def _loop(self, journal: JournalSettings, context: LoopContext) -> JournalLoop:
        name = f"journal:{journal.directory}" if journal.directory else "journal"
        return JournalLoop(
            command_of(journal),
            name,
            record_sink(self._context.logs, context.clock, name),
            self._context.positions,
            context.clock,
            context.watch("journal"),
        )


def command_of(journal: JournalSettings) -> tuple[str, ...]:
    """journalctl with the options that the settings ask for. Nothing of it goes through a shell."""
    folder = (f"--directory={journal.directory}",) if journal.directory else ()
    units = tuple(f"--unit={unit}" for unit in journal.units)
    return (*JOURNALCTL, *folder, *units)


COLLECTOR = Collector("journal", JournalCollector, SECTION, titles={"en": "journal", "ja": "ジャーナル"})
"""Follows the journal."""

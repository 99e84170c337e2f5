"""What of the telemetry that arrived was refused, by signal, source and reason."""

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Final

from eldonia_ops.services.api import RefusalView

log = logging.getLogger("eldonia_ops.ingest")

MAX_LISTED: Final = 500
"""How many combinations of signal, source and reason are kept apart: sources come from outside."""

OTHER_SOURCES: Final = "other sources"


class Refusals:
    """Counts since the start. ``totals`` holds them by ``(signal, reason)``.

    The first refusal of each signal, source and reason is logged; the others are only counted. Reasons are sentences
    of our own, so there are few of them.
    """

    def __init__(self) -> None:
        self.totals: Counter[tuple[str, str]] = Counter()
        self._listed: dict[tuple[str, str, str], RefusalView] = {}

    def note(self, signal: str, source: str, reasons: Mapping[str, int], now: int) -> None:
        """Count what was refused of ``signal`` (``logs``, ``traces``, ``metrics``) from ``source``: items by reason."""
        for reason, count in reasons.items():
            if count <= 0:
                continue
            self.totals[signal, reason] += count
            key = (signal, source, reason)
            if key not in self._listed and len(self._listed) >= MAX_LISTED:
                key = (signal, OTHER_SOURCES, reason)
            known = self._listed.get(key)
            if known is None:
                log.warning("%s of %s: %d refused: %s (logged once; more are counted)", signal, key[1], count, reason)
            before = known.count if known is not None else 0
            self._listed[key] = RefusalView(signal, key[1], reason, before + count, now)

    def listed(self) -> list[RefusalView]:
        """What was refused, the latest first."""
        return sorted(self._listed.values(), key=lambda one: -one.last_at)

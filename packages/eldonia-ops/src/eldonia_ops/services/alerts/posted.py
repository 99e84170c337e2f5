"""How many alerts clients may keep active: one that posts without end must not cost the others their pages."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.alerts import Alert


@dataclass(frozen=True, slots=True)
class ActiveLimits:
    """The most alerts that are active at once, of all clients and of one token. As many urgent ones come on top."""

    total: int = 50_000
    token: int = 30_000


ACTIVE_LIMITS: Final = ActiveLimits()

_ON_ITS_WAY_MS = 60_000  # an alert counts as active for so long before it is committed


class PostedAlerts:
    """Who posted which alerts, since the start."""

    def __init__(self, limits: ActiveLimits = ACTIVE_LIMITS) -> None:
        self.limits = limits
        self._posters: dict[str, tuple[str, int]] = {}
        self._counts: Counter[str] = Counter()
        self._coming: set[str] = set()  # taken, and not yet seen among the active ones

    def admit(
        self, alerts: Sequence[Alert], poster: str, now: int, active: Collection[str]
    ) -> tuple[list[Alert], list[str]]:
        """Those of the alerts that are taken, and why others are not.

        ``active`` are the fingerprints of all that is known. What is known already may always be renewed or ended.
        """
        if len(self._posters) > 2 * (self.limits.total + len(alerts)):
            self._posters = {
                item: posted
                for item, posted in self._posters.items()
                if item in active or now - posted[1] < _ON_ITS_WAY_MS
            }
            self._counts = Counter(name for name, _ in self._posters.values())
        taken: list[Alert] = []
        refused: Counter[str] = Counter()
        total = len(active) + len(self._coming)
        if total + len(alerts) >= self.limits.total:
            self._coming = {
                item
                for item in self._coming
                if item not in active and item in self._posters and now - self._posters[item][1] < _ON_ITS_WAY_MS
            }
            total = len(active) + len(self._coming)
        for alert in sorted(alerts, key=lambda one: not one.urgent):
            fingerprint = alert.fingerprint
            if fingerprint not in active and fingerprint not in self._posters and not 0 < alert.ends_at <= now:
                factor = 2 if alert.urgent else 1
                if total >= factor * self.limits.total:
                    refused[f"{self.limits.total:,} alerts are active"] += 1
                    continue
                if self._counts[poster] >= factor * self.limits.token and not self._make_room(
                    poster, factor, now, active
                ):
                    refused[f"{self.limits.token:,} alerts of this token are active"] += 1
                    continue
                total += 1
                self._coming.add(fingerprint)
                self._posters[fingerprint] = poster, now
                self._counts[poster] += 1
            taken.append(alert)
        faults = [
            f"{count:,} alerts were left out: {reason}, and no more are taken" for reason, count in refused.items()
        ]
        return taken, faults

    def _make_room(self, poster: str, factor: int, now: int, active: Collection[str]) -> bool:
        """Forget what the poster's alerts were that are over; whether one more may be active."""
        over = [
            item
            for item, (name, at) in self._posters.items()
            if name == poster and item not in active and now - at >= _ON_ITS_WAY_MS
        ]
        for item in over:
            del self._posters[item]
        self._counts[poster] -= len(over)
        return self._counts[poster] < factor * self.limits.token

"""What an incident's first screen shows: its brief, and the charts of the signals that its alerts watch."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.incidents.brief import LOOK_BACK_MS, Brief, brief_of, recovery_of
from eldonia_ops.incidents.signal import Signal, concerns, signals_of
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident
from eldonia_ops.services.api import Platform, QueryError, Series
from eldonia_ops.services.changes import Changes

MAX_SERIES: Final = 20
"""How many lines a chart has."""

_POINTS: Final = 180
_LEAST_MARGIN_MS: Final = 120_000
_MOST_MARGIN_MS: Final = 3_600_000
_LONGEST_MS: Final = 7 * 24 * 3_600_000
_CHANGES: Final = 200
_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class SignalChart:
    """A signal with its series from ``start`` to ``end`` every ``step`` (Unix ms, ms).

    ``series`` are those of the incident's alerts, or all where labels do not tell which; ``left_out`` counts those
    beyond :data:`MAX_SERIES`. ``bound`` are the series that the signal is compared with, where that is no number.
    ``fault`` says why there are none.
    """

    signal: Signal
    start: int
    end: int
    step: int
    series: tuple[Series, ...] = ()
    bound: tuple[Series, ...] = ()
    left_out: int = 0
    fault: str = ""


class IncidentBriefs:
    """The first screens of incidents."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._changes = Changes(platform.state)

    async def brief(self, incident: str) -> Brief:
        """The first screen of an incident.

        Raises:
            NotFoundError: there is no such incident.
        """
        found, timeline = await self._platform.incidents.get(incident)
        start = found.started_at or found.detected_at or found.created_at
        end = max(start, found.detected_at or found.created_at)
        changes = await self._changes.find(start - LOOK_BACK_MS, end, limit=_CHANGES)
        dependents = self._platform.incidents.dependents(found.service)
        receiver = self._platform.alerts.default_receiver()
        brief = brief_of(found, timeline, self._platform.incidents.policy, changes, dependents, receiver)
        recovered_at, held_until = recovery_of(await self._firing(found))
        return replace(brief, recovered_at=recovered_at, held_until=held_until)

    async def _firing(self, incident: Incident) -> list[Alert]:
        """The alerts of an incident that fire, suppressed or not."""
        mine = set(incident.firing)
        if not mine:
            return []
        return [view.alert for view in await self._platform.alerts.current() if view.alert.fingerprint in mine]

    async def signals(self, incident: str) -> list[SignalChart]:
        """The charts of an incident: that of its cause first, then in the order in which its alerts fired.

        Raises:
            NotFoundError: there is no such incident.
        """
        found, timeline = await self._platform.incidents.get(incident)
        start, end, step = window_of(found, self._platform.now())
        signals = signals_of(timeline, found.cause)
        return list(await asyncio.gather(*(self._chart(signal, start, end, step) for signal in signals)))

    async def _chart(self, signal: Signal, start: int, end: int, step: int) -> SignalChart:
        reading = signal.reading
        try:
            result = await self._platform.queries.range(reading.query, start, end, step, timeout_ms=_TIMEOUT_MS)
            bound: Sequence[Series] = ()
            if reading.bound:
                bound = (
                    await self._platform.queries.range(reading.bound, start, end, step, timeout_ms=_TIMEOUT_MS)
                ).series
        except QueryError as error:
            return SignalChart(signal, start, end, step, fault=str(error))
        mine = of_alerts(result.series, signal.series)
        kept = tuple(mine[:MAX_SERIES])
        limits = tuple(of_alerts(bound, signal.series)[:MAX_SERIES])
        return SignalChart(signal, start, end, step, kept, limits, len(mine) - len(kept))


def window_of(incident: Incident, now: int) -> tuple[int, int, int]:
    """``(start, end, step)`` of the charts, ms: the fault in the middle third, as far as it is known yet."""
    began = incident.started_at or incident.detected_at or incident.created_at
    ended = incident.resolved_at or now
    margin = min(max(ended - began, _LEAST_MARGIN_MS), _MOST_MARGIN_MS)
    end = min(now, ended + margin)
    start = max(began - margin, end - _LONGEST_MS)
    step = max(1_000, -(-(end - start) // _POINTS // 1_000) * 1_000)
    return start // step * step, max(start // step * step, end // step * step), step


def of_alerts(series: Sequence[Series], alerts: Sequence[Mapping[str, str]]) -> list[Series]:
    """The series that are those of alerts; all where none is."""
    mine = [one for one in series if concerns(dict(one.labels.pairs), alerts)]
    return mine or list(series)

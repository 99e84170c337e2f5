"""How well incidents are handled: time to detect, to acknowledge, to resolve.

Definitions, over the incidents for which both instants are known:

* **MTTD**, ``started_at`` → ``detected_at``: from the earliest evidence of the fault to the alert;
* **MTTA**, ``detected_at`` (or the latest reopening) → ``acknowledged_at``: until a person responded;
* **MTTR**, ``detected_at`` → ``recovered_at``, or ``resolved_at`` where a person resolved it: until it was resolved
  (the R is *resolve*; the time before detection is in MTTD and not counted twice). That alerts are kept firing for a
  while to see whether their end lasts is no time in which anything was broken.

Each is given as mean and median, since one long night moves a mean far.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eldonia_ops.model.incidents import Incident, Severity


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and median of ``count`` durations, ms; None when there were none."""

    count: int
    mean: float | None
    median: float | None


@dataclass(frozen=True, slots=True)
class ResponseMetrics:
    """Measures over some incidents.

    ``targets_met`` and ``targets_missed`` count incidents with a response target whose outcome is known.
    """

    incidents: int
    resolved: int
    mttd: Spread
    mtta: Spread
    mttr: Spread
    targets_met: int
    targets_missed: int


def time_to_detect(incident: Incident) -> int | None:
    """Fault to alert, ms, or None when unknown."""
    known = incident.started_at and incident.detected_at
    return max(0, incident.detected_at - incident.started_at) if known else None


def time_to_acknowledge(incident: Incident) -> int | None:
    """Alert (or latest reopening) to response, ms, or None without a response."""
    if not incident.acknowledged_at:
        return None
    return max(0, incident.acknowledged_at - (incident.reopened_at or incident.detected_at))


def time_to_resolve(incident: Incident) -> int | None:
    """Alert to the end of the fault, ms, or None while unresolved."""
    if not incident.resolved_at:
        return None
    return max(0, (incident.recovered_at or incident.resolved_at) - incident.detected_at)


def response_target_met(incident: Incident, now: int) -> bool | None:
    """Whether a person responded by ``respond_by``; None without a target or while there is still time.

    An incident that resolved by itself within its target needed no person and counts for neither side.
    """
    if not incident.respond_by:
        return None
    if incident.acknowledged_at:
        return incident.acknowledged_at <= incident.respond_by
    ended = incident.resolved_at or now
    return False if ended > incident.respond_by else None


def measure(incidents: Iterable[Incident], now: int) -> ResponseMetrics:
    """The measures over all given incidents."""
    chosen = list(incidents)
    met = [response_target_met(incident, now) for incident in chosen]
    return ResponseMetrics(
        incidents=len(chosen),
        resolved=sum(1 for incident in chosen if incident.resolved_at),
        mttd=_spread([time_to_detect(incident) for incident in chosen]),
        mtta=_spread([time_to_acknowledge(incident) for incident in chosen]),
        mttr=_spread([time_to_resolve(incident) for incident in chosen]),
        targets_met=met.count(True),
        targets_missed=met.count(False),
    )


def report(incidents: Iterable[Incident], now: int) -> dict[str, Any]:
    """The measures as JSON-able data: ``{"all": {...}, "by_severity": {"critical": {...}, ...}}``, ms."""
    chosen = list(incidents)
    return {
        "all": asdict(measure(chosen, now)),
        "by_severity": {
            severity.value: asdict(measure([item for item in chosen if item.severity is severity], now))
            for severity in Severity
        },
    }


def _spread(values: Sequence[int | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(0, None, None)
    return Spread(len(known), statistics.fmean(known), float(statistics.median(known)))

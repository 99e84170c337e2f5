"""Who is notified next without a response.

The response clock starts when an incident opens or reopens. Tier after tier is notified at its offset on
that clock until a person acknowledges. ``Incident.escalation_level`` is the index of the last tier
notified, and only rises within one opening, so each tier is notified at most once however late the deadline
is noticed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.incidents.policy import Policy, Tier
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry

WAITING = (IncidentStatus.OPEN, IncidentStatus.ESCALATED)
"""Statuses in which an unacknowledged incident escalates."""

ESCALATION_KINDS = ("escalation.opened", "escalation.tier", "escalation.tier.unreached", "escalation.requested")
"""Kinds of timeline entries that say that a tier was notified."""

UNTIL_ENDED_MS: Final = 60_000
"""How long a tier waits after alerts need not be kept firing any more: their end is noticed by the next evaluation."""


@dataclass(frozen=True, slots=True)
class Escalate:
    """Notify a tier. ``key`` is the same whenever the same notification is asked for again (idempotency).

    ``receivers`` are those that were notified in fact, where the tier names no ``receiver``; none if that is not known.
    """

    incident_id: str
    tier: str
    receiver: str
    level: int
    due_at: int
    key: str
    receivers: tuple[str, ...] = ()


def clock_started_at(incident: Incident, policy: Policy) -> int:
    """When the response clock of the present opening started, Unix ms.

    It is read back from the deadline, because a raised severity moves both.
    """
    target = policy.target(incident.severity)
    if incident.respond_by and target:
        return incident.respond_by - target
    return incident.reopened_at or incident.detected_at


def next_tier(incident: Incident, policy: Policy) -> tuple[int, Tier, int] | None:
    """``(level, tier, due_at)`` of the next tier for the incident's severity, or None when all were notified."""
    start = clock_started_at(incident, policy)
    for level in range(incident.escalation_level + 1, len(policy.tiers)):
        tier = policy.tiers[level]
        after = tier.after.get(incident.severity)
        if after is not None:
            return level, tier, start + after
    return None


def schedule(incident: Incident, policy: Policy) -> Incident:
    """The incident with ``escalate_at`` set for its severity, level and acknowledgement (0 for never)."""
    waiting = incident.status in WAITING and not incident.acknowledged_at
    upcoming = next_tier(incident, policy) if waiting else None
    return replace(incident, escalate_at=max(1, upcoming[2]) if upcoming else 0)


def hold(incident: Incident, now: int, policy: Policy) -> Incident:
    """The incident while people are not asked to respond: its response clock starts afresh, again and again until
    they are. Tiers that were notified are not notified again."""
    target = policy.target(incident.severity)
    incident = schedule(replace(incident, respond_by=now + target if target else 0), policy)
    upcoming = next_tier(incident, policy)
    if incident.escalate_at and upcoming is not None and not target:
        # Without a response target the clock cannot be read back; wait as long as the tier may be waited for.
        incident = replace(incident, escalate_at=now + upcoming[1].after[incident.severity])
    return incident


def on_the_clock_of(incident: Incident, now: int) -> Incident:
    """The incident as it can be at ``now``: if the clock was set back since its last change, what was left to wait
    then is left now. What is written down of the past stays as it was seen."""
    ahead = incident.updated_at - now
    if ahead <= 0 or not incident.escalate_at:
        return incident
    respond_by = max(1, incident.respond_by - ahead) if incident.respond_by else 0
    return replace(incident, respond_by=respond_by, escalate_at=max(1, incident.escalate_at - ahead))


def due(incident: Incident, now: int, policy: Policy) -> tuple[Incident, tuple[Escalate, ...]]:
    """Escalate to every tier whose time has come, in order; several when the platform was down meanwhile."""
    notified: list[Escalate] = []
    while incident.escalate_at and incident.escalate_at <= now:
        upcoming = next_tier(incident, policy)
        if upcoming is None:  # the configuration lost its tiers since the deadline was set
            incident = replace(incident, escalate_at=0)
            break
        level, tier, due_at = upcoming
        if due_at > now:  # the configuration now grants more time than when the deadline was set
            incident = replace(incident, escalate_at=due_at)
            break
        notified.append(escalate(incident, level, tier, due_at))
        incident = schedule(replace(incident, status=IncidentStatus.ESCALATED, escalation_level=level), policy)
    return incident, tuple(notified)


def unreached(entries: Iterable[TimelineEntry]) -> bool:
    """Whether every message to the tier that was notified last was given up, as the incident's timeline has it, oldest
    entry first. A message that still waits to be tried again may get through."""
    ways: set[str] = set()
    failed: set[str] = set()
    for entry in entries:
        if entry.kind in ESCALATION_KINDS:
            ways = set()
        elif entry.kind.startswith("notification.") and entry.data.get("purpose") == "escalation":
            notification = entry.key.split(":")[1]
            if entry.kind == "notification.queued":
                ways.add(notification)
            elif entry.kind == "notification.failed":
                failed.add(notification)
            else:  # tried again, at a person's request
                failed.discard(notification)
    return bool(ways) and ways <= failed


def move_on(incident: Incident, now: int, policy: Policy) -> tuple[Incident, tuple[Escalate, ...]]:
    """Notify the next tier at once, because the last one cannot be reached. Those after it keep their time."""
    waiting = incident.status in WAITING and not incident.acknowledged_at
    upcoming = next_tier(incident, policy) if waiting else None
    if upcoming is None:
        return incident, ()
    level, tier, _ = upcoming
    notified = escalate(incident, level, tier, now)
    return schedule(replace(incident, status=IncidentStatus.ESCALATED, escalation_level=level), policy), (notified,)


def escalate(incident: Incident, level: int, tier: Tier, due_at: int) -> Escalate:
    """The effect that notifies one tier of the present opening."""
    return Escalate(incident.id, tier.name, tier.receiver, level, due_at, escalation_key(incident, level))


def escalation_key(incident: Incident, level: int) -> str:
    """The key of a tier's notifications in the present opening, and of its end."""
    return f"escalation:{incident.id}:{incident.reopened_at or incident.detected_at}:{level}"


def next_deadline(incident: Incident) -> int | None:
    """When the incident has to be looked at again, Unix ms, or None."""
    return incident.escalate_at or None

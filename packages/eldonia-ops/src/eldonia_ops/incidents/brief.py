"""An incident in one screen: who is affected, who is on it, what changed before, and what to do next.

Pure: a function of the incident, its timeline and what was found around it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.incidents.escalation import next_tier
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.change import APART, Change
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry

LOOK_BACK_MS: Final = 2 * 3_600_000
"""How long before an incident changes are looked for."""

ONE_SITTING_MS: Final = 10 * 60_000
"""Changes of the configuration by one person that follow each other so closely are one line."""

_MAX_LINKS: Final = 10


@dataclass(frozen=True, slots=True)
class Notified:
    """A receiver that was notified, at its first message that got through (Unix ms; 0: none has yet) or that failed
    for good."""

    receiver: str
    at: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Brief:
    """What the first screen of an incident says beside the incident's own fields.

    ``dependents`` are services that do not work without the incident's. ``runbooks`` are the addresses that its rules
    name. ``steps`` are keys of the checklist that belong to this alert or service, ``general`` those for any incident.
    ``next_tier`` and ``next_tier_at`` (Unix ms, 0: none) say who is notified next without an acknowledgement, through
    ``next_receiver``.
    ``action`` is the next thing to do: ``acknowledge``, ``assign``, ``step``, ``resolve``, ``postmortem``, ``close`` or
    '' for nothing, with ``step`` the key of that step. ``recovered_at`` is when the conditions of all its alerts had
    ended, and ``held_until`` (both Unix ms) how long those are kept firing to see whether it lasts; 0 while one holds.
    """

    description: str
    dependents: tuple[str, ...]
    runbooks: tuple[str, ...]
    notified: tuple[Notified, ...]
    next_tier: str
    next_receiver: str
    next_tier_at: int
    changes: tuple[Change, ...]
    steps: tuple[str, ...]
    general: tuple[str, ...]
    action: str
    step: str = ""
    recovered_at: int = 0
    held_until: int = 0


def brief_of(
    incident: Incident,
    timeline: Sequence[TimelineEntry],
    policy: Policy,
    changes: Iterable[Change] = (),
    dependents: Iterable[str] = (),
    default_receiver: str = "",
) -> Brief:
    """The first screen of an incident. ``changes`` may be of any time and service, newest first. ``default_receiver``
    is notified for a tier that names no receiver of its own."""
    special = f"{incident.runbook}/"
    own = {step.key for step in found.steps} if (found := policy.runbook.playbook(incident.runbook)) else set[str]()
    steps = tuple(item.key for item in incident.checklist if item.key in own or item.key.startswith(special))
    general = tuple(item.key for item in incident.checklist if item.key not in steps)
    action, step = next_action(incident, steps)
    upcoming = next_tier(incident, policy) if incident.escalate_at and not incident.acknowledged_at else None
    return Brief(
        incident.description or _first(timeline, "description"),
        tuple(sorted(set(dependents) - {incident.service})),
        _runbooks(timeline),
        notified_of(timeline),
        upcoming[1].name if upcoming else "",
        (upcoming[1].receiver or default_receiver) if upcoming else "",
        incident.escalate_at if upcoming else 0,
        changes_before(incident, changes),
        steps,
        general,
        action,
        step,
    )


def recovery_of(alerts: Sequence[Alert]) -> tuple[int, int]:
    """``recovered_at`` and ``held_until`` of a :class:`Brief`, by the firing alerts of its incident."""
    ends = [(int(alert.evidence.get("recovered_at", 0)), int(alert.evidence.get("held_until", 0))) for alert in alerts]
    if not ends or not all(at for at, _ in ends):
        return 0, 0
    return max(at for at, _ in ends), max(until for _, until in ends)


def changes_before(incident: Incident, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those made from :data:`LOOK_BACK_MS` before the fault until it was detected: of its own service first, the newest
    first."""
    start = incident.started_at or incident.detected_at or incident.created_at
    end = incident.detected_at or incident.created_at
    near = in_a_row(one for one in changes if start - LOOK_BACK_MS <= one.at <= max(start, end))
    return tuple(sorted(near, key=lambda one: (one.service != incident.service, -one.at)))


def in_a_row(changes: Iterable[Change]) -> list[Change]:
    """The changes, newest first, where several of the configuration by one person, each within :data:`ONE_SITTING_MS`
    of the next, are one: with what each of them changed, at the time of the last."""
    found: list[Change] = []
    oldest = 0
    for one in sorted(changes, key=lambda one: -one.at):
        last = found[-1] if found else None
        if last is not None and _one_sitting(last, one) and oldest - one.at <= ONE_SITTING_MS:
            titles = dict.fromkeys([*last.title.split(APART), *one.title.split(APART)])
            found[-1] = replace(last, title=APART.join(titles))
        else:
            found.append(one)
        oldest = one.at
    return found


def _one_sitting(later: Change, earlier: Change) -> bool:
    return later.is_own and earlier.is_own and (later.by, later.url) == (earlier.by, earlier.url)


def next_action(incident: Incident, steps: Sequence[str]) -> tuple[str, str]:
    """What a responder does next, with the key of a step where it is one of the checklist."""
    if incident.status is IncidentStatus.CLOSED:
        return "", ""
    if incident.status is IncidentStatus.RESOLVED:
        return ("close", "") if incident.postmortem else ("postmortem", "")
    if not incident.acknowledged_at:
        return "acknowledge", ""
    if not incident.assigned_to:
        return "assign", ""
    done = {item.key for item in incident.checklist if item.done_at}
    if incident.firing or not incident.fingerprints:
        # The rule's own steps come first; acknowledging has its own button.
        waiting = [item.key for item in incident.checklist if item.key not in done and item.key != "acknowledge"]
        for key in [*(key for key in steps if key in waiting), *waiting]:
            return "step", key
    return "resolve", ""


def notified_of(timeline: Iterable[TimelineEntry]) -> tuple[Notified, ...]:
    """Who was notified, each receiver once, in order. One that a message got through to has not failed."""
    found: dict[str, Notified] = {}
    for entry in timeline:
        receiver = str(entry.data.get("receiver", ""))
        if not receiver or not entry.kind.startswith("notification."):
            continue
        known = found.setdefault(receiver, Notified(receiver, 0))
        if entry.kind == "notification.delivered" and (not known.at or known.failed):
            found[receiver] = Notified(receiver, entry.at)
        elif entry.kind == "notification.failed" and not known.at:
            found[receiver] = Notified(receiver, entry.at, failed=True)
    return tuple(found.values())


def _runbooks(timeline: Iterable[TimelineEntry]) -> tuple[str, ...]:
    urls: dict[str, None] = {}
    for entry in timeline:
        url = entry.data.get("runbook_url")
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            urls[url] = None
    return tuple(urls)[:_MAX_LINKS]


def _first(timeline: Iterable[TimelineEntry], name: str) -> str:
    return next((str(text) for entry in timeline if (text := entry.data.get(name))), "")

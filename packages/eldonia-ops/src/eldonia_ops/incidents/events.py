"""What can happen to an incident, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eldonia_ops.incidents.escalation import Escalate
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import IncidentStatus, TimelineEntry


class ActError(ValueError):
    """What a person asks for cannot be done; the message is for that person and says why."""


@dataclass(frozen=True, slots=True)
class AlertFiring:
    """An alert that :func:`~eldonia_ops.incidents.correlation.correlate` led here is firing.

    ``started_at`` is the earliest evidence of the fault (pending since, first bad probe), 0 for unknown.
    ``ordinal`` is the number that the incident gets if this opens one. ``leads``: this alert is sent for the
    others of its outage. Saying it again changes nothing.
    """

    alert: Alert
    started_at: int = 0
    ordinal: int = 0
    leads: bool = False


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """An attached alert has ended."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class OpenByHand:
    """A person opens an incident that no alert saw. ``severity`` is one of the five."""

    actor: str
    title: str
    severity: str
    service: str
    description: str = ""
    started_at: int = 0
    ordinal: int = 0


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A person says: I am on it. Stops the escalation."""

    actor: str


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """A person moves the incident along :data:`~eldonia_ops.incidents.lifecycle.TRANSITIONS`."""

    actor: str
    status: IncidentStatus
    note: str = ""


@dataclass(frozen=True, slots=True)
class TickChecklist:
    """A person ticks a step of the runbook, or takes the tick back."""

    actor: str
    key: str
    done: bool = True


@dataclass(frozen=True, slots=True)
class Assign:
    """A person assigns the incident (empty: to no one)."""

    actor: str
    to: str


@dataclass(frozen=True, slots=True)
class AddNote:
    """A person writes something down."""

    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class SetFields:
    """A person fills in what only people know.

    Names: ``title``, ``description``, ``component``, ``root_cause``, ``resolution``, ``lessons_learned``,
    ``postmortem`` (texts), ``severity`` (one of the five), ``impact`` (a mapping with any of ``users``,
    ``revenue``, ``reputation``).
    """

    actor: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotificationOutcome:
    """The outcome of a notification. ``outcome`` is ``queued``, ``delivered``, ``retry`` or ``failed``.

    ``key`` identifies the notification (its idempotency key); one entry is kept per outcome and attempt.
    """

    outcome: str
    receiver: str
    integration: str
    key: str
    purpose: str = "alert"
    attempt: int = 0
    detail: str = ""
    next_attempt_at: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that happened elsewhere and belongs on the timeline, with its own instant.

    ``kind`` is one of :data:`~eldonia_ops.incidents.timeline.KINDS`; ``key`` makes a repetition harmless.
    """

    kind: str
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    actor: str = "system"


@dataclass(frozen=True, slots=True)
class RecoveryEvent:
    """A step of automatic recovery: ``kind`` is a ``recovery.*`` kind of the timeline."""

    kind: str
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    actor: str = "system"


@dataclass(frozen=True, slots=True)
class Deadline:
    """Time has passed; whatever is due becomes so."""


@dataclass(frozen=True, slots=True)
class TierUnreached:
    """Every message to the tier that was notified last was given up."""


@dataclass(frozen=True, slots=True)
class AlertsSuppressed:
    """Every firing alert of the incident is suppressed now, so that no response is expected: no tier is notified,
    and the time to respond has not begun.

    Who works on a service and has silenced it must not be called about it, tier by tier; an inhibited alert is
    what follows from another, whose own incident escalates; and what the configuration keeps for office hours
    wakes no manager at night because the team was left to sleep. ``why`` is ``silenced``, ``inhibited``, ``muted``
    or ``mixed``; ``until`` is when the silences end at the earliest (Unix ms, 0 for unknown).
    """

    why: str
    until: int = 0


@dataclass(frozen=True, slots=True)
class ConditionsEnded:
    """The condition of every alert of the incident had ended by ``ended_at``; they are kept firing until ``until``
    (both Unix ms) to see whether that lasts. People are not called for what is over: tiers wait until then."""

    ended_at: int
    until: int


@dataclass(frozen=True, slots=True)
class ClockSetBack:
    """The clock may show less than at the last change of the incident."""


Event = (
    AlertFiring
    | AlertResolved
    | OpenByHand
    | Acknowledge
    | ChangeStatus
    | TickChecklist
    | Assign
    | AddNote
    | SetFields
    | NotificationOutcome
    | Evidence
    | RecoveryEvent
    | Deadline
    | TierUnreached
    | AlertsSuppressed
    | ConditionsEnded
    | ClockSetBack
)


@dataclass(frozen=True, slots=True)
class AppendTimeline:
    """Put an entry on the timeline (its ``id`` is 0: the store numbers it)."""

    entry: TimelineEntry


@dataclass(frozen=True, slots=True)
class NotifyResolved:
    """The incident is resolved: notify the tiers that were notified since it was opened last."""

    incident_id: str


Effect = AppendTimeline | Escalate | NotifyResolved

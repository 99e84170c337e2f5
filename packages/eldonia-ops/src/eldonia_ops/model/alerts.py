"""Alerts, notifications about them, and the record of every decision taken on the way."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.matchers import Matcher

URGENT: Final = frozenset({"critical", "page"})
"""Values of the ``severity`` label that go before all others: these may wake a person."""

UNTIL_RESOLVED: Final = 253_402_300_799_000
"""``Alert.ends_at`` of an alert whose source will say itself when it ends (9999-12-31T23:59:59Z)."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as the router sees it. Its identity is its label set.

    ``ends_at`` is when it ended or, while it is firing, the instant after which silence from its
    source means that it ended. ``source`` says who raised it: ``rule``, ``security``, ``recovery``,
    ``slo``, ``probe``, ``delivery`` or ``api``. ``evidence`` holds JSON-able facts for the incident's timeline
    (the value that crossed, the expression, the event ids).
    """

    labels: Labels
    annotations: Labels = EMPTY
    starts_at: int = 0
    ends_at: int = 0
    updated_at: int = 0
    generator_url: str = ""
    source: str = "api"
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """16 hex digits; equal for equal label sets."""
        return self.labels.fingerprint_hex

    @property
    def name(self) -> str:
        """The ``alertname`` label."""
        return self.labels.get("alertname", "")

    @property
    def urgent(self) -> bool:
        """Whether it is notified before others (:data:`URGENT`)."""
        return self.labels.get("severity", "") in URGENT

    def resolved(self, now: int) -> bool:
        """Whether the alert has ended at ``now``."""
        return self.ends_at <= now


class OutgoingStatus(StrEnum):
    """The state of an outgoing notification."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One notification on its way to one integration of one receiver: a row of the outbox.

    Written in the transaction that decided to send it, and delivered at least once;
    ``idempotency_key`` lets the far side, or our ledger, recognise a repetition. ``payload`` is the
    rendered request body for the integration (JSON-able). ``order_key`` names the queue: rows of
    one queue go out in the order of their ids, and a row waits for its predecessors.
    ``purpose`` is ``alert``, ``escalation``, ``status`` or ``personal``. ``urgent`` rows go before others, and rows of
    different ``cause`` take turns, so that one page does not wait behind a storm of another cause.
    """

    id: int
    idempotency_key: str
    receiver: str
    integration: str
    index: int
    order_key: str
    payload: dict[str, Any]
    purpose: str = "alert"
    incident_ids: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    created_at: int = 0
    status: OutgoingStatus = OutgoingStatus.PENDING
    attempts: int = 0
    next_attempt_at: int = 0
    finished_at: int = 0
    last_error: str = ""
    urgent: bool = False
    cause: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger: why a receiver was, or was not, notified of an alert.

    ``verdict`` is one of ``sent``, ``delivered``, ``failed``, ``retry``, ``grouped``, ``silenced``,
    ``inhibited``, ``muted``, ``deduplicated``, ``unrouted``; or ``silence``: a person made, changed or
    ended one. ``reason`` is a sentence for people; ``data`` names the parts: route, group key, silence or inhibiting
    fingerprint, attempt.
    """

    id: int
    at: int
    fingerprint: str
    alertname: str
    receiver: str
    verdict: str
    reason: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match every matcher stay quiet from ``starts_at`` until ``ends_at``."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    created_by: str
    comment: str
    updated_at: int = 0

    def active(self, now: int) -> bool:
        """Whether the silence holds at ``now``."""
        return self.starts_at <= now < self.ends_at

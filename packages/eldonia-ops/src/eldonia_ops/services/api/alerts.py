"""Alerts, their routing, and the messages about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, Silence
from eldonia_ops.model.labels import Labels


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as people see it. ``state`` is ``pending``, ``firing``, ``suppressed`` or ``resolved``."""

    alert: Alert
    state: str
    receivers: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()
    incident_id: str = ""
    incident_reference: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """One way in which a receiver is notified. ``obstacle`` says why it delivers nothing, '' if it can; ``title`` is
    what its kind is called."""

    receiver: str
    kind: str
    index: int
    obstacle: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class ReceiverTrial:
    """What became of a test through one integration: whether it was delivered, and what the far side or we say."""

    kind: str
    index: int
    title: str
    delivered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class RoutePreview:
    """A route that takes an alert: its receiver and line in the file, the labels of the alert's group, its waits
    in ms, and why it is quiet now, '' if it is not."""

    receiver: str
    line: int
    group: Mapping[str, str]
    group_wait: int
    group_interval: int
    repeat_interval: int
    muted: str


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What the kind of an integration says of one message: what the kind is called, and what the message is about."""

    title: str
    subject: str


@dataclass(frozen=True, slots=True)
class GroupView:
    """One aggregation group: the alerts that go out together to one receiver."""

    labels: Labels
    receiver: str
    alerts: tuple[AlertView, ...]


@dataclass(frozen=True, slots=True)
class RuleView:
    """The present state of one rule. ``health`` is ``ok``, ``err`` or ``unknown``; durations are seconds.

    With ``logs`` the query is a search of logs.
    """

    name: str
    type: str
    query: str
    duration_seconds: float
    keep_firing_for_seconds: float
    labels: Labels
    annotations: Labels
    state: str
    health: str
    last_error: str
    evaluation_time_seconds: float
    last_evaluation_at: int
    alerts: tuple[AlertView, ...] = ()
    comment: str = ""
    logs: bool = False


@dataclass(frozen=True, slots=True)
class RuleGroupView:
    """One rule group with its rules."""

    name: str
    file: str
    interval_seconds: float
    evaluation_time_seconds: float
    last_evaluation_at: int
    rules: tuple[RuleView, ...]


class Alerts(Protocol):
    """Alerts, rules, routing, silences, and why a receiver was or was not notified."""

    async def receive(self, alerts: Sequence[Alert], poster: str = "") -> list[str]:
        """Take alerts from outside (Alertmanager's POST); returns when they are on disk; readers see them from
        then on.

        ``poster`` names who sends them. The answer says what was refused because too many are active.
        """
        ...

    async def current(self) -> list[AlertView]:
        """Pending, firing and suppressed alerts, gravest first."""
        ...

    async def groups(self) -> list[GroupView]: ...
    def rules(self) -> list[RuleGroupView]: ...
    def receivers(self) -> list[str]: ...
    def default_receiver(self) -> str:
        """The receiver of the root of the routing tree."""
        ...

    def integrations(self) -> list[IntegrationView]: ...
    async def test_receiver(self, name: str, actor: str) -> list[ReceiverTrial]:
        """Send a test through every integration of a receiver now, past the outbox.

        Raises:
            NotFoundError: there is no such receiver.
        """
        ...

    def routes_of(self, labels: Mapping[str, str]) -> list[RoutePreview]:
        """The routes that an alert with these labels would take."""
        ...

    def configuration(self) -> str:
        """The routing configuration as YAML with secrets masked."""
        ...

    async def silences(self) -> list[Silence]: ...
    async def set_silence(self, silence: Silence, actor: str) -> str:
        """Create (empty id) or change a silence; returns its id, which is another one where the change would
        rewrite the past (:func:`eldonia_ops.alerting.silence.changed`). Without ``starts_at`` it starts now, or
        when it did. The ledger says that ``actor`` did it.

        Raises:
            RefusedError: no matcher, a matcher set that matches everything, an end before the start or in the past.
            NotFoundError: the id is unknown.
        """
        ...

    async def expire_silence(self, id: str, actor: str) -> None:
        """End a silence now.

        Raises:
            NotFoundError: the id is unknown.
        """
        ...

    async def explain(self, *, fingerprint: str = "", alertname: str = "", limit: int = 200) -> list[LedgerEntry]:
        """The ledger, newest first."""
        ...

    async def notifications(self, limit: int = 100) -> list[Outgoing]:
        """The outbox, newest first; payloads carry no secrets."""
        ...

    def facts(self, outgoing: Outgoing) -> MessageFacts:
        """What pages say of a message of the outbox."""
        ...

    async def retry_notification(self, id: int, actor: str) -> None:
        """Try a failed or waiting notification again now.

        Raises:
            NotFoundError: the id is unknown.
            RefusedError: it has been delivered.
        """
        ...

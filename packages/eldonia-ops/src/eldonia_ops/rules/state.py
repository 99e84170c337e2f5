"""What is remembered of a rule between evaluations; all of it can be stored as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from eldonia_ops.model.labels import Labels


class AlertState(StrEnum):
    """The state of a rule's alert. Resolved alerts are ``inactive`` until they are forgotten."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class RuleHealth(StrEnum):
    """How the last evaluation of a rule went, in Prometheus' words."""

    OK = "ok"
    ERROR = "err"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """One alert of one rule. All ``*_at`` fields are Unix milliseconds, 0 for 'not yet'.

    ``value`` is the value at the last evaluation that yielded the series, ``crossed_value`` at the first, both
    as text since JSON knows neither NaN nor infinity. ``keep_since`` is when the series vanished under a
    ``keep_firing_for``; ``valid_until`` the end that was last sent to the router.
    """

    labels: dict[str, str]
    annotations: dict[str, str]
    state: AlertState
    active_at: int
    value: str
    crossed_value: str
    fired_at: int = 0
    resolved_at: int = 0
    keep_since: int = 0
    last_sent_at: int = 0
    valid_until: int = 0

    def earlier(self, ms: int) -> "ActiveAlert":
        """The same alert with all of its instants that much earlier."""

        def moved(at: int) -> int:
            return max(1, at - ms) if at else 0

        return replace(
            self,
            active_at=moved(self.active_at),
            fired_at=moved(self.fired_at),
            resolved_at=moved(self.resolved_at),
            keep_since=moved(self.keep_since),
            last_sent_at=moved(self.last_sent_at),
            valid_until=moved(self.valid_until),
        )

    @property
    def number(self) -> float:
        """The value as a float."""
        return float(self.value)

    @property
    def label_set(self) -> Labels:
        """The labels, the alert's identity."""
        return Labels(self.labels)


@dataclass(frozen=True, slots=True)
class RuleState:
    """One rule between evaluations. ``alerts`` are keyed by the hex fingerprint of their labels."""

    alerts: dict[str, ActiveAlert] = field(default_factory=dict)
    health: RuleHealth = RuleHealth.UNKNOWN
    last_error: str = ""
    last_evaluation_at: int = 0

    @property
    def state(self) -> AlertState:
        """The gravest state of any alert."""
        states = {alert.state for alert in self.alerts.values()}
        for candidate in (AlertState.FIRING, AlertState.PENDING):
            if candidate in states:
                return candidate
        return AlertState.INACTIVE


@dataclass(frozen=True, slots=True)
class RuleGroupState:
    """One group between evaluations. ``rules`` are keyed as :meth:`RuleGroup.keyed_rules` names them."""

    rules: dict[str, RuleState] = field(default_factory=dict)
    last_evaluation_at: int = 0

    def rule(self, key: str) -> RuleState:
        """The state of one rule; a fresh one when it is new."""
        return self.rules.get(key, RuleState())

    def on_the_clock_of(self, now: int, interval_ms: int) -> "RuleGroupState":
        """The state for an evaluation at ``now``. If the clock was set back since the last one, everything happened
        that much earlier: the last evaluation one interval ago. Otherwise pending alerts would wait, and firing ones
        would not be sent, until the clock had caught up."""
        ahead = self.last_evaluation_at - now
        if ahead < 0:
            return self
        by = ahead + interval_ms
        rules = {
            key: replace(
                rule,
                alerts={name: alert.earlier(by) for name, alert in rule.alerts.items()},
                last_evaluation_at=max(0, rule.last_evaluation_at - by),
            )
            for key, rule in self.rules.items()
        }
        return RuleGroupState(rules, self.last_evaluation_at - by)

    def with_rules(self, rules: Mapping[str, RuleState], at: int) -> "RuleGroupState":
        """A copy with the given rules, and only those."""
        return RuleGroupState(dict(rules), at)

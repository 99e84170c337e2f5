"""What an organisation decides about incidents: what opens one, how fast to respond, who is notified next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from eldonia_ops.incidents.runbook import Runbook
from eldonia_ops.model.incidents import Severity

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE

OPENS: Final[Mapping[str, Severity]] = {
    "critical": Severity.CRITICAL,
    "page": Severity.CRITICAL,
    "high": Severity.HIGH,
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "ticket": Severity.MEDIUM,
}
"""Incident severity by an alert's ``severity`` label. Alerts with another or none (``info``) open nothing."""

RESPONSE_TARGETS: Final[Mapping[Severity, int]] = {
    Severity.CRITICAL: 15 * MINUTE,
    Severity.HIGH: HOUR,
    Severity.MEDIUM: 4 * HOUR,
}
"""Milliseconds until a person must have acknowledged (the seed's section 9.5.2); others have no target."""


OUTAGE_NAMES: Final = 3
"""So many times more incidents of different alert names than of one are taken for one outage."""


@dataclass(frozen=True, slots=True)
class Tier:
    """One group of people who can be notified.

    ``after`` gives, by incident severity, the milliseconds from the start of the response clock (the
    opening, or the latest reopening) until the tier is notified of an incident without acknowledgement.
    A severity that is missing never escalates to this tier. ``receiver`` names a receiver of the routing
    configuration; empty means its default receiver.
    """

    name: str
    receiver: str = ""
    after: Mapping[Severity, int] = field(default_factory=dict)


# The seed's three tiers and the management above them (9.1.2). The first tier is notified by the alert's own
# route at once. For a medium incident the later tiers are due after the seed's 4 and 8 hours; a graver
# one escalates when its response target passes, and goes on at the same pace.
TIERS: Final = (
    Tier("development"),
    Tier(
        "infrastructure",
        after={Severity.CRITICAL: 15 * MINUTE, Severity.HIGH: HOUR, Severity.MEDIUM: 4 * HOUR},
    ),
    Tier(
        "vendor",
        after={Severity.CRITICAL: 30 * MINUTE, Severity.HIGH: 2 * HOUR, Severity.MEDIUM: 8 * HOUR},
    ),
    Tier("management", after={Severity.CRITICAL: 45 * MINUTE, Severity.HIGH: 4 * HOUR}),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything that the incident rules ask for.

    ``tiers`` are in the order in which they are notified; the first counts as notified when the incident opens.
    ``reopen_within`` (ms) is how long after its resolution an incident is reopened by its own alert,
    ``quiet_check`` (ms) how often it is looked at whether the alerts of those that wait for a response are quiet.

    When alerts of one name and severity have opened ``outage_after`` incidents within ``outage_window`` ms, that is
    taken for one outage: what comes next joins one of them, whatever its service. Alerts of any names count as one
    outage after ``outage_after`` × :data:`OUTAGE_NAMES`.
    """

    opens: Mapping[str, Severity] = field(default_factory=lambda: dict(OPENS))
    response_targets: Mapping[Severity, int] = field(default_factory=lambda: dict(RESPONSE_TARGETS))
    tiers: tuple[Tier, ...] = TIERS
    reopen_within: int = 30 * MINUTE
    quiet_check: int = MINUTE
    runbook: Runbook = field(default_factory=Runbook)
    outage_after: int = 100
    outage_window: int = 5 * MINUTE

    def severity_of(self, alert_severity: str) -> Severity | None:
        """The incident severity that an alert's ``severity`` label asks for, or None when it opens none."""
        return self.opens.get(alert_severity.lower())

    def target(self, severity: Severity) -> int:
        """The response target in ms, 0 for none."""
        return self.response_targets.get(severity, 0)

    def faster(self, factor: float) -> "Policy":
        """The same policy with every period divided by ``factor``, for demonstrations.

        Raises:
            ValueError: the factor is not positive.
        """
        if factor <= 0:
            raise ValueError("the factor must be positive")

        def divide(periods: Mapping[Severity, int]) -> dict[Severity, int]:
            return {severity: max(1, round(period / factor)) for severity, period in periods.items()}

        return replace(
            self,
            response_targets=divide(self.response_targets),
            tiers=tuple(replace(tier, after=divide(tier.after)) for tier in self.tiers),
            reopen_within=max(1, round(self.reopen_within / factor)),
            quiet_check=max(1, round(self.quiet_check / factor)),
            outage_window=max(1, round(self.outage_window / factor)),
        )

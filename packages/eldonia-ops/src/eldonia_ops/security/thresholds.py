"""How many security events of a type make a finding (the seed's section 9.7, repaired).

The seed sets counts for seven types and then, under the heading of the time windows, sets the counts of
four of them a second time, so that these four never had a window and could never alert. The figures
in that place (5, 1, 1, 1) were plainly meant as minutes; the counts are the first ones (10, 1, 1, 1).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.model.security import SecurityEventType as Type
from eldonia_ops.model.security import SecuritySeverity

MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class Threshold:
    """``count`` events from one source within ``window_ms`` make a finding.

    The finding is at least as grave as ``floor``. Its alert ends after ``quiet_ms`` without a further event;
    until then events extend it instead of alerting again. A single event of critical severity is
    always enough, whatever the count: the application has judged already.
    """

    count: int
    window_ms: int
    quiet_ms: int = 10 * MINUTE
    floor: SecuritySeverity = SecuritySeverity.LOW

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 1000:
            raise ValueError("a threshold counts from 1 to 1000 events")
        if self.window_ms < 1 or self.quiet_ms < 1:
            raise ValueError("the window and the quiet time of a threshold must be positive")


DEFAULTS: Final[Mapping[Type, Threshold]] = {
    # As the seed has them.
    Type.FAILED_LOGIN: Threshold(5, 5 * MINUTE, floor=SecuritySeverity.MEDIUM),
    Type.SUSPICIOUS_ACTIVITY: Threshold(3, 10 * MINUTE, floor=SecuritySeverity.MEDIUM),
    Type.UNAUTHORIZED_ACCESS: Threshold(1, MINUTE, floor=SecuritySeverity.HIGH),
    # The seed's counts, with the minutes that it put in the wrong map.
    Type.BRUTE_FORCE_ATTEMPT: Threshold(10, 5 * MINUTE, floor=SecuritySeverity.HIGH),
    Type.SQL_INJECTION_ATTEMPT: Threshold(1, MINUTE, floor=SecuritySeverity.HIGH),
    Type.XSS_ATTEMPT: Threshold(1, MINUTE, floor=SecuritySeverity.MEDIUM),
    Type.CSRF_ATTEMPT: Threshold(1, MINUTE, floor=SecuritySeverity.MEDIUM),
    # The seed names these types and sets nothing. Reading data is everyday work: only a quantity that no
    # person reads by hand, as in copying out a table, is worth a look.
    Type.DATA_ACCESS: Threshold(100, 10 * MINUTE, floor=SecuritySeverity.MEDIUM),
    # One change of configuration is a release; many within minutes by one source are not.
    Type.CONFIGURATION_CHANGE: Threshold(5, 10 * MINUTE, floor=SecuritySeverity.MEDIUM),
    # Malware found once is an emergency; it stays one for an hour after the last sign of it.
    Type.MALWARE_DETECTED: Threshold(1, MINUTE, quiet_ms=60 * MINUTE, floor=SecuritySeverity.CRITICAL),
}


def faster(thresholds: Mapping[Type, Threshold], factor: float) -> dict[Type, Threshold]:
    """The same counts with every window and quiet time divided by ``factor``, for demonstrations.

    Raises:
        ValueError: the factor is not positive.
    """
    if factor <= 0:
        raise ValueError("the factor must be positive")
    return {
        type_: replace(
            threshold,
            window_ms=max(1, round(threshold.window_ms / factor)),
            quiet_ms=max(1, round(threshold.quiet_ms / factor)),
        )
        for type_, threshold in thresholds.items()
    }

"""The order of severities, and what they are called on alerts."""

from collections.abc import Mapping
from typing import Final

from eldonia_ops.model.security import SecuritySeverity

_ORDER: Final = tuple(SecuritySeverity)  # mildest first

ALERT_SEVERITY: Final[Mapping[SecuritySeverity, str]] = {
    SecuritySeverity.LOW: "warning",
    SecuritySeverity.MEDIUM: "warning",
    SecuritySeverity.HIGH: "high",
    SecuritySeverity.CRITICAL: "critical",
}
"""The ``severity`` label of a finding's alert. Nothing that crossed a threshold is below a warning."""


def gravest(*severities: SecuritySeverity) -> SecuritySeverity:
    """The gravest of the given severities (at least one)."""
    return max(severities, key=_ORDER.index)

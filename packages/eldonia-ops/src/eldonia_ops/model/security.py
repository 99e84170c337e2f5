"""Security events and findings (the seed's section 9.7)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class SecurityEventType(StrEnum):
    """The seed's ten types."""

    FAILED_LOGIN = "failed_login"
    SUSPICIOUS_ACTIVITY = "suspicious_activity"
    UNAUTHORIZED_ACCESS = "unauthorized_access"
    DATA_ACCESS = "data_access"
    CONFIGURATION_CHANGE = "configuration_change"
    MALWARE_DETECTED = "malware_detected"
    BRUTE_FORCE_ATTEMPT = "brute_force_attempt"
    SQL_INJECTION_ATTEMPT = "sql_injection_attempt"
    XSS_ATTEMPT = "xss_attempt"
    CSRF_ATTEMPT = "csrf_attempt"


class SecuritySeverity(StrEnum):
    """How grave an event is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class FindingStatus(StrEnum):
    """The seed's event statuses, kept for the finding that gathers the events."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    RESOLVED = "resolved"
    FALSE_POSITIVE = "false_positive"


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    """One event as an application reported it, or as detection derived it from a log record.

    ``source`` is what windows are kept per: the client address where known, else the account, else
    the reporting service. ``id`` is stable across a second reading of the same record.
    """

    id: str
    at: int
    type: SecurityEventType
    severity: SecuritySeverity
    source: str
    service: str = ""
    user_id: str = ""
    ip_address: str = ""
    user_agent: str = ""
    session_id: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Events of one type from one source that crossed the threshold within one window.

    ``evidence`` keeps the events (as plain data, at most a configured number) so that a finding
    can be judged after the logs have expired.
    """

    id: str
    type: SecurityEventType
    severity: SecuritySeverity
    source: str
    service: str
    status: FindingStatus
    opened_at: int
    last_event_at: int
    count: int
    threshold: int
    window_ms: int
    evidence: tuple[dict[str, Any], ...] = ()
    changed_by: str = ""
    note: str = ""
    updated_at: int = 0

"""Security events: the application reports, the platform counts, judges and notifies.

Every event becomes a log record (component ``security``, operation the type, metadata ``eventType``,
``severity``, ``eventId``, ``details``) and counts in ``security_events_total{type,severity}``.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final, Literal

from eldonia_telemetry import dropped_data, metrics, runtime, values
from eldonia_telemetry.records import ERROR, WARN

EventType = Literal[
    "failed_login",
    "suspicious_activity",
    "unauthorized_access",
    "data_access",
    "configuration_change",
    "malware_detected",
    "brute_force_attempt",
    "sql_injection_attempt",
    "xss_attempt",
    "csrf_attempt",
]
Severity = Literal["low", "medium", "high", "critical"]

TYPES: Final[frozenset[str]] = frozenset(EventType.__args__)  # type: ignore[attr-defined]
SEVERITIES: Final[frozenset[str]] = frozenset(Severity.__args__)  # type: ignore[attr-defined]


def record(
    type: EventType | str,
    severity: Severity | str = "medium",
    *,
    user_id: object = None,
    ip_address: object = None,
    user_agent: object = None,
    session_id: object = None,
    details: Mapping[str, Any] | None = None,
    message: str = "",
    service: str = "",
) -> str:
    """Report one event and return its id. Never raises.

    Who and where from are taken from the request in progress when not given. A type that is not
    one of the ten is reported as ``suspicious_activity`` with the given name in its details, an
    unknown severity as ``medium``.
    """
    event_id = f"sec_{secrets.token_hex(12)}"
    try:
        more = _mapping(details)
        if not isinstance(type, str) or type not in TYPES:
            more.setdefault("event", values.text(type))
            type = "suspicious_activity"
        if not isinstance(severity, str) or severity not in SEVERITIES:
            severity = "medium"
        metrics.standard.security_events.labels(type, severity).inc()
        runtime.current.emit(
            ERROR if severity == "critical" else WARN,
            "security",
            message or f"Security Event: {type}",
            service=service,
            operation=type,
            user_id=user_id,
            session_id=session_id,
            ip_address=ip_address,
            user_agent=user_agent,
            metadata={"eventType": type, "severity": severity, "eventId": event_id, "details": more},
        )
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("security", "event could not be recorded", error)
    return event_id


def _mapping(details: object) -> dict[str, Any]:
    """An event must not be lost for what was said of it."""
    if details is None:
        return {}
    if isinstance(details, Mapping):
        try:
            return dict(details)
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            return {"details": f"<{type(details).__name__}: {type(error).__name__}>"}
    return {"details": details}

"""Security events out of log records.

An application reports one by a record with ``component`` ``security`` and ``metadata``
``{eventType, severity, eventId, details}`` (the seed's logger). Other spellings are understood too:
snake_case keys, a nested ``metadata``, and type names in any case or without ``_attempt``.
"""

import hashlib
import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.security import SecurityEvent, SecurityEventType, SecuritySeverity

COMPONENTS: Final = ("security", "security_monitor")
MAX_TEXT: Final = 256
MAX_DETAILS: Final = 12

_ALIASES: Final[Mapping[str, SecurityEventType]] = {
    **{item.value.replace("_", ""): item for item in SecurityEventType},
    "loginfailed": SecurityEventType.FAILED_LOGIN,
    "loginfailure": SecurityEventType.FAILED_LOGIN,
    "authfailure": SecurityEventType.FAILED_LOGIN,
    "suspicious": SecurityEventType.SUSPICIOUS_ACTIVITY,
    "unauthorised": SecurityEventType.UNAUTHORIZED_ACCESS,
    "unauthorized": SecurityEventType.UNAUTHORIZED_ACCESS,
    "unauthorisedaccess": SecurityEventType.UNAUTHORIZED_ACCESS,
    "forbidden": SecurityEventType.UNAUTHORIZED_ACCESS,
    "configchange": SecurityEventType.CONFIGURATION_CHANGE,
    "malware": SecurityEventType.MALWARE_DETECTED,
    "bruteforce": SecurityEventType.BRUTE_FORCE_ATTEMPT,
    "sqlinjection": SecurityEventType.SQL_INJECTION_ATTEMPT,
    "sqli": SecurityEventType.SQL_INJECTION_ATTEMPT,
    "xss": SecurityEventType.XSS_ATTEMPT,
    "csrf": SecurityEventType.CSRF_ATTEMPT,
}
_SEVERITIES: Final[Mapping[str, SecuritySeverity]] = {
    **{item.value: item for item in SecuritySeverity},
    "info": SecuritySeverity.LOW,
    "notice": SecuritySeverity.LOW,
    "warn": SecuritySeverity.MEDIUM,
    "warning": SecuritySeverity.MEDIUM,
    "moderate": SecuritySeverity.MEDIUM,
    "error": SecuritySeverity.HIGH,
    "severe": SecuritySeverity.HIGH,
    "fatal": SecuritySeverity.CRITICAL,
    "emergency": SecuritySeverity.CRITICAL,
}
_BY_LEVEL: Final[Mapping[LogLevel, SecuritySeverity]] = {
    LogLevel.ERROR: SecuritySeverity.HIGH,
    LogLevel.WARN: SecuritySeverity.MEDIUM,
    LogLevel.INFO: SecuritySeverity.LOW,
    LogLevel.DEBUG: SecuritySeverity.LOW,
}
_IN_MESSAGE = re.compile(r"security event:\s*(?:security event:\s*)?([A-Za-z][A-Za-z _-]{2,60})", re.IGNORECASE)
_NOT_A_LETTER = re.compile(r"[^a-z]")


def from_log(record: LogRecord) -> SecurityEvent | None:
    """The security event that a record reports, or None when it reports none of the ten types.

    The id is the application's ``eventId``, else a hash of the record's place (source and byte offset),
    else of its content: the same record read twice gives the same id.
    """
    if record.component.lower() not in COMPONENTS or record.parse_error:
        return None
    facts = _facts(record.metadata)
    type_ = parse_type(_first(facts, "eventtype", "securityeventtype", "type", "event"))
    if type_ is None:
        in_message = _IN_MESSAGE.match(record.message)
        type_ = parse_type(in_message.group(1)) if in_message else None
    if type_ is None:
        return None
    severity = _SEVERITIES.get(_first(facts, "severity").lower(), _BY_LEVEL[record.level])
    address = (record.ip_address or _first(facts, "ipaddress", "ip", "clientip", "remoteaddr"))[:MAX_TEXT]
    user = (record.user_id or _first(facts, "userid", "user", "username", "account"))[:MAX_TEXT]
    return SecurityEvent(
        id=(_first(facts, "eventid", "id") or _identity(record))[:MAX_TEXT],
        at=record.timestamp_ns // 1_000_000,
        type=type_,
        severity=severity,
        source=source_of(address, user, record.service),
        service=record.service[:MAX_TEXT],
        user_id=user,
        ip_address=address,
        user_agent=(record.user_agent or _first(facts, "useragent"))[:MAX_TEXT],
        session_id=(record.session_id or _first(facts, "sessionid"))[:MAX_TEXT],
        details=_details(facts.get("details")),
    )


def parse_type(text: str) -> SecurityEventType | None:
    """One of the ten types, however it is spelt, or None."""
    key = _NOT_A_LETTER.sub("", text.lower())
    return _ALIASES.get(key) or _ALIASES.get(key.removesuffix("attempt"))


def source_of(address: str, user: str, service: str) -> str:
    """What windows are kept per: the client's network address, else the account, else the service.

    An IPv6 client is known by its /64, since it chooses the rest of its address freely; an IPv4 address
    written as IPv6 counts as IPv4, and a port is dropped.
    """
    if address:
        return _normal_address(address)
    return (user or service or "unknown")[:MAX_TEXT]


def _normal_address(text: str) -> str:
    candidate = text.strip()
    if candidate.startswith("["):
        candidate = candidate[1:].partition("]")[0]
    elif candidate.count(":") == 1:
        candidate = candidate.partition(":")[0]
    try:
        address = ipaddress.ip_address(candidate.partition("%")[0])
    except ValueError:
        return text.strip()[:MAX_TEXT]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        if not address.is_loopback:
            return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _facts(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata under keys without case and punctuation; a nested ``metadata`` fills the gaps."""
    inner = metadata.get("metadata")
    merged = {**(inner if isinstance(inner, Mapping) else {}), **metadata}
    return {re.sub(r"[^a-z]", "", str(key).lower()): value for key, value in list(merged.items())[:100]}


def _first(facts: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = facts.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""


def _details(value: object) -> dict[str, Any]:
    """Details cut to a size that can be kept as evidence."""
    if not isinstance(value, Mapping):
        return {} if value in (None, "") else {"detail": str(value)[:MAX_TEXT]}
    kept: dict[str, Any] = {}
    for key, item in list(value.items())[:MAX_DETAILS]:
        kept[str(key)[:64]] = item if isinstance(item, (bool, int, float)) or item is None else str(item)[:MAX_TEXT]
    return kept


def _identity(record: LogRecord) -> str:
    if record.source and record.offset:
        parts = (record.hostname, record.source, record.offset, record.timestamp_ns)
    else:
        parts = (
            record.timestamp_ns,
            record.service,
            record.message,
            record.user_id,
            record.ip_address,
            record.request_id,
        )
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()[:24]

import pytest

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.security import SecurityEventType, SecuritySeverity
from eldonia_ops.security.events import from_log, parse_type, source_of


def record(**fields):
    base = {"timestamp_ns": 1_700_000_000_123_456_789, "message": "Security Event: x", "component": "security"}
    return LogRecord(**{**base, **fields})


def test_the_contract_with_the_sdk():
    event = from_log(
        record(
            service="shop",
            user_id="hana",
            ip_address="203.0.113.9",
            metadata={
                "eventType": "failed_login",
                "severity": "medium",
                "eventId": "ev-1",
                "details": {"reason": "bad password", "attempts": 3},
            },
        )
    )
    assert event is not None
    assert (event.id, event.at, event.type) == ("ev-1", 1_700_000_000_123, SecurityEventType.FAILED_LOGIN)
    assert (event.severity, event.source, event.user_id) == (SecuritySeverity.MEDIUM, "203.0.113.9", "hana")
    assert event.details == {"reason": "bad password", "attempts": 3}


def test_other_spellings():
    nested = from_log(record(metadata={"metadata": {"event_type": "SQL-Injection", "ip_address": "198.51.100.1:443"}}))
    assert nested is not None
    assert nested.type is SecurityEventType.SQL_INJECTION_ATTEMPT
    assert nested.source == "198.51.100.1"
    in_message = from_log(record(message="Security Event: Security event: csrf_attempt", level=LogLevel.ERROR))
    assert in_message is not None
    assert in_message.type is SecurityEventType.CSRF_ATTEMPT
    assert in_message.severity is SecuritySeverity.HIGH


@pytest.mark.parametrize("type_", list(SecurityEventType))
def test_every_type_in_any_case(type_):
    for text in (type_.value, type_.value.upper(), type_.value.replace("_", "-"), type_.value.title().replace("_", "")):
        assert parse_type(text) is type_


def test_what_is_no_security_event():
    assert from_log(record(component="business", metadata={"eventType": "failed_login"})) is None
    assert from_log(record(metadata={"eventType": "login_succeeded"}, message="hello")) is None
    assert from_log(record(metadata={"eventType": "xss_attempt"}, parse_error="not JSON")) is None
    assert from_log(record(metadata={"eventType": ["xss"]}, message="")) is None


def test_ids_are_stable_and_distinct():
    meta = {"eventType": "xss_attempt"}
    placed = record(metadata=meta, source="/var/log/shop.log", offset=100)
    assert from_log(placed).id == from_log(placed).id
    assert from_log(placed).id != from_log(record(metadata=meta, source="/var/log/shop.log", offset=200)).id
    assert from_log(record(metadata=meta)).id == from_log(record(metadata=meta)).id
    assert from_log(record(metadata=meta)).id != from_log(record(metadata=meta, request_id="r2")).id


def test_sources():
    assert source_of("2001:db8:1:2:aaaa::1", "", "") == source_of("2001:db8:1:2:bbbb::9", "", "") == "2001:db8:1:2::/64"
    assert source_of("::ffff:203.0.113.9", "", "") == "203.0.113.9"
    assert source_of("[2001:db8::1]:8443", "", "") == "2001:db8::/64"
    assert source_of("", "hana", "shop") == "hana"
    assert source_of("", "", "shop") == "shop"
    assert source_of("not an address", "", "") == "not an address"


def test_details_are_bounded():
    event = from_log(record(metadata={"type": "xss", "details": {f"k{i}": "v" * 10_000 for i in range(100)}}))
    assert event is not None
    assert len(event.details) == 12
    assert all(len(value) == 256 for value in event.details.values())

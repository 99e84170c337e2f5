import json

from eldonia_telemetry import auth, security
from eldonia_telemetry.testing import capture


def test_the_contract_with_the_platform():
    with capture(service="shop") as seen:
        event_id = security.record(
            "unauthorized_access", "high", user_id=5, ip_address="192.0.2.9", details={"orderId": 3}
        )
    record = json.loads(seen.lines[0])
    assert record["component"] == "security"
    assert record["operation"] == "unauthorized_access"
    assert record["level"] == "warn"
    assert (record["userId"], record["ipAddress"]) == ("5", "192.0.2.9")
    assert record["metadata"] == {
        "eventType": "unauthorized_access",
        "severity": "high",
        "eventId": event_id,
        "details": {"orderId": 3},
    }
    assert seen.increase("security_events_total", type="unauthorized_access", severity="high") == 1


def test_critical_is_an_error_and_ids_are_unique():
    with capture() as seen:
        ids = {security.record("malware_detected", "critical") for _ in range(100)}
    assert len(ids) == 100
    assert seen.records[0].level == "error"


def test_unknown_types_and_severities_are_still_reported():
    with capture() as seen:
        security.record("strange_thing", "enormous")
    event = seen.security_events[0]
    assert (event["eventType"], event["severity"]) == ("suspicious_activity", "medium")
    assert event["details"] == {"event": "strange_thing"}


def test_failed_login():
    with capture() as seen:
        auth.failed_login("a@example.com", reason="wrong password", password="never")
    assert seen.increase("auth_failed_logins_total") == 1
    assert seen.security_events[0]["userId"] == "a@example.com"
    assert seen.security_events[0]["details"] == {"password": "[REDACTED]", "reason": "wrong password"}


def test_levels_above_warn_hide_the_record_not_the_count():
    # An application that logs errors only still reports its security events: they are not chatter.
    with capture(level=40) as seen:
        security.record("data_access", "low")
    assert len(seen.records) == 1

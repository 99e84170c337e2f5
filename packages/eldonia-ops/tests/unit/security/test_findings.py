import re

from eldonia_ops.incidents.timeline import describe
from eldonia_ops.model.incidents import TimelineEntry
from eldonia_ops.model.security import SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.findings import alert_name, timeline_facts
from eldonia_ops.security.windows import OpenFinding, RaiseSecurityAlert, WindowState, step_all


def test_alert_names_are_valid_and_distinct():
    names = {alert_name(type_) for type_ in SecurityEventType}
    assert len(names) == len(SecurityEventType)
    assert all(re.fullmatch(r"Security[A-Z][A-Za-z]+", name) for name in names)


def test_a_finding_speaks_on_the_timeline_and_in_the_alert():
    events = [
        SecurityEvent(
            f"e{number}",
            number,
            SecurityEventType.FAILED_LOGIN,
            SecuritySeverity.LOW,
            "203.0.113.9",
            "shop",
            user_id=f"u{number}",
            details={"pattern": "credential_stuffing"},
        )
        for number in range(1, 6)
    ]
    _, effects = step_all(WindowState(), events, 10)
    finding = next(effect.finding for effect in effects if isinstance(effect, OpenFinding))
    entry = TimelineEntry(1, "i", 10, "security.finding", data=timeline_facts(finding))
    assert describe(entry) == (
        "5 events of type failed_login from 203.0.113.9 within 5m reached the threshold of 5: "
        "many accounts tried from one address"
    )
    alert = next(effect.alert for effect in effects if isinstance(effect, RaiseSecurityAlert))
    assert alert.annotations["description"] == (
        "5 events of type failed login from 203.0.113.9 within 5m; reported by shop; 5 accounts concerned; "
        "pattern: credential stuffing"
    )
    assert alert.evidence["event_ids"] == ["e1", "e2", "e3", "e4", "e5"]

from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType, SecuritySeverity
from eldonia_ops.security.report import report


def finding(number, source, count, severity=SecuritySeverity.HIGH, status=FindingStatus.OPEN):
    return Finding(
        str(number), SecurityEventType.XSS_ATTEMPT, severity, source, "shop", status, number, number, count, 1, 60_000
    )


def test_report_counts():
    rows = report(
        [
            finding(1, "a", 2),
            finding(2, "b", 9, SecuritySeverity.CRITICAL, FindingStatus.RESOLVED),
            finding(3, "a", 3),
        ],
        top=1,
    )
    assert (rows["findings"], rows["events"]) == (3, 14)
    assert rows["by_type"]["xss_attempt"] == {"findings": 3, "events": 14}
    assert rows["by_type"]["failed_login"] == {"findings": 0, "events": 0}
    assert rows["by_severity"] == {"low": 0, "medium": 0, "high": 2, "critical": 1}
    assert rows["by_status"] == {"open": 2, "investigating": 0, "resolved": 1, "false_positive": 0}
    assert rows["top_sources"] == [{"source": "b", "findings": 1, "events": 9, "last_event_at": 2}]
    assert report([])["top_sources"] == []

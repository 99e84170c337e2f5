"""What the security pages and the command line show at a glance."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType, SecuritySeverity


def report(findings: Iterable[Finding], *, top: int = 10) -> dict[str, Any]:
    """Findings and their events counted, JSON-able.

    ``{"findings", "events", "by_type": {type: {"findings", "events"}}, "by_severity": {...: findings},
    "by_status": {...: findings}, "top_sources": [{"source", "findings", "events", "last_event_at"}]}``;
    every type, severity and status is listed, zeros included, so that a table keeps its rows.
    ``top`` bounds the sources.
    """
    chosen = list(findings)
    sources: dict[str, list[Finding]] = {}
    for finding in chosen:
        sources.setdefault(finding.source, []).append(finding)
    events = Counter[str]()
    counts = Counter[str]()
    for finding in chosen:
        counts[finding.type] += 1
        events[finding.type] += finding.count
    rows = [
        {
            "source": source,
            "findings": len(found),
            "events": sum(finding.count for finding in found),
            "last_event_at": max(finding.last_event_at for finding in found),
        }
        for source, found in sources.items()
    ]
    rows.sort(key=lambda row: (-row["events"], row["source"]))
    return {
        "findings": len(chosen),
        "events": sum(finding.count for finding in chosen),
        "by_type": {item.value: {"findings": counts[item], "events": events[item]} for item in SecurityEventType},
        "by_severity": {item.value: sum(finding.severity is item for finding in chosen) for item in SecuritySeverity},
        "by_status": {item.value: sum(finding.status is item for finding in chosen) for item in FindingStatus},
        "top_sources": rows[:top],
    }

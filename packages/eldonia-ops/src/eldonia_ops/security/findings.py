"""What a finding looks like as an alert and as evidence."""

import hashlib
from typing import Any

from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.security import Finding, SecurityEvent, SecurityEventType


def alert_name(type_: SecurityEventType) -> str:
    """The ``alertname`` of a type's findings: ``SecurityFailedLogin``, ``SecuritySqlInjectionAttempt``."""
    return "Security" + "".join(part.capitalize() for part in type_.value.split("_"))


def alert_of(finding: Finding, severity: str, now: int, *, started_at: int = 0, ends_at: int = UNTIL_RESOLVED) -> Alert:
    """The alert of a finding with a ``severity`` label; ``started_at`` is its first event (Unix ms)."""
    name = finding.type.value.replace("_", " ")
    patterns = sorted({str(item["pattern"]) for item in finding.evidence if item.get("pattern")})
    accounts = {str(item["user_id"]) for item in finding.evidence if item.get("user_id")}
    facts = f"{finding.count} events of type {name} from {finding.source} within {format_duration(finding.window_ms)}"
    details = [f"reported by {finding.service}"] if finding.service else []
    details += [f"{len(accounts)} accounts concerned"] if len(accounts) > 1 else []
    details += [f"pattern: {', '.join(patterns).replace('_', ' ')}"] if patterns else []
    return Alert(
        labels=Labels(
            {
                "alertname": alert_name(finding.type),
                "severity": severity,
                "service": "security",
                "type": finding.type.value,
                "source": finding.source,
            }
        ),
        annotations=Labels(
            {
                "summary": f"Security: {name} from {finding.source}",
                "description": "; ".join([facts, *details]),
                "finding": finding.id,
            }
        ),
        starts_at=finding.opened_at,
        ends_at=ends_at,
        updated_at=now,
        source="security",
        evidence={
            "finding_id": finding.id,
            "value": finding.count,
            "count": finding.count,
            "threshold": finding.threshold,
            "window_ms": finding.window_ms,
            "type": finding.type.value,
            "source": finding.source,
            "started_at": started_at or finding.opened_at,
            "pattern": ", ".join(patterns),
            "event_ids": [str(item.get("id", "")) for item in finding.evidence],
        },
    )


def timeline_facts(finding: Finding) -> dict[str, Any]:
    """The facts of a ``security.*`` entry on an incident's timeline."""
    return {
        "finding": finding.id,
        "type": finding.type.value,
        "source": finding.source,
        "severity": finding.severity.value,
        "count": finding.count,
        "threshold": finding.threshold,
        "window": finding.window_ms,
        "pattern": next((str(item["pattern"]) for item in finding.evidence if item.get("pattern")), ""),
    }


def finding_id(event: SecurityEvent) -> str:
    """16 hex digits that the crossing event determines."""
    text = f"{event.type.value}\0{event.source}\0{event.id}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def plain(event: SecurityEvent) -> dict[str, Any]:
    """An event as evidence: what is known of it, without empty fields."""
    facts: dict[str, Any] = {
        "id": event.id,
        "at": event.at,
        "severity": event.severity.value,
        "service": event.service,
        "user_id": event.user_id,
        "ip_address": event.ip_address,
        "user_agent": event.user_agent,
        "session_id": event.session_id,
        "pattern": event.details.get("pattern", ""),
        "details": event.details,
    }
    return {name: value for name, value in facts.items() if value not in ("", {})}


def kept_evidence(evidence: tuple[dict[str, Any], ...], limit: int) -> tuple[dict[str, Any], ...]:
    """The first half shows how it began, the last how it goes on."""
    if len(evidence) <= limit:
        return evidence
    first = limit // 2
    return (*evidence[:first], *evidence[len(evidence) - (limit - first) :])

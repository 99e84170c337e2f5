"""What the native API answers about the platform itself, and about security as a whole."""

from typing import Any

import msgspec


class OverviewShape(msgspec.Struct):
    """The platform looking at itself. Instants are Unix milliseconds.

    ``counts`` are its own metrics by name and labels. ``storage`` is what the stores say of themselves: rows, bytes and
    parts of each signal, the memory head, and facts of the engine.
    """

    version: str
    now: int
    started_at: int
    uptime_seconds: float
    resident_bytes: int
    targets: int
    targets_up: int
    incidents_open: int
    incidents_unacknowledged: int
    alerts_firing: int
    notifications_pending: int
    notifications_failed: int
    loops_failing: list[str]
    counts: dict[str, float]
    storage: dict[str, Any]


class SecurityCountShape(msgspec.Struct):
    """Findings, and the events behind them."""

    findings: int
    events: int


class SecuritySourceShape(msgspec.Struct):
    """One source of security events."""

    source: str
    findings: int
    events: int
    last_event_at: int


class SecurityReportShape(msgspec.Struct):
    """Findings counted. Every type, severity and status is listed, zeros included."""

    findings: int
    events: int
    by_type: dict[str, SecurityCountShape]
    by_severity: dict[str, int]
    by_status: dict[str, int]
    top_sources: list[SecuritySourceShape]

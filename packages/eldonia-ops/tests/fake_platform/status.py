"""Targets, objectives and the platform's own figures."""

from collections.abc import Callable
from typing import Any

from eldonia_ops.model.labels import Labels
from eldonia_ops.services.api import (
    DiskView,
    DurationView,
    ListenerView,
    LoopView,
    NotFoundError,
    ObjectivePoint,
    ObjectiveView,
    PipelineOutputView,
    PipelineSourceView,
    PipelineView,
    PlatformHealth,
    StoredView,
    TargetView,
)
from eldonia_ops.services.own_metrics import OwnMetrics


class FakeStatus:
    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self.is_ready = True
        self.failing: list[str] = []
        self.own = OwnMetrics()

    def failing_loops(self) -> list[str]:
        return self.failing

    def targets(self) -> list[TargetView]:
        now = self._now()
        return [
            TargetView("scrape", "shop", "http://127.0.0.1:9700/metrics", Labels({"job": "shop", "instance": "web-1"}),
                       "up", now - 4_000, 0.0061, "", 15_000, 10_000),
            TargetView("scrape", "postgresql", "postgresql://db-1/shop", Labels({"job": "postgresql"}), "down",
                       now - 9_000, 2.0, "connection refused (is the server running?)"),
            TargetView("host", "this host", "", Labels({"job": "node", "instance": "web-1"}), "up",
                       now - 2_000, 0.0031, ""),
            TargetView("tail", "combined.log", "/var/log/shop/combined.log", Labels({"service": "shop"}), "up",
                       now - 700, 0.0, "", parse_errors=12),
            TargetView("probe", "payment gateway", "https://payments.example/health", Labels({"instance": "payments"}),
                       "unknown", 0, 0.0, ""),
        ]  # fmt: skip

    async def objectives(self) -> list[ObjectiveView]:
        return [
            ObjectiveView("availability", "shop", 0.999, 30 * 86_400.0, 12 * 86_400.0, 0.99942, 0.42, 0.6, 0.99855),
            ObjectiveView("checkout latency", "shop", 0.99, 7 * 86_400.0, 7 * 86_400.0, 0.9861, -0.39, 14.4, 0.9861),
            ObjectiveView("payments", "payment", 0.995, 30 * 86_400.0, 0.0, None, None, None),
        ]

    async def objective_history(self, name: str) -> list[ObjectivePoint]:
        [found] = [one for one in await self.objectives() if one.name == name] or [None]
        if found is None:
            raise NotFoundError(f"no objective is called {name!r}")
        if found.budget_remaining is None:
            return [ObjectivePoint(self._now() - 1_000, None, None, None)]
        steps = range(100)
        lost = 1 - found.budget_remaining
        return [
            ObjectivePoint(
                self._now() - int(found.measured_seconds * 10 * (99 - step)),
                1 - (1 - found.target) * lost * step / 99,
                1 - lost * step / 99,
                found.burn_rate,
            )
            for step in steps
        ]

    async def overview(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "now": self._now(),
            "targets": 5,
            "targets_up": 3,
            "incidents_open": 2,
            "incidents_unacknowledged": 1,
            "alerts_firing": 4,
            "loops_failing": self.failing,
            "started_at": self._now() - 18_360_200,
            "uptime_seconds": 18_360.2,
            "resident_bytes": 603_119_616,
            "notifications_pending": 1,
            "notifications_failed": 0,
            "counts": {
                "eldonia_ops_logs_total": 10_754.0,
                'eldonia_ops_notifications_total{integration="pagerduty",outcome="delivered",reason="none"}': 15.0,
            },
            "storage": {
                "logs": {"rows": 1_204_113, "bytes": 84_230_144, "parts": 5},
                "traces": {"rows": 21_459, "bytes": 1_596_084, "parts": 3},
                "metrics": {"rows": 9_120_000, "bytes": 11_000_000, "parts": 9},
                "detached_parts": [],
                "engine": "chdb",
            },
        }

    async def health(self) -> PlatformHealth:
        now = self._now()
        loops = (
            LoopView("rule checkout of shop.yml", True, True, False, 12, 7, "QueryError", now - 900_000),
            LoopView("delivery", False, False, False, 1, 1, "OperationalError", now - 61_000),
            LoopView("alert groups", False, False, False, 0, 0, "", now - 4_000),
            LoopView("scrape shop", False, False, False, 0, 0, "", 0),
        )
        durations = (
            DurationView("eldonia_ops_rule_group_duration_seconds", {}, 5_210, 0.0031, 0.0214),
            DurationView("eldonia_ops_scrape_duration_seconds", {"kind": "scrape"}, 9_004, 0.0061, 0.094),
            DurationView("eldonia_ops_delivery_duration_seconds", {"integration": "slack"}, 15, 0.21, 2.4),
        )
        stored = (
            StoredView("logs", 1_204_113, 84_230_144, 5),
            StoredView("traces", 21_459, 1_596_084, 3),
            StoredView("metrics", 9_120_000, 11_000_000, 9),
        )
        return PlatformHealth(
            now=now,
            started_at=now - 18_360_200,
            ready=False,
            resident_bytes=603_119_616,
            loops=loops,
            durations=durations,
            queues={"notifications_pending": 1, "notifications_failed": 0, "unsaved_samples": 0},
            stored=stored,
            files={"state": 1_204_224},
            detached_parts=0,
            lost_samples=0,
            disk=DiskView(500_000_000_000, 31_000_000_000),
            refused=12,
            versions={"eldonia-ops": "0.1.0", "Python": "3.11.9", "SQLite": "3.45.1", "ClickHouse": "26.9.1"},
            listeners=(
                ListenerView("main", "http://127.0.0.1:9600", "none", 4, 812),
                ListenerView("prometheus", "http://127.0.0.1:9090", "viewer", 1, 63),
            ),
            pipeline=_pipeline(now),
        )

    def ready(self) -> bool:
        return self.is_ready

    def metrics(self, accept: str) -> tuple[str, bytes]:
        figures = {"eldonia_ops_logs_total": 10_754.0, "eldonia_ops_alert_groups_failing": 0.0}
        return self.own.exposition(accept, figures)

    def request_ended(self, listener: str, api: str, route: str, method: str, code: int, seconds: float) -> None:
        self.own.request(listener, api, route, method, code, seconds)


def _pipeline(now: int) -> PipelineView:
    shop, http = "lines of /var/log/shop/*.log", "http at 0.0.0.0:9880 (tls)"
    refused = "it is no JSON: JSON is malformed: invalid character (byte 0)"
    away = "the connection to search-1.example:9200 was refused"
    return PipelineView(
        sources=(
            PipelineSourceView(
                "tail:fluent.conf:2", "tail", shop, "up", 1_204_113, 4_310, 12, 1, now - 400, refused, now - 61_000
            ),
            PipelineSourceView(
                "in_http",
                "http",
                http,
                "down",
                0,
                0,
                0,
                0,
                0,
                "http cannot listen on 0.0.0.0:9880: Address already in use",
                now - 4_000,
            ),
            PipelineSourceView("journal", "systemd", "the journal of this machine", "unknown", 0, 0, 0, 0, 0, "", 0),
        ),
        outputs=(
            PipelineOutputView(
                "elasticsearch:fluent.conf:38",
                "eldonia",
                "the log store of this platform",
                0,
                0,
                0,
                1_204_101,
                0,
                0,
                0,
                0,
                0,
                "",
            ),
            PipelineOutputView(
                "archive",
                "elasticsearch",
                "search-1.example:9200",
                18_204,
                9_310_221,
                now - 340_000,
                901_220,
                31,
                31,
                now + 9_000,
                120,
                0,
                away,
            ),
        ),
        held=3,
        lost=41,
        lost_reason="no <match> takes the tag shop.audit",
        lost_at=now - 900_000,
    )

"""Three findings, one in each of three states."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from eldonia_ops.model.security import Finding, FindingStatus, SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.report import report
from eldonia_ops.services.api import (
    NotFoundError,
)
from fake_platform.times import HOUR, MINUTE


class FakeSecurity:
    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self.taken: list[SecurityEvent] = []
        now = clock()
        evidence = tuple(
            {
                "at": now - (20 - i) * 30_000,
                "type": "failed_login",
                "ip_address": "198.51.100.7",
                "user_id": f"user-{i}",
                "details": {"path": "/sign-in"},
            }
            for i in range(8)
        )
        self.stored = {
            "f-1": Finding("f-1", SecurityEventType.BRUTE_FORCE_ATTEMPT, SecuritySeverity.HIGH, "198.51.100.7", "shop",
                           FindingStatus.OPEN, now - 10 * MINUTE, now - MINUTE, 42, 10, 5 * MINUTE, evidence),
            "f-2": Finding("f-2", SecurityEventType.SQL_INJECTION_ATTEMPT, SecuritySeverity.CRITICAL, "203.0.113.99",
                           "gateway", FindingStatus.INVESTIGATING, now - 3 * HOUR, now - 3 * HOUR + 4000, 3, 1, 0,
                           ({"at": now - 3 * HOUR, "details": {"query": "q=' OR 1=1 --"}},), "sato",
                           "WAF rule 12 added"),
            "f-3": Finding("f-3", SecurityEventType.SUSPICIOUS_ACTIVITY, SecuritySeverity.LOW, "user-17", "shop",
                           FindingStatus.FALSE_POSITIVE, now - 30 * HOUR, now - 30 * HOUR, 5, 5, HOUR, (), "okafor",
                           "load test"),
        }  # fmt: skip

    async def take(self, events: Sequence[SecurityEvent]) -> None:
        self.taken += events

    async def find(self, *, statuses: Sequence[FindingStatus] = (), limit: int = 100) -> list[Finding]:
        return [one for one in self.stored.values() if not statuses or one.status in statuses][:limit]

    async def get(self, id: str) -> Finding:
        if id not in self.stored:
            raise NotFoundError(f"no such finding: {id}")
        return self.stored[id]

    async def change_status(self, id: str, actor: str, status: FindingStatus, note: str = "") -> Finding:
        found = await self.get(id)
        self.stored[id] = replace(found, status=status, changed_by=actor, note=note, updated_at=self._now())
        return self.stored[id]

    async def report(self, since_ms: int) -> dict[str, Any]:
        chosen = [one for one in self.stored.values() if one.opened_at >= since_ms]
        return report(chosen)

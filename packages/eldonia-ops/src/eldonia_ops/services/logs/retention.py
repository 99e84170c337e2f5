"""Deletes log records by the rules of ``retention.log_rules``, and frees the room that they took.

``retention.logs`` counts besides: a rule cannot keep a record for longer.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eldonia_ops.model.audit import FieldChange
from eldonia_ops.ports import Clock, LogStore
from eldonia_ops.search import Node, parse_search
from eldonia_ops.services.api.log_care import RetentionView
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.retention_plan import DAY_NS, Due, due
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.settings.log_retention import LogRetentionRule

log = logging.getLogger("eldonia_ops.log_retention")

FIRST_MS: Final = 600_000
EVERY_MS: Final = 3_600_000


@dataclass(slots=True)
class _Done:
    records: int = 0
    bytes: int = 0
    at: int = 0


class LogRetention:
    """Looks once an hour, the first time ten minutes after the start."""

    def __init__(
        self,
        clock: Clock,
        logs: LogStore,
        audit: AuditLog,
        rules: Sequence[LogRetentionRule],
        loops: Loops | None = None,
    ) -> None:
        self._clock = clock
        self._logs = logs
        self._audit = audit
        self._rules = tuple(rules)
        self._loops = loops
        self._done: dict[str, _Done] = {}
        self._lock = asyncio.Lock()

    def configure(self, rules: Sequence[LogRetentionRule]) -> None:
        """Go on by other rules."""
        self._rules = tuple(rules)
        names = {rule.name for rule in rules}
        self._done = {name: done for name, done in self._done.items() if name in names}

    @property
    def deleted(self) -> dict[str, int]:
        """Records that each rule deleted since the start."""
        return {rule.name: self._of(rule).records for rule in self._rules}

    async def views(self) -> list[RetentionView]:
        """Every rule with what it would delete now; nothing is deleted."""
        return [_view(rule, await self._due(rule), self._of(rule)) for rule in self._rules]

    async def run(self) -> None:
        """Delete until cancelled."""
        await self._clock.sleep_until(self._clock.now() + FIRST_MS)
        await supervise("log retention", self._clock, self._turn, self._loops)

    async def apply(self, actor_id: str = "platform", actor: str = "retention") -> int:
        """Delete what is due, day by day; how many records.

        Raises:
            TelemetryError: some of it is left, or its room is not free yet.
        """
        async with self._lock:
            total = 0
            for rule in self._rules:
                total += await self._apply(rule, actor_id, actor)
            # Also what an earlier run deleted and was killed before it was written anew.
            if self._rules:
                await self._logs.rewrite_deleted()
            return total

    async def _turn(self) -> None:
        await self.apply()
        await self._clock.sleep_until(self._clock.now() + EVERY_MS)

    async def _apply(self, rule: LogRetentionRule, actor_id: str, actor: str) -> int:
        found = await self._due(rule)
        done = self._done.setdefault(rule.name, _Done())
        done.at = self._clock.now()
        if not found.due_records:
            return 0
        search = _search(rule)
        # From the oldest on, so that each statement has one day to look at.
        begin = found.oldest_ns // DAY_NS * DAY_NS
        while begin < found.until_ns:
            end = min(begin + DAY_NS, found.until_ns)
            await self._logs.delete_found(search, begin, end)
            begin = end
        done.records += found.due_records
        done.bytes += found.due_bytes
        before = datetime.fromtimestamp(found.until_ns / 1e9, UTC).isoformat(timespec="minutes")
        log.info("the rule %s deleted %d records before %s", rule.name, found.due_records, before)
        await self._audit.record(
            done.at,
            actor_id=actor_id,
            actor=actor,
            method="platform",
            address="",
            kind="log_retention",
            subject=rule.name,
            title=rule.name,
            action="deleted",
            changes=(FieldChange("records", found.due_records, None), FieldChange("before", None, before)),
        )
        return found.due_records

    async def _due(self, rule: LogRetentionRule) -> Due:
        return due(rule, await self._logs.log_sizes(_search(rule)), self._clock.now())

    def _of(self, rule: LogRetentionRule) -> _Done:
        return self._done.get(rule.name, _Done())


def _search(rule: LogRetentionRule) -> Node:
    return parse_search(rule.search)


def _view(rule: LogRetentionRule, found: Due, done: _Done) -> RetentionView:
    return RetentionView(
        name=rule.name,
        search=rule.search,
        keep_ms=rule.keep,
        max_size=rule.max_size,
        records=found.records,
        bytes=found.bytes,
        oldest_at=found.oldest_ns // 1_000_000,
        due_before=found.until_ns // 1_000_000,
        due_records=found.due_records,
        due_bytes=found.due_bytes,
        deleted_records=done.records,
        deleted_bytes=done.bytes,
        ran_at=done.at,
    )

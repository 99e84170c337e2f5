"""The simulated platform as most tests use it: with a shop's rules and routing, and one state store for all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from eldonia_ops import simulation
from eldonia_ops.simulation import (
    GONE,
    HOUR,
    MINUTE,
    SECOND,
    InlineThreads,
    Receivers,
    SteppedClock,
    alert,
    on_this_thread,
    security_record,
    unavailable,
)
from eldonia_ops.simulation.world import read_routing, read_rules, shipped_runbook
from eldonia_ops.storage.state import SqlStateStore, open_state_store
from eldonia_ops.storage.state.tables import metadata

__all__ = [
    "GONE",
    "HOUR",
    "MINUTE",
    "ROUTING",
    "RULES",
    "SECOND",
    "InlineThreads",
    "Receivers",
    "SteppedClock",
    "World",
    "alert",
    "open_world",
    "read_routing",
    "read_rules",
    "security_record",
    "shipped_runbook",
    "unavailable",
]

ROUTING = """
global: {slack_api_url: "http://slack.invalid/services/T/B/x"}
route:
  receiver: team
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - {matchers: ['severity="critical"'], receiver: pager, continue: true}
    - {matchers: ['severity=~".+"'], receiver: team}
receivers:
  - name: team
    slack_configs: [{channel: '#team', send_resolved: true}]
  - name: pager
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
  - name: infrastructure
    slack_configs: [{channel: '#infrastructure'}]
  - name: vendor
    slack_configs: [{channel: '#vendor'}]
  - name: management
    slack_configs: [{channel: '#management'}]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity="warning"']
    equal: [service]
"""

RULES = """
groups:
  - name: shop
    interval: 1m
    rules:
      - alert: HighErrorRate
        expr: errors > 5
        for: 5m
        labels: {severity: critical, service: shop}
        annotations: {summary: "errors at {{ $value }}"}
"""


class World(simulation.World):
    """With the rules and the routing above, where a test names no others."""

    def __init__(self, state: SqlStateStore, *, rules: str = RULES, routing: str = ROUTING, **options: Any) -> None:
        super().__init__(state, rules=rules, routing=routing, **options)


_opened: list[SqlStateStore] = []


@contextlib.asynccontextmanager
async def open_world(**settings: Any) -> AsyncIterator[World]:
    """A world that has not been started."""
    threads = InlineThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    if not _opened:
        _opened.append(await open_state_store("sqlite://"))
    # One store serves all tests of a process, one after the other: to migrate it takes longer than most of them.
    state = _opened[0]
    on_this_thread(state, threads)
    world = World(state, **settings)
    try:
        yield world
    finally:
        await world.close()
        with state._backend.writer.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())

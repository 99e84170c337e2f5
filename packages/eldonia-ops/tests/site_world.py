"""A site, its database and what depends on it, watched by the shipped rules on a clock that is moved by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from service_world import SECOND, InlineThreads, World, on_this_thread

from eldonia_ops.app.loader import load_configuration
from eldonia_ops.storage.state import open_state_store

SETTINGS = """
alertmanager: {file: alertmanager.yml}
host: {enabled: false}
probes:
  - {name: site, url: 'http://127.0.0.1:8080/'}
objectives:
  - {name: site-availability, service: site, target: 99.9, probe: site}
services:
  - {name: shop, depends_on: [database]}
  - {name: mail, depends_on: [database]}
  - {name: reports, depends_on: [database]}
  - {name: database}
rules: {evaluation_interval: 30s}
"""

ROUTING = """
global: {slack_api_url: "http://slack.invalid/services/T/B/x"}
route:
  receiver: team
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
  routes:
    - {matchers: ['severity="critical"'], receiver: pager}
receivers:
  - name: team
    slack_configs: [{channel: '#team', send_resolved: true}]
  - name: pager
    pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef}]
"""


@contextlib.asynccontextmanager
async def world_of(folder: Path, settings: str = SETTINGS) -> AsyncIterator[World]:
    (folder / "alertmanager.yml").write_text(ROUTING)
    (folder / "eldonia-ops.yml").write_text(settings)
    configuration = load_configuration(folder / "eldonia-ops.yml", {})
    threads = InlineThreads()
    asyncio.get_running_loop().set_default_executor(threads)
    state = await open_state_store("sqlite://")
    on_this_thread(state, threads)
    world = World(state, rules="", routing=ROUTING, configuration=configuration)
    world.scrape_every = 30 * SECOND
    try:
        await world.start()
        yield world
    finally:
        await world.close()
        await state.close()


def site(world: World, answers: bool) -> None:
    """nginx, as its own status page and a probe see it."""
    labels = {"job": "nginx", "instance": "localhost:8080"}
    world.measure("up", float(answers), **labels)
    world.measure("probe_success", float(answers), job="probe", probe="site", instance="http://127.0.0.1:8080/")

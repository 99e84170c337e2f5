"""From an accepted alert to its arrival at a receiver: the whole road, over a real platform.

Each alert is a group of its own without a group wait, opens an incident, is queued in the transaction
that accepts it, and is delivered as a webhook to a receiver on loopback in this same process.
"""

import asyncio
import contextlib
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Row, Spread, Table, latencies
from eldonia_ops.app.loader import configuration_of
from eldonia_ops.app.platform import RunningPlatform, running_platform
from eldonia_ops.collectors.host.config import HostSettings
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.settings import Settings, load_settings

TITLE = "Alert to receiver"

_ROUTING = """
route: {{receiver: team, group_by: ['...'], group_wait: 0s, group_interval: 5m, repeat_interval: 4h}}
receivers:
  - name: team
    webhook_configs: [{{url: 'http://127.0.0.1:{port}/hook'}}]
"""


def run(quick: bool) -> list[Table]:
    """Milliseconds, median and 95th percentile."""
    with tempfile.TemporaryDirectory() as name:
        return [asyncio.run(_measure(Path(name), 5 if quick else 200))]


async def _measure(folder: Path, count: int) -> Table:
    arrived: dict[str, float] = {}
    news = asyncio.Event()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                at = time.perf_counter()
                for alert in body["alerts"]:
                    arrived.setdefault(alert["labels"]["alertname"], at)
                news.set()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()

    async def wait_for(names: list[str]) -> None:
        async with asyncio.timeout(120):
            while not all(name in arrived for name in names):
                news.clear()
                await news.wait()

    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    routing = folder / "alertmanager.yml"
    routing.write_text(_ROUTING.format(port=receiver.sockets[0].getsockname()[1]))
    whole: list[float] = []
    from_commit: list[float] = []
    async with receiver, running_platform(configuration_of(_settings(folder, routing), {}), {}) as platform:
        await _one(platform, "warm-up")
        await wait_for(["warm-up"])
        for number in range(count):
            name = f"single-{number}"
            began = time.perf_counter()
            await _one(platform, name)
            committed = time.perf_counter()
            await wait_for([name])
            whole.append(arrived[name] - began)
            from_commit.append(max(0.0, arrived[name] - committed))
        names = [f"burst-{number}" for number in range(count)]
        began = time.perf_counter()
        await platform.alerts.receive([_alert(platform, name) for name in names])
        await wait_for(names)
        burst = [arrived[name] - began for name in names]
    rate = count / max(burst)
    return Table(
        TITLE,
        [
            *latencies("one alert, from its acceptance's commit to its arrival", from_commit),
            *latencies("one alert, from the call that hands it in", whole),
            *latencies(f"{count} alerts at once, each from the call", burst),
            Row(f"{count} alerts at once", Spread(rate, rate, rate), "notifications/s"),
        ],
        [
            f"{count} alerts one after the other, then {count} at once; each is critical, opens an incident and is a "
            "notification of its own",
            "while many alerts come at once their notifications go out at most twelve at a time to one integration",
            "state in SQLite, on disk with every commit; the platform's other loops run beside it",
        ],
    )


def _settings(folder: Path, routing: Path) -> Settings:
    settings = load_settings(None, {"HOME": str(folder)}).with_data(folder / "data")
    return replace(
        settings,
        collectors={**settings.collectors, "host": HostSettings(enabled=False)},
        alertmanager=replace(settings.alertmanager, file=routing),
    )


async def _one(platform: RunningPlatform, name: str) -> None:
    await platform.alerts.receive([_alert(platform, name)])


def _alert(platform: RunningPlatform, name: str) -> Alert:
    now = platform.now()
    labels = Labels({"alertname": name, "severity": "critical", "service": name})
    annotations = Labels({"summary": f"{name} is down", "description": "x" * 200})
    return Alert(labels, annotations, starts_at=now, ends_at=UNTIL_RESOLVED, updated_at=now)

"""The same alerts through a running Alertmanager and through our dispatcher: the same webhooks."""

import asyncio
import json
import socket
import time

import httpx
from required_tools import find_tool, requires_tool

from eldonia_ops.alerting.dispatch import AlertsReceived, DispatchState, DispatchTick, Notify, next_deadline, step
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.registry import built_in, notification_data
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config
from eldonia_ops.template.instant import Instant

ALERTMANAGER = find_tool("prometheus-alertmanager", "alertmanager") or ""
pytestmark = requires_tool("prometheus-alertmanager", "alertmanager")

CONFIG = """\
route:
  receiver: all
  group_by: [alertname, service]
  group_wait: 4s
  group_interval: 1s
  routes:
  - matchers: [severity="critical"]
    receiver: pager
    continue: true
  - matchers: ['service=~"pay|web"', 'severity!="info"']
    receiver: all
    group_by: ['...']
receivers:
- name: all
  webhook_configs: [{{url: '{url}/all'}}]
- name: pager
  webhook_configs: [{{url: '{url}/pager'}}]
inhibit_rules:
- source_matchers: [severity="critical"]
  target_matchers: [severity="warning"]
  equal: [service]
"""
ALERTS = [
    {"alertname": "Down", "severity": "critical", "service": "pay", "instance": "a"},
    {"alertname": "Down", "severity": "critical", "service": "pay", "instance": "b"},
    {"alertname": "Slow", "severity": "warning", "service": "pay"},
    {"alertname": "Slow", "severity": "warning", "service": "web"},
    {"alertname": "Note", "severity": "info", "service": "web"},
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def comparable(path, payload):
    alerts = [{**alert, "endsAt": alert["status"] == "resolved"} for alert in payload["alerts"]]
    return json.dumps({**payload, "path": path, "externalURL": "", "alerts": alerts}, sort_keys=True)


async def theirs(tmp_path):
    """What Alertmanager sends, once as much has come as we send: however busy the machine, no time is counted on
    beyond the seconds that the alerts have before their group waits no longer."""
    heard = []
    news = asyncio.Event()

    async def hear(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        )
        heard.append(comparable(head.split(" ")[1], json.loads(await reader.readexactly(length))))
        news.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def until(count):
        async with asyncio.timeout(60):
            while len(heard) < count:
                news.clear()
                await news.wait()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    file = tmp_path / "am.yml"
    file.write_text(CONFIG.format(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        ALERTMANAGER, f"--config.file={file}", f"--storage.path={tmp_path / 'data'}", "--cluster.listen-address=",
        f"--web.listen-address=127.0.0.1:{port}", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(100):
                try:
                    if (await client.get("/-/ready")).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
            # Whole seconds, so that both spell the time alike.
            started_at = int(time.time()) * 1_000
            begun, ended = ours(started_at)
            start = Instant(started_at).rfc3339()
            body = [
                {"labels": labels, "annotations": {"s": "x"}, "startsAt": start, "generatorURL": "http://g"}
                for labels in ALERTS
            ]
            (await client.post("/api/v2/alerts", json=body)).raise_for_status()
            await until(len(begun))
            for alert in body:
                alert["endsAt"] = Instant(started_at + 1).rfc3339()
            (await client.post("/api/v2/alerts", json=body)).raise_for_status()
            await until(len(begun) + len(ended))
    finally:
        process.terminate()
        await process.wait()
        server.close()
    return heard, begun + ended


def ours(started_at):
    """What we send about the alerts while they fire, and then about their end."""
    config = parse_alertmanager_config(CONFIG.format(url="http://x"), kinds=built_in())
    state, now, heard = DispatchState(config.routing), started_at, ([], [])

    def feed(event, heard):
        nonlocal state
        state, effects = step(state, event, now)
        for effect in effects:
            if isinstance(effect, Notify):
                integration = effect.notification.integration
                payload = built_in().render(
                    integration.config, notification_data(effect.notification), config.templates
                )
                heard.append(comparable(f"/{integration.receiver}", payload))

    def alerts(ends_at):
        return tuple(
            Alert(Labels(labels), Labels({"s": "x"}), starts_at=started_at, ends_at=ends_at, generator_url="http://g")
            for labels in ALERTS
        )

    for ends_at, said in zip((0, started_at + 1), heard, strict=True):
        feed(AlertsReceived(alerts(ends_at)), said)
        until = now + 4_700
        while (deadline := next_deadline(state)) is not None and deadline <= until:
            now = max(now, deadline)
            feed(DispatchTick(), said)
        now = until
    return heard


async def test_the_same_notifications(tmp_path):
    expected, said = await theirs(tmp_path)
    assert len(expected) >= 8
    assert sorted(said) == sorted(expected)

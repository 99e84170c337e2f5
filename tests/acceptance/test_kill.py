"""``kill -9`` of the platform at any moment, with notifications due and no receiver that takes them."""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from programs import eventually, free_port

SETTINGS = """
listen: 127.0.0.1:{port}
data: {folder}/data
host: {{enabled: false}}
rules: {{defaults: false, evaluation_interval: 1s, files: [{folder}/rules.yml]}}
alertmanager: {{file: {folder}/alertmanager.yml}}
logs: [{{path: {folder}/shop.log, service: shop}}]
"""

RULES = """
groups:
  - name: always
    interval: 1s
    rules:
      - {alert: RuleFires, expr: vector(1) > 0, for: 2s, labels: {severity: critical, service: rules}}
"""

ROUTING = """
global:
  slack_api_url: http://127.0.0.1:{receiver}/services/T000TEST/B000TEST/abcdefghijklmnopqrstuvwx
  pagerduty_url: http://127.0.0.1:{receiver}/v2/enqueue
route:
  receiver: team
  group_by: [alertname]
  group_wait: 500ms
  group_interval: 2s
  routes: [{{matchers: ['severity="critical"'], receiver: pager, continue: true}}, {{receiver: team}}]
receivers:
  - {{name: team, slack_configs: [{{channel: '#team', title: 'about {{{{ .GroupLabels.alertname }}}}'}}]}}
  - name: pager
    pagerduty_configs: [{{routing_key: 0123456789abcdef0123456789abcdef}}]
"""

ROUNDS = 5


class Actor(threading.Thread):
    """Sends alerts, acts on incidents and writes log lines without pause; remembers what was acknowledged."""

    def __init__(self, url: str, token: str, log: Path) -> None:
        super().__init__(daemon=True)
        self.alerts: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.lines = 0
        self._client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=5, trust_env=False
        )
        self._log = log
        self._over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            self._write_lines(5)
            name = f"Fault{number}"
            labels = {"alertname": name, "severity": "critical", "service": f"service-{number}"}
            end = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
            if self._accepted("/api/v2/alerts", [{"labels": labels, "endsAt": end}]):
                self.alerts.append(name)
            if self.alerts and number % 3 == 0:
                self._note(f"note {number}")
            self._over.wait(0.05)
        self._client.close()

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _write_lines(self, count: int) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            for _ in range(count):
                self.lines += 1
                at = datetime.now(UTC).isoformat(timespec="milliseconds")
                line = {"timestamp": at, "level": "info", "service": "shop", "message": f"line {self.lines} done"}
                file.write(json.dumps(line) + "\n")

    def _accepted(self, path: str, body: Any) -> bool:
        try:
            return self._client.post(path, json=body).is_success
        except httpx.HTTPError:
            return False

    def _note(self, text: str) -> None:
        try:
            found = self._client.get("/api/ops/v1/incidents", params={"limit": 5}).json()
            reference = found[-1]["reference"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError):
            return
        if self._accepted(f"/api/ops/v1/incidents/{reference}/notes", {"text": text}):
            self.notes.append((reference, text))


def test_kill_at_any_moment_loses_no_alert_no_incident_no_page_and_no_line(
    program: Callable[..., Any], tmp_path: Path
) -> None:
    port, receiver_port = free_port(), free_port()
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    print(f"seed of the moments of death: {seed}")
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(receiver=receiver_port))
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(SETTINGS.format(port=port, folder=tmp_path))
    platform = program("platform", "-m", "eldonia_ops", "serve", "--config", str(settings))
    receiver = program(
        "receiver", "-m", "shop.receiver", "--port", str(receiver_port), "--store", str(tmp_path / "received.jsonl")
    )
    receiver.start()
    url, far = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{receiver_port}"

    def ready() -> bool:
        return httpx.get(f"{url}/-/ready", timeout=2, trust_env=False, verify=False).is_success

    eventually(
        lambda: httpx.get(f"{far}/health", trust_env=False, verify=False).is_success, "the receiver", 15, receiver
    )
    away = {"fault": "unavailable", "count": 1_000_000}
    assert httpx.post(f"{far}/faults", json=away, trust_env=False, verify=False).is_success
    platform.start()
    eventually(ready, "the first start", 60, platform)
    token = (tmp_path / "data" / "admin.token").read_text().strip()
    ask = httpx.Client(
        base_url=f"{url}/api/ops/v1", headers={"Authorization": f"Bearer {token}"}, timeout=10, trust_env=False
    )
    actor = Actor(url, token, tmp_path / "shop.log")
    actor.start()

    def works(so_many: int, what: str) -> None:
        # However slow the machine is: a death with nothing to lose proves nothing.
        eventually(lambda: len(actor.alerts) > so_many, what, 60, platform)

    try:
        at_work = True
        for _ in range(ROUNDS):
            if at_work:
                works(len(actor.alerts), "another alert that is taken")
            time.sleep(chance.uniform(0.1, 2.5))
            platform.kill()
            platform.start()
            # Some deaths come while it is still starting.
            at_work = chance.random() < 0.7
            if at_work:
                eventually(ready, "ready again", 60, platform)
        eventually(ready, "ready at last", 60, platform)
        works(10, "more than ten alerts that are taken")
    finally:
        actor.stop()
    pages = [arrival for arrival in _received(far) if arrival["accepted"]]
    assert pages == [], "the receiver answered 503 all the time"

    # The receivers are back: everything that was acknowledged is notified, to each receiver.
    assert httpx.post(f"{far}/faults", json={"fault": "reset"}, trust_env=False, verify=False).is_success
    wanted = {*actor.alerts, "RuleFires"}

    def notified(kind: str) -> set[str]:
        taken = [item["body"] for item in _received(far) if item["accepted"] and item["kind"] == kind]
        return set(re.findall(r"Fault\d+|RuleFires", json.dumps(taken)))

    eventually(
        lambda: notified("slack") >= wanted and notified("pagerduty") >= wanted,
        "a message about every alert at both receivers",
        75,
        platform,
        receiver,
    )

    # Every alert has one incident, with its beginning on the timeline; every note that was taken is there.
    incidents = {item["reference"]: item for item in _all_incidents(ask)}
    timelines = {reference: ask.get(f"/incidents/{reference}").json()["timeline"] for reference in incidents}
    holders = Counter(
        entry["data"]["alertname"]
        for timeline in timelines.values()
        for entry in timeline
        if entry["kind"] == "alert.firing"
    )
    assert {name: holders[name] for name in wanted} == dict.fromkeys(wanted, 1)
    ordinals = sorted(int(reference.removeprefix("INC-")) for reference in incidents)
    assert ordinals == list(range(1, len(ordinals) + 1))
    for reference, text in actor.notes:
        assert any(text in entry["text"] for entry in timelines[reference]), (reference, text)
    for timeline in timelines.values():
        kinds = {entry["kind"] for entry in timeline}
        assert {"incident.opened", "notification.delivered"} <= kinds

    # Every line that was written is stored once.
    def stored() -> Counter[str]:
        return Counter(record["message"] for record in _all_logs(ask))

    lines = {f"line {number} done" for number in range(1, actor.lines + 1)}
    eventually(lambda: set(stored()) >= lines, "every log line", 60, platform)
    time.sleep(1)
    assert [item for item in stored().items() if item[1] > 1] == []
    assert platform.stop() == 0
    print(f"{len(wanted)} alerts, {len(actor.notes)} notes, {actor.lines} lines")


def _received(far: str) -> list[dict[str, Any]]:
    return httpx.get(f"{far}/received", timeout=5, trust_env=False, verify=False).json()["received"]


def _all_incidents(ask: httpx.Client) -> list[dict[str, Any]]:
    answer = ask.get("/incidents", params={"limit": 500})
    assert answer.is_success, answer.text
    return answer.json()


def _all_logs(ask: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        parameters = {"since": "-1h", "service": "shop", "limit": 1000, **({"before": cursor} if cursor else {})}
        page = ask.get("/logs", params=parameters).json()
        found += page["records"]
        if not page["more"]:
            return found
        cursor = page["records"][-1]["cursor"]

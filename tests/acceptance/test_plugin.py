"""The example of a plug-in, built and installed as its users do it, beside one that is broken."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from programs import eventually, free_port
from required_tools import requires_module

requires_module("hatchling")
EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin"
ROUTING = """
route:
  receiver: phone
  group_wait: 0s
  routes: [{{matchers: [service="billing"], receiver: hook}}]
receivers:
- name: phone
  ntfy_configs:
  - server: http://127.0.0.1:{port}/
    topic: our-alerts
    token_file: token
    priority: 4
  broken_configs: [{{anything: 1}}]
  raising_configs: [{{topic: t}}]
- name: hook
  webhook_configs: [{{url: 'http://127.0.0.1:{port}/hook'}}]
"""
SETTINGS = "listen: 127.0.0.1:{port}\ndata: {folder}/data\nalertmanager: {{file: alertmanager.yml}}\n"
RAISING = """
from eldonia_ops_example.ntfy import Ntfy
from dataclasses import dataclass

@dataclass(frozen=True, slots=True)
class Config:
    topic: str
    send_resolved: bool = True

class Raising(Ntfy):
    name = "raising"
    title = "Raising"
    config = Config
    templates = ""

    def read(self, section):
        return Config(section.string("topic"))

    def render(self, config, data, templates):
        raise RuntimeError("S3CRET")

    def render_message(self, config, message, templates):
        raise SystemExit("S3CRET")

    def notifier(self, config, client):
        return object()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH with the example, and two plug-ins that are no good."""
    folder = tmp_path_factory.mktemp("plugin")
    source, target = folder / "source", folder / "installed"
    shutil.copytree(EXAMPLE, source)
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*pip, "--target", str(target), str(source)], check=True, timeout=120)
    assert (target / "eldonia_ops_example-0.1.0.dist-info" / "entry_points.txt").is_file()
    for name, text, entry in (
        ("broken", "import a_module_that_does_not_exist\n", "broken = broken:Broken"),
        ("raising", RAISING, "raising = raising:Raising"),
    ):
        info = target / f"{name}-2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: eldonia-ops-{name}\nVersion: 2.0\n")
        (info / "entry_points.txt").write_text(f"[eldonia_ops.notifiers]\n{entry}\n")
        (target / f"{name}.py").write_text(text)
    return target


class Receiver(ThreadingHTTPServer):
    """Answers 503 to the first message for ntfy, and keeps all."""

    def __init__(self) -> None:
        self.received: list[tuple[str, str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_first = not any(path == "/" for path, _, _ in self.server.received)
        self.server.received.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(503 if self.path == "/" and is_first else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


def check(folder: Path, python_path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "eldonia_ops", "check", "alertmanager.yml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_check_knows_the_kind_and_names_what_is_broken(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(port=1))
    without = check(tmp_path, "")
    assert without.returncode == 1
    assert "unknown key 'ntfy_configs' in a receiver" in without.stdout
    found = check(tmp_path, str(installed))
    assert found.returncode == 0, found.stdout + found.stderr
    reason = "the plug-in eldonia-ops-broken 2.0 cannot be used: ModuleNotFoundError: No module named"
    assert found.stdout.count(reason) == 2
    assert f"broken_configs of receiver 'phone' cannot be used: {reason}" in found.stdout
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(port=1).replace("priority: 4", "priority: 9"))
    wrong = check(tmp_path, str(installed))
    assert wrong.returncode == 1
    assert "alertmanager.yml:12:15: error: priority must be at most 5, not '9'" in wrong.stdout


def test_alerts_are_delivered_by_it_and_the_broken_ones_stop_no_other(
    installed: Path,
    receiver: Receiver,
    program: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed))
    port = free_port()
    (tmp_path / "token").write_text("tk_S3CRET99\n")
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(port=receiver.server_address[1]))
    (tmp_path / "eldonia-ops.yml").write_text(SETTINGS.format(port=port, folder=tmp_path))
    platform = program("platform", "-m", "eldonia_ops", "serve", "--config", str(tmp_path / "eldonia-ops.yml"))
    platform.start()
    url = f"http://127.0.0.1:{port}"
    eventually(
        lambda: httpx.get(f"{url}/-/ready", timeout=2, trust_env=False, verify=False).is_success, "ready", 40, platform
    )
    token = (tmp_path / "data" / "admin.token").read_text().strip()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10, trust_env=False) as ask:
        end = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
        alerts = [
            {"labels": {"alertname": "Down", "service": service}, "annotations": {"summary": "it is"}, "endsAt": end}
            for service in ("shop", "billing")
        ]
        assert ask.post("/api/v2/alerts", json=alerts).is_success
        eventually(lambda: len(receiver.received) >= 3, "three messages", 40, platform)
        [first, again] = [one for one in receiver.received if one[0] == "/"]
        assert first == again
        _, authorization, body = first
        assert authorization == "Bearer tk_S3CRET99"
        assert body == {
            "topic": "our-alerts",
            "title": "[FIRING:1] it is",
            "message": "it is",
            "priority": 4,
            "tags": ["rotating_light"],
        }
        [hook] = [one for one in receiver.received if one[0] == "/hook"]
        assert hook[2]["commonLabels"]["service"] == "billing"

        integrations = {one["kind"]: one for one in ask.get("/api/ops/v1/alerts/integrations").json()}
        assert (integrations["ntfy"]["title"], integrations["ntfy"]["obstacle"]) == ("ntfy", "")
        assert "the plug-in eldonia-ops-broken 2.0 cannot be used" in integrations["broken"]["obstacle"]

        def outcomes() -> dict[str, Any]:
            rows = ask.get("/api/ops/v1/notifications").json()
            found = {row["integration"]: row for row in rows if row["purpose"] == "alert"}
            return found if all(row["status"] != "pending" for row in found.values()) else {}

        rows = eventually(outcomes, "every outcome", 20, platform)
    assert {kind: row["status"] for kind, row in rows.items()} == {
        "ntfy": "delivered",
        "webhook": "delivered",
        "broken": "failed",
        "raising": "failed",
    }
    assert (rows["ntfy"]["subject"], rows["ntfy"]["attempts"]) == ("[FIRING:1] it is", 2)
    assert "No module named" in rows["broken"]["last_error"]
    assert rows["raising"]["last_error"] == "the message cannot be rendered: RuntimeError"
    said = platform.said()
    assert "the plug-in eldonia-ops-broken 2.0 cannot be used" in said
    assert "S3CRET99" not in said
    assert platform.stop() == 0

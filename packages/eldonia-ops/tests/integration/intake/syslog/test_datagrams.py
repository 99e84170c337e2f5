"""Syslog over UDP on a running platform: logger, Python's handler, a burst, and what is dropped is counted."""

import contextlib
import json
import logging
import logging.handlers
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import yaml
from local_server import free_port
from required_tools import requires_tool, tool
from serving import Serving, serving

BURST = 20_000


def stored(platform: Serving, count: int, **query: str) -> list[dict[str, Any]]:
    until = time.monotonic() + 30
    while True:
        with platform.client() as http:
            answer = http.get("/api/ops/v1/logs/export.ndjson", params={"since": "-400d", **query})
        found = [json.loads(line) for line in answer.text.splitlines()]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.2)


@requires_tool("logger")
def test_datagrams_are_messages(tmp_path: Path) -> None:
    port = free_port()
    settings = {"rules": {"defaults": False}, "listeners": {"syslog": {"port": port, "anonymous": "ingest"}}}
    with serving(tmp_path, settings) as platform:
        to = [tool("logger"), "--server", "127.0.0.1", "--port", str(port), "--udp", "--tag", "udp-shop"]
        subprocess.run([*to, "--priority", "user.err", "in the new form"], check=True)
        subprocess.run([*to, "--priority", "user.warning", "--rfc3164", "in the old form"], check=True)
        found = {one["message"]: one for one in stored(platform, 2, service="udp-shop")}
        assert {message: one["level"] for message, one in found.items()} == {
            "in the new form": "error",
            "in the old form": "warn",
        }
        assert {one["source"] for one in found.values()} == {"syslog (127.0.0.1)"}

        handler = logging.handlers.SysLogHandler(("127.0.0.1", port))
        for number in range(500):
            handler.emit(logging.makeLogRecord({"msg": f"number {number}", "levelno": 20, "levelname": "INFO"}))
        handler.close()
        assert len(stored(platform, 500, q="number")) == 500

        # A burst: each is stored, or dropped and counted.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            for number in range(BURST):
                one.sendto(b"<14>Nov 30 01:02:03 host burst: event %d" % number, ("127.0.0.1", port))
                if number % 500 == 0:
                    one.sendto(b"<14>Nov 30 01:02:03 host burst: \xff\x00\xfe" + b"x" * 9_000, ("127.0.0.1", port))
        until = time.monotonic() + 60
        kept = dropped = 0
        text = ""
        while kept + dropped < BURST and time.monotonic() < until:
            time.sleep(0.5)
            with platform.client() as http:
                refusals = http.get("/api/ops/v1/refusals").json()
            text = json.dumps(refusals)
            dropped = sum(one["count"] for one in refusals if one["source"] == "syslog (datagrams)")
            kept = len(stored(platform, 0, service="burst", q="event"))
        assert BURST <= kept + dropped <= BURST + BURST // 500, (kept, text)
        assert kept > BURST / 10


def test_only_the_networks_of_the_settings_may_send(tmp_path: Path) -> None:
    port = free_port()
    listener = {"port": port, "udp_from": ["192.0.2.0/24"]}
    with serving(tmp_path, {"rules": {"defaults": False}, "listeners": {"syslog": listener}}) as platform:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"<13>Nov 30 01:02:03 host app: no", ("127.0.0.1", port))
        time.sleep(0.5)
        assert stored(platform, 0, service="app") == []
        listener["udp_from"] = ["127.0.0.0/8"]
        file = platform.folder / "eldonia-ops.yml"
        settings = yaml.safe_load(file.read_text())
        settings["listeners"]["syslog"] = listener
        file.write_text(yaml.safe_dump(settings))
        with platform.client() as http:
            assert http.post("/api/ops/v1/reload").json()["successful"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"<13>Nov 30 01:02:03 host app: yes", ("127.0.0.1", port))
        assert [one["message"] for one in stored(platform, 1, service="app")] == ["yes"]
        # Over TCP no one is let in: who sends proves nothing there.
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.settimeout(5)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""

"""Starts the shop's processes on free ports and stops them."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from pytest_socket import enable_socket

_source = Path(__file__).parents[3] / "packages/eldonia-ops/tests/postgresql.py"
_spec = importlib.util.spec_from_file_location("shop_tests_postgresql", _source)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)
postgresql_server, postgresql_url = _module.postgresql_server, _module.postgresql_url


@pytest.fixture(autouse=True)
def _sockets() -> None:
    enable_socket()


class Process:
    """One of the shop's processes; ``url`` once it listens."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ELDONIA_", "SHOP_"))}
        self._popen = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, **(env or {})},
        )
        assert self._popen.stdout is not None
        self.first_line = self._popen.stdout.readline()
        self.url = self.first_line.rpartition("listening on ")[2].strip()

    def get(self, path: str, **more: object) -> httpx.Response:
        return self._ask("GET", path, more)

    def post(self, path: str, **more: object) -> httpx.Response:
        return self._ask("POST", path, more)

    def _ask(self, method: str, path: str, more: dict[str, object]) -> httpx.Response:
        # Without verify every request would read the certificates of all authorities first.
        url = self.url + path
        return httpx.request(method, url, timeout=10, trust_env=False, verify=False, **more)  # type: ignore[arg-type]

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Signal, wait, and return exit code and what was left on its output."""
        if self._popen.poll() is None:
            self._popen.send_signal(number)
        rest, _ = self._popen.communicate(timeout=10)
        return self._popen.returncode, rest

    def wait(self, seconds: float) -> tuple[int, str]:
        rest, _ = self._popen.communicate(timeout=seconds)
        return self._popen.returncode, rest

    def metric(self, sample: str) -> float:
        for line in self.get("/metrics").text.splitlines():
            if line.startswith(sample + " "):
                return float(line.rpartition(" ")[2])
        return 0.0


class Starter:
    def __init__(self) -> None:
        self._started: list[Process] = []

    def __call__(self, *arguments: str, env: dict[str, str] | None = None) -> Process:
        process = Process(*arguments, env=env)
        self._started.append(process)
        return process

    def stop(self) -> None:
        for process in self._started:
            process.stop(signal.SIGKILL)


@pytest.fixture
def start() -> Iterator[Starter]:
    starter = Starter()
    yield starter
    starter.stop()


@pytest.fixture
def gateway(start: Starter) -> Process:
    return start("shop.gateway", "--port", "0")


class Collector:
    """Takes OTLP/JSON as a backend would."""

    def __init__(self) -> None:
        self.spans: list[dict] = []
        self.authorizations: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                collector.authorizations.add(self.headers.get("authorization", ""))
                for resource in body["resourceSpans"]:
                    for scope in resource["scopeSpans"]:
                        collector.spans += scope["spans"]
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, name: str, seconds: float = 8) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for span in list(self.spans):
                if span["name"] == name:
                    return span
            time.sleep(0.05)
        raise AssertionError(f"no span {name}; there are {sorted({s['name'] for s in self.spans})}")


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


class Shop:
    """A running shop with its files."""

    def __init__(self, start: Starter, gateway: Process, folder: Path, *more: str, env: dict[str, str]) -> None:
        self.folder = folder
        self._start = lambda: start(
            "shop",
            *("--port", "0", "--data-dir", str(folder), "--log-dir", str(folder / "logs"), "--gateway", gateway.url),
            *more,
            env=env,
        )
        self.process = self._start()

    def restart(self) -> None:
        self.process = self._start()

    def records(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "logs" / "combined.log").read_text().splitlines()]

    def sign_in(self, name: str = "sakura") -> dict[str, str]:
        answer = self.process.post(
            "/session", json={"email": f"{name}@example.com", "password": "correct horse battery staple"}
        )
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
def shop(start: Starter, gateway: Process, collector: Collector, tmp_path: Path) -> Shop:
    return Shop(
        start,
        gateway,
        tmp_path,
        *("--allow-faults", "--otlp-endpoint", collector.url),
        env={"ELDONIA_INGEST_TOKEN": "ingest-secret"},
    )

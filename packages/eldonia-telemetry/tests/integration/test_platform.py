"""From a logger to a search in the platform, over OTLP alone."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from required_tools import requires_module

from eldonia_telemetry import bind, get_logger, payments, runtime, traces
from eldonia_telemetry.settings import Settings

requires_module("eldonia_ops")


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Address and admin token of a platform of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {name: value for name, value in os.environ.items() if not name.startswith("ELDONIA_")}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "eldonia_ops", "serve"),
                *("--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{port}"),
            ],
            cwd=tmp_path,
            stdout=out,
            stderr=out,
            env=env,
        )
    try:
        deadline = time.monotonic() + 90
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, (tmp_path / "out").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", (tmp_path / "data" / "admin.token").read_text().strip()
    finally:
        process.terminate()
        process.wait(30)


def test_a_record_and_a_metric_are_found_in_the_platform(platform, tmp_path):
    url, token = platform
    settings = Settings(
        service="sdk-test",
        otlp_endpoint=url,
        otlp_metrics=True,
        ingest_token=token,
        console=False,
        spill_dir=str(tmp_path / "spill"),
    )
    new = runtime.build(settings)
    before = runtime.replace(new)
    try:
        payments.failed()
        with bind(user_id=7, request_id="r-1", ip_address="192.0.2.7"), traces.span("checkout") as span:
            get_logger(component="orders").error(
                "needle: payment failed", exception=ValueError("no money"), operation="pay", card=4242424242424242
            )
        assert new.flush(20)
        command = [sys.executable, "-m", "eldonia_ops", "query", "--url", url]
        asked = 'count by (job, status) (payment_requests_total{status="error"} > 0)'
        env = {**os.environ, "ELDONIA_OPS_TOKEN": token}
        done = subprocess.run([*command, asked], check=True, capture_output=True, text=True, env=env)
        assert '{job="sdk-test", status="error"}' in done.stdout
    finally:
        runtime.replace(before)
        new.close()
    command = [sys.executable, "-m", "eldonia_ops", "logs", "--json", "--url", url, "needle"]
    deadline = time.monotonic() + 20
    rows: list[str] = []
    while not rows and time.monotonic() < deadline:
        env = {**os.environ, "ELDONIA_OPS_TOKEN": token}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
        rows = done.stdout.splitlines()
    (record,) = map(json.loads, rows)
    assert record["message"] == "needle: payment failed"
    assert (record["level"], record["service"], record["component"]) == ("error", "sdk-test", "orders")
    assert (record["userId"], record["requestId"], record["operation"]) == ("7", "r-1", "pay")
    assert record["ipAddress"] == "192.0.2.7"
    assert (record["traceId"], record["spanId"]) == (span.trace_id, span.span_id)
    assert (record["error"]["name"], record["error"]["message"]) == ("ValueError", "no money")
    assert record["metadata"]["card"] == "[REDACTED]"

"""Debian's nginx, read as its exporter reads it."""

import re

import httpx
import pytest
from collector_loops import Rows, loop_of, plans_of, settings_of
from local_server import free_port, running_server
from required_tools import find_tool, requires_tool

from eldonia_ops.collectors.nginx import COLLECTOR
from eldonia_ops.collectors.status import TargetHealth

pytestmark = requires_tool("nginx")

CONFIGURATION = """
daemon off; master_process off; worker_processes 1;
pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location = /status {{ stub_status; }}
    location = /guarded {{ if ($http_x_key != "sesame") {{ return 403; }} stub_status; }}
    location / {{ return 200 "hello"; }}
  }}
}}
"""


@pytest.fixture
def nginx(tmp_path):
    """The port of a server, and a function that stops it."""
    port = free_port()
    (tmp_path / "conf").write_text(CONFIGURATION.format(folder=tmp_path, port=port))
    # Its default for the log lies in /var/log.
    command = [find_tool("nginx"), "-p", tmp_path, "-c", tmp_path / "conf", "-e", tmp_path / "log"]
    with running_server(command, port) as stop:
        yield port, stop


def collector_of(text):
    sink = Rows()
    [plan] = plans_of(COLLECTOR, settings_of(text))
    return loop_of(plan, sink.store), sink


async def test_connections_and_requests_are_counted(nginx):
    port, _ = nginx
    loop, sink = collector_of(f"nginx: [{{url: 'http://127.0.0.1:{port}/status'}}]")
    await loop.measure_once(1_000)
    before = sink.values()
    assert (before["up",], before["nginx_up",]) == (1.0, 1.0)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(5):
            await client.get(f"http://127.0.0.1:{port}/")
        await loop.measure_once(2_000)
        after = sink.values()
        assert after["nginx_http_requests_total",] - before["nginx_http_requests_total",] == 6
        assert after["nginx_connections_accepted",] - before["nginx_connections_accepted",] == 1
        assert after["nginx_connections_handled",] == after["nginx_connections_accepted",]
        assert after["nginx_connections_active",] == 2
        assert (after["nginx_connections_writing",], after["nginx_connections_waiting",]) == (1, 1)
    assert loop.status.health is TargetHealth.UP
    assert {labels["instance"] for labels in sink.collected[0].row.labels} == {f"127.0.0.1:{port}"}
    await loop.close()


@requires_tool("prometheus-nginx-exporter")
async def test_names_types_and_values_are_those_of_the_exporter(nginx):
    port, _ = nginx
    loop, sink = collector_of(f"nginx: [{{url: 'http://127.0.0.1:{port}/status'}}]")
    listen = free_port()
    exporter = [
        *(find_tool("prometheus-nginx-exporter"), f"-nginx.scrape-uri=http://127.0.0.1:{port}/status"),
        f"-web.listen-address=127.0.0.1:{listen}",
    ]
    with running_server(exporter, listen):
        async with httpx.AsyncClient(trust_env=False) as client:
            text = (await client.get(f"http://127.0.0.1:{listen}/metrics")).text
        await loop.measure_once(1_000)
    theirs = {(name,): float(value) for name, value in re.findall(r"^(nginx_\w+) (\S+)$", text, re.MULTILINE)}
    types = dict(re.findall(r"^# TYPE (nginx_\w+) (\w+)$", text, re.MULTILINE))
    ours = sink.values()
    assert ours.keys() == theirs.keys() | {("up",)}
    for gauge in ("nginx_up", "nginx_connections_reading", "nginx_connections_writing"):
        assert ours[gauge,] == theirs[gauge,]
    assert {one.name: one.type.value for one in sink.collected[0].metadata} == types
    await loop.close()


async def test_what_is_wrong_is_said(nginx):
    port, stop = nginx
    loop, sink = collector_of(f"nginx: [{{url: 'http://127.0.0.1:{port}/other'}}]")
    await loop.measure_once(1_000)
    assert loop.status.error == "the answer is not the page of stub_status: is the path right?"
    reason = f"reason={loop.status.error}"
    assert sink.values() == {("up",): 0.0, ("nginx_up",): 0.0, ("target_failure_info", reason): 1.0}
    await loop.close()

    guarded = f"nginx: [{{url: 'http://127.0.0.1:{port}/guarded'%s}}]"
    loop, _ = collector_of(guarded % "")
    await loop.measure_once(1_000)
    assert loop.status.error == "HTTP 403 Forbidden"
    await loop.close()
    loop, sink = collector_of(guarded % ", headers: {X-Key: sesame}")
    await loop.measure_once(1_000)
    assert (loop.status.error, sink.values()["nginx_up",]) == ("", 1.0)

    # A server that is gone ends the series; one that comes back is found again.
    stop()
    await loop.measure_once(2_000)
    assert loop.status.health is TargetHealth.DOWN
    assert loop.status.error
    assert sink.values()["nginx_up",] == 0.0
    await loop.close()

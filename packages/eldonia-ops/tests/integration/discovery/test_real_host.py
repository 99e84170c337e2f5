"""`eldonia-ops init` on a machine with nginx, PostgreSQL, Redis and node_exporter, and `serve` with what it wrote."""

import asyncio
import contextlib
import getpass
import os
import socket
import subprocess
import sys
import time

import httpx
import pytest
import yaml
from local_server import free_port, running_server
from required_tools import find_tool, requires_module, requires_tool

from eldonia_ops.discovery.services_of_host import containers

requires_module("psycopg")
requires_module("redis")
pytestmark = [requires_tool("nginx"), requires_tool("redis-server"), requires_tool("prometheus-node-exporter")]

NGINX = """
daemon off; master_process off; worker_processes 1;
pid {folder}/pid; error_log {folder}/log/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {folder}/log/access.log;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location = /nginx_status {{ stub_status; }}
    location / {{ return 200 "hello"; }}
  }}
}}
"""


@pytest.fixture
def host(tmp_path, postgresql_server):
    """Ports of the programs of this test, by their names."""
    (tmp_path / "log").mkdir()
    ports = {name: free_port() for name in ("nginx", "redis", "guarded", "node")}
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=ports["nginx"]))
    redis = [find_tool("redis-server"), "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path, "--port"]
    exporter = [find_tool("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.loadavg"]
    user = getpass.getuser()
    postgresql_server.execute(f'CREATE ROLE "{user}" LOGIN')
    postgresql_server.execute(f'GRANT pg_monitor TO "{user}"')
    with contextlib.ExitStack() as stack:
        stack.callback(postgresql_server.execute, f'DROP ROLE "{user}"')
        for command, port in (
            (
                [find_tool("nginx"), "-p", tmp_path, "-c", tmp_path / "nginx.conf", "-e", tmp_path / "log/error.log"],
                "nginx",
            ),
            ([*redis, str(ports["redis"])], "redis"),
            ([*redis, str(ports["guarded"]), "--requirepass", "sesame"], "guarded"),
            ([*exporter, f"--web.listen-address=127.0.0.1:{ports['node']}"], "node"),
        ):
            stack.enter_context(running_server(command, ports[port]))
        yield {**ports, "postgresql": postgresql_server.port}


@pytest.fixture
def command(tmp_path):
    """Runs `eldonia-ops` in a folder of its own, without a terminal."""
    folder = tmp_path / "here"
    folder.mkdir()
    environment = {**os.environ, "HOME": str(tmp_path), "COLUMNS": "100"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "eldonia_ops", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    run.folder, run.environment = folder, environment
    return run


def only_ours(text, host):
    """The file without what else runs on this machine."""
    ports = tuple(f":{port}" for port in host.values())
    found = yaml.safe_load(text)
    kept = {
        "host": found["host"],
        "scrape": [one for one in found["scrape"] if one["targets"][0].endswith(ports)],
        "probes": [one for one in found["probes"] if any(port in one["url"] for port in ports)],
    }
    for key in ("nginx", "redis"):
        kept[key] = [one for one in found[key] if any(port in one["url"] for port in ports)]
    kept["postgresql"] = [one for one in found["postgresql"] if str(host["postgresql"]) in one["dsn"]]
    kept["logs"] = [one for one in found["logs"] if "/nginx" in one["path"] or one["service"] == "nginx"]
    return kept


def test_what_it_writes_is_checked_served_and_collected_from_at_once(host, command, tmp_path):
    proposed = command("init", "--dry-run")
    assert proposed.returncode == 0, proposed.stderr
    assert not list(command.folder.iterdir())
    made = command("init", "--yes")
    assert made.returncode == 0, made.stderr
    file = command.folder / "eldonia-ops.yml"
    assert file.stat().st_mode & 0o077 == 0
    checked = command("check")
    assert checked.returncode == 0, checked.stdout

    found = only_ours(file.read_text(), host)
    assert found["host"] == {"enabled": False}
    assert [one["job"].partition("-")[0] for one in found["scrape"]] == ["node"]
    assert found["nginx"] == [{"url": f"http://127.0.0.1:{host['nginx']}/nginx_status"}]
    assert [one["url"] for one in found["redis"]] == [f"redis://127.0.0.1:{host['redis']}"]
    assert len(found["postgresql"]) == 1
    assert [one["url"] for one in found["probes"]] == [f"http://127.0.0.1:{host['nginx']}/"]
    assert str(tmp_path / "log") in str(found["logs"])
    assert f'#  - url: "redis://127.0.0.1:{host["guarded"]}"' in file.read_text()

    file.write_text(yaml.safe_dump({**found, "data": str(tmp_path / "data")}))
    httpx.get(f"http://127.0.0.1:{host['nginx']}/a-page-that-was-asked-for", trust_env=False)
    assert_collected(command, tmp_path, host)


def assert_collected(command, tmp_path, host):
    """Start the platform with the file, and wait until every target is up and a line of nginx' log is found."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "eldonia_ops", "serve", "--listen", f"127.0.0.1:{port}"],
        cwd=command.folder,
        env=command.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        targets, lines = [], []
        while time.monotonic() < until:
            time.sleep(0.3)
            with contextlib.suppress(OSError, httpx.HTTPError):
                token = (tmp_path / "data" / "admin.token").read_text().strip()
                with httpx.Client(
                    base_url=f"{url}/api/ops/v1", headers={"Authorization": f"Bearer {token}"}, trust_env=False
                ) as client:
                    targets = client.get("/targets").json()
                    lines = client.get("/logs", params={"q": "that-was-asked-for", "since": "-1h"}).json()["records"]
            up = {one["kind"] for one in targets if one["health"] == "up"}
            if lines and {"scrape", "tail", "probe", "nginx", "redis", "postgresql"} <= up:
                return
        pytest.fail(f"not collected: {targets} {lines}")
    finally:
        server.terminate()
        server.wait(30)


def test_a_file_that_is_there_is_never_replaced_without_being_asked(command):
    file = command.folder / "eldonia-ops.yml"
    file.write_text("language: ja\n")
    refused = command("init", "--yes")
    assert refused.returncode == 2
    assert "there is such a file already" in refused.stderr
    assert file.read_text() == "language: ja\n"
    unasked = command("init")
    assert unasked.returncode == 1
    assert "nothing was written" in unasked.stderr
    assert file.read_text() == "language: ja\n"
    forced = command("init", "--yes", "--force")
    assert forced.returncode == 0, forced.stderr
    assert (command.folder / "eldonia-ops.yml.old").read_text() == "language: ja\n"
    assert "proposed by" in file.read_text()


async def test_containers_are_read_from_docker_s_socket(tmp_path):
    """An engine needs rights that a test has not: its two answers are those of its documentation."""
    answers = {
        "/containers/json": b'[{"Id": "abc", "Names": ["/shop"], "Image": "shop:2", "Ports": [{"PrivatePort": 80, '
        b'"PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 81, "Type": "tcp"}]}]',
        "/containers/abc/json": b'{"HostConfig": {"LogConfig": {"Type": "json-file"}}, "LogPath": '
        b'"/var/lib/docker/containers/abc/abc-json.log"}',
    }

    async def answer(reader, writer):
        while line := await reader.readline():
            path = line.split()[1].decode()
            while (await reader.readline()).strip():
                pass
            body = answers[path]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()
        writer.close()

    path = tmp_path / "docker.sock"
    server = await asyncio.start_unix_server(answer, path)
    async with server:
        found, unseen = await containers(path)
    assert not unseen
    [one] = found
    assert (one.name, one.ports, one.log) == ("shop", (8080,), "/var/lib/docker/containers/abc/abc-json.log")


async def test_a_socket_that_nothing_answers_at_is_said(tmp_path):
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    found, unseen = await containers(path)
    assert found == []
    assert str(path) in unseen[0]

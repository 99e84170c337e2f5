"""The router alone as a process: Debian's amtool talks to it, and a webhook takes what it delivers."""

import asyncio
import contextlib
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest
from required_tools import requires_tool, tool

ROUTING = """
route: {{receiver: hook, group_by: [alertname], group_wait: 200ms, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: '{url}'}}]}}, {{name: other}}]
"""


class Webhook:
    """Takes notifications on a real socket."""

    def __init__(self) -> None:
        self.arrived: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    async def __aenter__(self) -> "Webhook":
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].split()[0])
                self.arrived.append(json.loads(await reader.readexactly(length)))
                self._news.set()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.arrived) < count:
                self._news.clear()
                await self._news.wait()

    def statuses(self) -> list[tuple[str, str]]:
        return [(one["status"], one["groupLabels"].get("alertname", "")) for one in self.arrived]


@dataclass(slots=True)
class Router:
    url: str
    process: asyncio.subprocess.Process
    log: Path
    amtool_options: list[str] = field(default_factory=list)

    async def amtool(self, *arguments: str, code: int = 0) -> str:
        process = await asyncio.create_subprocess_exec(
            tool("amtool"), f"--alertmanager.url={self.url}", *self.amtool_options, *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == code, (out, err)
        return out.decode() + (err.decode() if code else "")


def arguments(folder: Path, *more: str) -> list[str]:
    return [
        "-m", "eldonia_ops", "alertmanager", "--config.file", str(folder / "alertmanager.yml"), "--storage.path",
        str(folder / "data"), "--web.listen-address", "127.0.0.1:0", *more,
    ]  # fmt: skip


@contextlib.asynccontextmanager
async def routing(folder: Path, *more: str) -> AsyncIterator[Router]:
    log = folder / "log"
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments(folder, *more), stdout=asyncio.subprocess.PIPE, stderr=log.open("ab"), cwd=folder
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        yield Router(line.split()[-1], process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


@requires_tool("amtool")
async def test_amtool_posts_and_silences_and_the_webhook_hears_of_it(tmp_path: Path) -> None:
    async with Webhook() as hook:
        (tmp_path / "alertmanager.yml").write_text(ROUTING.format(url=hook.url))
        async with routing(tmp_path) as router:
            await router.amtool("alert", "add", "DiskFull", "severity=critical", "service=shop")
            await hook.wait_for(1)
            assert hook.statuses() == [("firing", "DiskFull")]
            assert hook.arrived[0]["alerts"][0]["labels"]["service"] == "shop"
            assert "DiskFull" in await router.amtool("alert", "query", "severity=critical")
            id = (
                await router.amtool("silence", "add", "-c", "quiet", "-a", "hana", "-d", "1h", "service=shop")
            ).strip()
            await router.amtool("alert", "add", "Slow", "service=shop")
            shown = json.loads(await router.amtool("-o", "json", "alert", "query", "--silenced"))
            assert {one["labels"]["alertname"]: one["status"]["silencedBy"] for one in shown} == {
                "DiskFull": [id], "Slow": [id],
            }  # fmt: skip
            await router.amtool("silence", "expire", id)
            assert await router.amtool("silence", "query", "-q") == ""
            await hook.wait_for(2)
            assert ("firing", "Slow") in hook.statuses()
            assert "group_wait: 200ms" in await router.amtool("config", "show")
            await router.amtool(
                "alert", "add", "DiskFull", "severity=critical", "service=shop", "--end=2020-01-01T00:00:00Z"
            )
        assert router.process.returncode == 0


async def test_what_it_knows_and_has_to_send_survives_a_kill(tmp_path: Path) -> None:
    async with Webhook() as hook:
        (tmp_path / "alertmanager.yml").write_text(ROUTING.format(url=hook.url))
        async with routing(tmp_path) as router, httpx.AsyncClient(base_url=router.url) as http:
            alerts = [{"labels": {"alertname": "First"}}]
            assert (await http.post("/api/v2/alerts", json=alerts)).status_code == 200
            await hook.wait_for(1)
            assert (await http.post("/api/v2/alerts", json=[{"labels": {"alertname": "Second"}}])).status_code == 200
            router.process.kill()
        async with routing(tmp_path) as router, httpx.AsyncClient(base_url=router.url) as http:
            await hook.wait_for(2)
            assert sorted(hook.statuses()) == [("firing", "First"), ("firing", "Second")]
            found = (await http.get("/api/v2/alerts")).json()
            assert {one["labels"]["alertname"] for one in found} == {"First", "Second"}
            groups = (await http.get("/api/v2/alerts/groups")).json()
            assert [one["receiver"]["name"] for one in groups] == ["hook", "hook"]


async def test_it_reloads_and_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    async with Webhook() as hook, Webhook() as other:
        file.write_text(ROUTING.format(url=hook.url))
        async with routing(tmp_path) as router, httpx.AsyncClient(base_url=router.url) as http:
            file.write_text(ROUTING.format(url=hook.url).replace("receiver: hook", "receiver: gone"))
            answer = await http.post("/-/reload")
            assert answer.status_code == 500
            assert answer.text.startswith("failed to reload config:\n")
            assert f"{file}:2:" in answer.text
            assert "receiver 'gone' is not defined" in answer.text
            assert "eldonia_ops_config_last_reload_successful 0" in (await http.get("/metrics")).text
            await http.post("/api/v2/alerts", json=[{"labels": {"alertname": "A"}}])
            await hook.wait_for(1)
            file.write_text(ROUTING.format(url=other.url))
            os.kill(router.process.pid, signal.SIGHUP)
            async with asyncio.timeout(20):
                while "last_reload_successful 1" not in (await http.get("/metrics")).text:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await http.post("/api/v2/alerts", json=[{"labels": {"alertname": "B"}}])
            await other.wait_for(1)
            assert (hook.statuses(), other.statuses()) == ([("firing", "A")], [("firing", "B")])
            assert (await http.post("/-/reload")).status_code == 200
            assert (await http.get("/-/ready")).status_code == 200
            assert (await http.get("/-/healthy")).status_code == 200
            assert (await http.get("/api/ops/v1/overview")).status_code == 404


async def test_pages_of_other_sites_change_nothing_and_other_names_reach_nothing(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    async with routing(tmp_path) as router, httpx.AsyncClient(base_url=router.url) as http:
        alerts = [{"labels": {"alertname": "A"}}]
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert (await http.post("/api/v2/alerts", json=alerts, headers=headers)).status_code == 403
            assert (await http.post("/-/reload", headers=headers)).status_code == 403
        assert (await http.get("/api/v2/alerts", headers={"Host": "evil.example"})).status_code == 421
        assert (await http.get("/api/v2/alerts")).json() == []
        own = {"Origin": router.url}
        assert (await http.post("/api/v2/alerts", json=alerts, headers=own)).status_code == 200


async def run_to_its_end(*given: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *given, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode, out.decode()


async def test_beyond_this_machine_it_needs_users(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    given = arguments(tmp_path)
    given[given.index("127.0.0.1:0")] = "0.0.0.0:0"
    code, out = await run_to_its_end(*given)
    assert code == 2
    assert "refusing to listen on 0.0.0.0:0: every client could silence alerts there" in out
    assert "--web.config.file" in out
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("basic_auth_users: {me: plain}\n", "is not a bcrypt hash"),
        ("basic_auth_user: {me: x}\n", "did you mean 'basic_auth_users'?"),
        ("tls_server_config: {cert_file: gone.pem, key_file: gone.key}\n", "the certificate cannot be used"),
    ],
)
async def test_a_bad_web_configuration_stops_a_start(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    (tmp_path / "web.yml").write_text(text)
    code, out = await run_to_its_end(*arguments(tmp_path, "--web.config.file", str(tmp_path / "web.yml")))
    assert code == 2
    assert said in out


@requires_tool("amtool")
@requires_tool("openssl")
async def test_users_show_a_password_over_tls(tmp_path: Path) -> None:
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: r}\nreceivers: [{name: r}]\n")
    hashed = bcrypt.hashpw(b"open: sesame", bcrypt.gensalt(4)).decode()
    made = await asyncio.create_subprocess_exec(
        tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key.pem"),
        "-out", str(tmp_path / "cert.pem"),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    (tmp_path / "web.yml").write_text(
        f"basic_auth_users: {{hana: '{hashed}'}}\ntls_server_config: {{cert_file: cert.pem, key_file: key.pem}}\n"
    )
    async with routing(tmp_path, "--web.config.file", str(tmp_path / "web.yml")) as router:
        assert router.url.startswith("https://")
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with httpx.AsyncClient(base_url=router.url, verify=trusted) as http:
            for path in ("/api/v2/alerts", "/-/ready", "/metrics", "/"):
                assert (await http.get(path)).status_code == 401
                assert (await http.get(path, auth=("hana", "wrong"))).status_code == 401
                assert (await http.get(path, auth=("nobody", "open: sesame"))).status_code == 401
                assert (await http.get(path, auth=("hana", "open: sesame"))).status_code == 200
            assert (await http.post("/-/reload")).status_code == 401
            assert (await http.post("/-/reload", auth=("hana", "open: sesame"))).status_code == 200
        options = tmp_path / "http.yml"
        options.write_text(
            "basic_auth: {username: hana, password: 'open: sesame'}\n"
            f"tls_config: {{ca_file: '{tmp_path}/cert.pem'}}\n"
        )
        router.amtool_options.append(f"--http.config.file={options}")
        await router.amtool("alert", "add", "DiskFull")
        assert "DiskFull" in await router.amtool("alert", "query")
        assert "sesame" not in router.log.read_text()

"""Listeners of a running process, with the tools that they are for: promtool, Prometheus, amtool, OTLP, Jaeger."""

import asyncio
import contextlib
import json
import logging.handlers
import os
import re
import signal
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from required_tools import requires_tool, tool

SETTINGS = "host: {enabled: false}\nrules: {defaults: false}\nalertmanager: {file: am.yml}\n"
ROUTING = "route: {receiver: r}\nreceivers: [{name: r}]\n"
ALL = "{prometheus: {port: 0}, alertmanager: {port: 0}, jaeger: {port: 0}, otlp_http: {port: 0}}"


@dataclass(slots=True)
class Served:
    folder: Path
    urls: dict[str, str]
    token: str
    process: asyncio.subprocess.Process

    def write(self, listeners: str, more: str = "") -> None:
        (self.folder / "eldonia-ops.yml").write_text(f"{SETTINGS}{more}listeners: {listeners}\n")

    def client(self, name: str = "main", token: str | None = None, **options: object) -> httpx.AsyncClient:
        """``token`` '' for none; without it the admin's."""
        shown = self.token if token is None else token
        headers = {"Authorization": f"Bearer {shown}"} if shown else {}
        return httpx.AsyncClient(base_url=self.urls[name], headers=headers, timeout=30, **options)  # type: ignore[arg-type]

    async def new_token(self, role: str) -> str:
        async with self.client() as http:
            return (await http.post("/api/ops/v1/tokens", json={"name": role, "role": role})).json()["secret"]

    async def reload(self, listeners: str, more: str = "") -> dict:
        """Reload by the main listener; notes the addresses that there are then."""
        self.write(listeners, more)
        async with self.client() as http:
            outcome = (await http.post("/api/ops/v1/reload")).json()
            views = (await http.get("/api/ops/v1/platform")).json()["listeners"]
        self.urls = {one["name"]: one["address"] for one in views}
        return outcome

    def log(self) -> str:
        return (self.folder / "log").read_text()


async def started(folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "eldonia_ops", "serve", "-c", str(folder / "eldonia-ops.yml"), "--data",
        str(folder / "data"), "--listen", "127.0.0.1:0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=(folder / "log").open("wb"),
        cwd=folder, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip


@contextlib.asynccontextmanager
async def serving(folder: Path, listeners: str, more: str = "") -> AsyncIterator[Served]:
    (folder / "am.yml").write_text(ROUTING)
    served = Served(folder, {}, "", None)  # type: ignore[arg-type]
    served.write(listeners, more)
    served.process = await started(folder)
    try:
        assert served.process.stdout is not None
        async with asyncio.timeout(60):
            served.urls["main"] = (await served.process.stdout.readline()).decode().split()[-1]
            while "token" not in (line := (await served.process.stdout.readline()).decode()):
                if line.strip().startswith("listener "):
                    _, name, _, url = line.split()
                    served.urls[name] = url
                assert line, served.log()
        served.token = (folder / "data" / "admin.token").read_text().strip()
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            served.process.terminate()
        await served.process.communicate()


async def ran(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        tool(program), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out, err)
    return out.decode()


async def until(found: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await found():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@requires_tool("promtool")
@requires_tool("prometheus")
async def test_promtool_asks_and_prometheus_writes_and_is_scraped_from(tmp_path: Path) -> None:
    async with serving(tmp_path, "{prometheus: {port: 0, anonymous: viewer}}") as served:
        url = served.urls["prometheus"]
        assert await ran("promtool", "query", "instant", url, "vector(7)")
        ingest, viewer = await served.new_token("ingest"), await served.new_token("viewer")
        (tmp_path / "prometheus.yml").write_text(
            "global: {scrape_interval: 200ms}\n"
            f"remote_write: [{{url: '{url}/api/v1/write', bearer_token: {ingest}}}]\n"
            "scrape_configs:\n"
            f"  - {{job_name: ops, bearer_token: {viewer}, static_configs: [{{targets: ['{url[7:]}']}}]}}\n"
        )
        prometheus = await asyncio.create_subprocess_exec(
            tool("prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
            "--web.listen-address=127.0.0.1:0", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with served.client("prometheus", token="") as http:

                async def arrived() -> bool:
                    given = {"query": 'up{job="ops"} == 1'}
                    return bool((await http.get("/api/v1/query", params=given)).json()["data"]["result"])

                await until(arrived)
                # As Grafana does: the form as POST, labels, and the version.
                asked = await http.post("/api/v1/query", data={"query": "count(up)"})
                assert asked.json()["data"]["result"][0]["value"][1] == "1"
                assert "job" in (await http.get("/api/v1/labels")).json()["data"]
                assert (await http.get("/api/v1/status/buildinfo")).status_code == 200
                assert (await http.get("/-/ready")).status_code == 200
                # What a token of a viewer may not do takes a token.
                assert (await http.post("/-/reload")).status_code == 401
                assert (await http.post("/api/v1/write")).status_code == 401
        finally:
            prometheus.terminate()
            await prometheus.wait()


@requires_tool("amtool")
async def test_amtool_works_at_the_port_of_alertmanager(tmp_path: Path) -> None:
    async with serving(tmp_path, "{alertmanager: {port: 0}}") as served:
        options = tmp_path / "http.yml"
        options.write_text(f"authorization: {{type: Bearer, credentials: {served.token}}}\n")

        async def amtool(*arguments: str) -> str:
            at = f"--alertmanager.url={served.urls['alertmanager']}"
            return await ran("amtool", at, f"--http.config.file={options}", *arguments)

        await amtool("alert", "add", "DiskFull", "severity=critical", "service=shop")
        id = (await amtool("silence", "add", "-c", "quiet", "-a", "hana", "-d", "1h", "service=shop")).strip()
        shown = json.loads(await amtool("-o", "json", "alert", "query", "--silenced"))
        assert [(one["labels"]["alertname"], one["status"]["silencedBy"]) for one in shown] == [("DiskFull", [id])]
        await amtool("silence", "expire", id)
        assert "receiver: r" in await amtool("config", "show")
        async with served.client("alertmanager", token="") as http:
            assert (await http.get("/-/ready")).status_code == 200
            assert (await http.get("/api/v2/alerts")).status_code == 401
        async with served.client("alertmanager") as http:
            assert (await http.post("/-/reload")).status_code == 200
            assert (await http.get("/api/v1/query", params={"query": "1"})).json() == "Not Found"


async def test_spans_come_in_at_the_port_of_otlp_and_are_found_at_that_of_jaeger(tmp_path: Path) -> None:
    now = time.time_ns()
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    span = resource.scope_spans.add().spans.add(
        trace_id=bytes(range(16)), span_id=bytes(range(8)), name="pay",
        start_time_unix_nano=now - 5_000_000, end_time_unix_nano=now,
    )  # fmt: skip
    span.attributes.add(key="cart").value.string_value = "c1"
    listeners = "{otlp_http: {port: 0, anonymous: ingest}, jaeger: {port: 0, anonymous: viewer}}"
    async with serving(tmp_path, listeners) as served:
        async with served.client("otlp_http", token="") as http:
            headers = {"Content-Type": "application/x-protobuf"}
            sent = await http.post("/v1/traces", content=request.SerializeToString(), headers=headers)
            assert (sent.status_code, sent.content) == (200, b"")
            assert (await http.post("/v1/traces", content=b"\xff", headers=headers)).status_code == 400
            assert (await http.get("/api/services")).status_code == 404
        async with served.client("jaeger", token="") as http:
            # The calls of Grafana's data source.
            assert (await http.get("/api/services")).json()["data"] == ["shop"]
            assert (await http.get("/api/services/shop/operations")).json()["data"] == ["pay"]
            given = {"service": "shop", "tags": '{"cart":"c1"}', "limit": "20", "lookback": "1h"}
            (found,) = (await http.get("/api/traces", params=given)).json()["data"]
            one = (await http.get(f"/api/traces/{found['traceID']}")).json()["data"][0]
            assert [each["operationName"] for each in one["spans"]] == ["pay"]
            assert (await http.post("/v1/traces")).status_code == 404
            assert (await http.get("/api/traces/ab")).json()["errors"][0]["code"] == 404


async def test_a_reload_opens_changes_and_closes_them(tmp_path: Path) -> None:
    async with serving(tmp_path, "{prometheus: {port: 0, anonymous: viewer}}") as served:
        first = served.urls["prometheus"]
        async with served.client("prometheus", token="") as kept:
            assert (await kept.get("/api/v1/labels")).status_code == 200
            # What is the same keeps its port and its connections.
            outcome = await served.reload("{prometheus: {port: 0, anonymous: viewer}, jaeger: {port: 0}}")
            assert (outcome["successful"], outcome["needs_restart"]) == (True, [])
            assert served.urls["prometheus"] == first
            async with served.client("jaeger") as http:
                assert (await http.get("/api/services")).status_code == 200
            # A connection that is open has what may be done without a token taken away at once.
            await served.reload("{prometheus: {port: 0}}")
            assert list(served.urls) == ["main", "prometheus"]
            assert (await kept.get("/api/v1/labels")).status_code == 401
        await served.reload("{}")
        assert list(served.urls) == ["main"]
        with contextlib.suppress(httpx.ConnectError):
            async with httpx.AsyncClient(base_url=first) as http:
                await http.get("/-/ready")
            raise AssertionError("the port is still open")
        # Two exchange their ports.
        ports = [free_port(), free_port()]
        for one, other in (ports, ports[::-1]):
            outcome = await served.reload(f"{{prometheus: {{port: {one}}}, jaeger: {{port: {other}}}}}")
            assert outcome["successful"], outcome
            for name, port in (("prometheus", one), ("jaeger", other)):
                assert served.urls[name].endswith(f":{port}")
                async with served.client(name) as http:
                    path = "/api/v1/labels" if name == "prometheus" else "/api/services"
                    assert (await http.get(path)).status_code == 200
        async with served.client() as http:
            text = (await http.get("/metrics")).text
            assert re.search(r'^eldonia_ops_listener_connections_total\{listener="jaeger"\} 3\.0$', text, re.MULTILINE)
    assert served.process.returncode == 0
    assert "Traceback" not in served.log()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


async def test_a_port_in_use_stops_a_start_and_makes_a_reload_change_nothing(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        (tmp_path / "am.yml").write_text(ROUTING)
        (tmp_path / "eldonia-ops.yml").write_text(
            f"{SETTINGS}listeners: {{otlp_http: {{port: 0}}, jaeger: {{port: {taken}}}}}\n"
        )
        process = await started(tmp_path)
        async with asyncio.timeout(60):
            assert await process.wait() == 2
        said = (tmp_path / "log").read_text()
        assert f"the listener jaeger cannot listen on 127.0.0.1:{taken}: Address already in use" in said
        assert "listeners.jaeger.port" in said
        assert not (tmp_path / "data").exists()

        async with serving(tmp_path, "{prometheus: {port: 0}}") as served:
            before = dict(served.urls)
            outcome = await served.reload(f"{{prometheus: {{port: {free_port()}}}, jaeger: {{port: {taken}}}}}")
            assert not outcome["successful"]
            assert "the listener jaeger cannot listen" in outcome["diagnostics"][0]["message"]
            assert served.urls == before
            async with served.client("prometheus") as http:
                assert (await http.get("/api/v1/labels")).status_code == 200


async def test_beyond_this_machine_it_needs_a_token_to_have_been_made(tmp_path: Path) -> None:
    (tmp_path / "am.yml").write_text(ROUTING)
    text = f"{SETTINGS}listeners: {{prometheus: {{address: 0.0.0.0, port: 0}}}}\n"
    (tmp_path / "eldonia-ops.yml").write_text(text)
    process = await started(tmp_path)
    async with asyncio.timeout(60):
        assert await process.wait() == 2
    assert (
        "refusing to listen on 0.0.0.0:0: there is no access token and no account yet" in (tmp_path / "log").read_text()
    )
    async with serving(tmp_path, "{}") as served:
        assert (await served.reload("{prometheus: {address: 0.0.0.0, port: 0}}"))["successful"]
        assert served.urls["prometheus"].startswith("http://0.0.0.0:")
        async with httpx.AsyncClient() as http:
            url = served.urls["prometheus"].replace("0.0.0.0", "127.0.0.1")
            assert (await http.get(f"{url}/api/v1/labels", headers={"Host": "any.example"})).status_code == 401


async def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """A certificate that vouches for itself, and what trusts it."""
    made = await asyncio.create_subprocess_exec(
        tool("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(folder / "key.pem"),
        "-out", str(folder / "cert.pem"), stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


@requires_tool("openssl")
async def test_a_listener_speaks_tls_and_a_renewed_certificate_takes_a_reload(tmp_path: Path) -> None:
    trusted = await certificate(tmp_path, "first")
    tls = "tls: {cert_file: cert.pem, key_file: key.pem}"
    async with serving(tmp_path, f"{{prometheus: {{port: 0, {tls}}}}}") as served:
        url = served.urls["prometheus"]
        assert url.startswith("https://")
        async with served.client("prometheus", verify=trusted) as http:
            assert (await http.get("/api/v1/labels")).status_code == 200
        renewed = await certificate(tmp_path, "second")
        assert (await served.reload(f"{{prometheus: {{port: 0, {tls}}}}}"))["successful"]
        assert served.urls["prometheus"] == url
        async with served.client("prometheus", verify=renewed) as http:
            assert (await http.get("/api/v1/labels")).status_code == 200
        (tmp_path / "key.pem").write_text("no key")
        outcome = await served.reload(f"{{prometheus: {{port: 0, {tls}}}}}")
        assert "the certificate cannot be used" in outcome["diagnostics"][0]["message"]
        async with served.client("prometheus", verify=renewed) as http:
            assert (await http.get("/api/v1/labels")).status_code == 200
        # A client without a certificate that was asked for is refused before it can ask anything.
        await certificate(tmp_path, "second")
        asked = "tls: {cert_file: cert.pem, key_file: key.pem, client_ca_file: cert.pem}"
        assert (await served.reload(f"{{prometheus: {{port: 0, {asked}}}}}"))["successful"]
        trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
        async with served.client("prometheus", verify=trusted) as http:
            try:
                await http.get("/api/v1/labels")
                raise AssertionError("it needs no certificate")
            except httpx.TransportError:
                pass
        trusted.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        async with served.client("prometheus", verify=trusted) as http:
            assert (await http.get("/api/v1/labels")).status_code == 200
            assert (await http.get("/api/v1/labels", headers={"Authorization": ""})).status_code == 401


@requires_tool("openssl")
async def test_an_address_that_stays_refuses_no_one_while_it_turns_to_tls(tmp_path: Path) -> None:
    trusted = await certificate(tmp_path, "any")
    async with serving(tmp_path, "{prometheus: {port: 0}}") as served:
        port = int(served.urls["prometheus"].rsplit(":", 1)[1])
        connected = 0
        over = False

        async def connect() -> None:
            nonlocal connected
            while not over:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                connected += 1
                await asyncio.sleep(0)

        connecting = asyncio.create_task(connect())
        tls = "tls: {cert_file: cert.pem, key_file: key.pem}"
        assert (await served.reload(f"{{prometheus: {{port: 0, {tls}}}}}"))["successful"]
        async with served.client("prometheus", verify=trusted) as http:
            assert (await http.get("/api/v1/labels")).status_code == 200
        assert (await served.reload("{prometheus: {port: 0}}"))["successful"]
        assert served.urls["prometheus"] == f"http://127.0.0.1:{port}"
        over = True
        await connecting
        assert connected
        outcome = await served.reload(f"{{prometheus: {{port: {port}}}, jaeger: {{port: 0}}}}")
        assert outcome["successful"]
        # Another host at the same port overlaps: what closes has to close first.
        outcome = await served.reload(f"{{prometheus: {{address: 0.0.0.0, port: {port}}}, jaeger: {{port: 0}}}}")
        assert outcome["successful"], outcome
        async with served.client("prometheus") as http:
            assert (await http.get("/api/v1/labels")).status_code == 200


async def test_a_request_under_way_is_answered_when_the_process_stops(tmp_path: Path) -> None:
    async with serving(tmp_path, "{otlp_http: {port: 0}}") as served:
        host, port = served.urls["otlp_http"][7:].split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /v1/logs HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {served.token}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{{".encode())
        await writer.drain()
        await asyncio.sleep(0.3)
        os.kill(served.process.pid, signal.SIGTERM)
        await asyncio.sleep(0.5)
        writer.write(b"}")
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK"), answer
        writer.close()
        assert await served.process.wait() == 0


@requires_tool("logger")
async def test_syslog_comes_in_over_tcp_from_logger_and_python(tmp_path: Path) -> None:
    async with serving(tmp_path, "{syslog: {port: 0, anonymous: ingest}}") as served:
        assert served.urls["syslog"].startswith("tcp://127.0.0.1:")
        port = int(served.urls["syslog"].rpartition(":")[2])
        to = ("--server", "127.0.0.1", "--port", str(port), "--tcp", "--tag", "shop")
        await ran("logger", *to, "--priority", "user.err", "--octet-count", "counted\nin two lines")
        await ran("logger", *to, "--priority", "user.warning", "--rfc3164", "in the old form")

        def speak() -> None:
            kind = logging.handlers.SysLogHandler(("127.0.0.1", port), socktype=socket.SOCK_STREAM)
            for number in range(1_000):
                kind.emit(logging.makeLogRecord({"msg": f"number {number}", "levelno": 20, "levelname": "INFO"}))
            kind.close()

        await asyncio.to_thread(speak)
        async with served.client() as http:

            async def stored() -> bool:
                given = {"limit": "1000", "since": "-1h", "q": "number"}
                return len((await http.get("/api/ops/v1/logs", params=given)).json()["records"]) == 1_000

            await until(stored)
            answer = await http.get("/api/ops/v1/logs", params={"service": "shop", "limit": "10"})
            found = {one["message"]: one for one in answer.json()["records"]}
            assert set(found) == {"counted\nin two lines", "in the old form"}
            assert found["counted\nin two lines"]["level"] == "error"
            assert found["in the old form"]["level"] == "warn"
            assert found["in the old form"]["source"] == "syslog (127.0.0.1)"
        # What is complete when the process stops is stored.
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"<13>Nov 30 01:02:03 host app: the last\n<13>cut")
        await writer.drain()
        await asyncio.sleep(0.3)
        served.process.terminate()
        assert await served.process.wait() == 0
    async with serving(tmp_path, "{}") as served, served.client() as http:
        answer = await http.get("/api/ops/v1/logs", params={"service": "app", "since": "-400d"})
        assert [one["message"] for one in answer.json()["records"]] == ["the last"]


async def test_syslog_is_open_to_no_sender_unless_the_settings_say_so(tmp_path: Path) -> None:
    (tmp_path / "am.yml").write_text(ROUTING)
    (tmp_path / "eldonia-ops.yml").write_text(f"{SETTINGS}listeners: {{syslog: {{port: 0}}}}\n")
    process = await started(tmp_path)
    async with asyncio.timeout(60):
        assert await process.wait() == 2
    assert (
        "syslog has no tokens: nothing could be sent to it (write anonymous: ingest" in (tmp_path / "log").read_text()
    )

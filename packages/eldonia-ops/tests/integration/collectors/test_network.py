"""Scrapes and probes against real sockets."""

import asyncio
import contextlib
import gzip
import socket
import ssl
import subprocess

import pytest
from required_tools import requires_host, tool

from eldonia_ops.collectors.probe.http import HttpCheck, HttpProber
from eldonia_ops.collectors.probe.tcp import TcpCheck, TcpProber
from eldonia_ops.collectors.scrape.loop import ScrapeLoop, ScrapeTarget, scrape_client
from eldonia_ops.model.secret import Secret
from eldonia_ops.services.clock import SystemClock


def _resolves_localhost():
    try:
        return bool(socket.getaddrinfo("localhost", None))
    except OSError:
        return False


# The servers go by this name, as certificates do; a bare root without /etc/hosts does not know it.
pytestmark = requires_host(_resolves_localhost, "this machine does not resolve localhost (/etc/hosts)")


class Web:
    """A server on a free loopback port that answers each path with prepared bytes and remembers the requests."""

    def __init__(self, answers, context=None):
        self.answers = answers
        self.requests = []
        self._context = context

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http{'s' if self._context else ''}://localhost:{self.port}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(request.decode())
            answer = self.answers[request.split(b" ")[1].decode()]
            if isinstance(answer, float):
                await asyncio.sleep(answer)
            elif answer is not None:
                writer.write(answer)
                await writer.drain()
        writer.close()


def http(body=b"ok", status="200 OK", **headers):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n".encode() + body


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


async def scrape(url, **options):
    rows = []

    async def sink(collected):
        rows.append(collected)

    async with scrape_client() as client:
        loop = ScrapeLoop(ScrapeTarget("j", url, **options), sink, client, SystemClock())
        await loop.scrape_once(1)
    return loop.status, {
        labels.name: value for labels, value in zip(rows[0].row.labels, rows[0].row.values, strict=True)
    }


async def test_scrapes():
    page = http(b"# TYPE a gauge\na 4\n", Content_Type="text/plain; version=0.0.4")
    answers = {
        "/m": page,
        "/to": http(b"", "302 Found", Location="/m"),
        "/slow": 2.0,
        "/broken": b"nonsense\r\n\r\n",
        "/gone": None,
    }
    async with Web(answers) as web:
        for path in ("/m", "/to"):
            status, values = await scrape(web.url + path)
            assert (values["a"], values["up"], status.error) == (4.0, 1.0, "")
            assert status.duration_seconds > 0
        for path, words in [
            ("/slow", "not finished within 0.1 s"),
            ("/broken", "does not answer in HTTP"),
            ("/gone", "does not answer in HTTP, or broke off"),
        ]:
            status, values = await scrape(web.url + path, timeout_ms=100 if path == "/slow" else 3000)
            assert words in status.error
            assert values["up"] == 0
    status, _ = await scrape(f"http://127.0.0.1:{free_port()}/m")
    assert status.error == "connection refused: nothing listens there"
    status, _ = await scrape("http://no-such-host.invalid/m")
    assert status.error == "the host name cannot be resolved"
    status, _ = await scrape("gopher://x/")
    assert status.error


async def test_http_probe():
    answers = {
        "/ok": http("元気 hello".encode(), Content_Type="text/plain; charset=utf-8"),
        "/503": http(b"", "503 Service Unavailable"),
        "/teapot": http(b"", "418 I'm a teapot"),
        "/loop": http(b"", "302 Found", Location="/loop"),
        "/away": http(b"", "302 Found", Location="/ok"),
        "/file": http(b"", "302 Found", Location="file:///etc/passwd"),
        "/gzip": http(gzip.compress(b"x" * 5_000_000 + b"end"), Content_Encoding="gzip"),
        "/br": http(b"x", Content_Encoding="br"),
        "/charset": http(b"ok", Content_Type="text/plain; charset=no-such"),
        "/slow": 2.0,
    }
    async with Web(answers) as web:

        async def look(path, **options):
            return await HttpProber(HttpCheck(web.url + path, **options)).probe()

        good = await look("/ok", contains="元気", headers={"X-Key": Secret("k1")})
        assert (good.success, good.status_code, good.detail) == (True, 200, "")
        assert set(good.phases) == {"resolve", "connect", "tls", "processing", "transfer"}
        assert good.phases["connect"] > 0
        assert good.phases["processing"] > 0
        assert good.phases["tls"] == 0
        assert sum(good.phases.values()) <= good.duration_seconds
        assert f"Host: localhost:{web.port}\r\n" in web.requests[0]
        assert "X-Key: k1" in web.requests[0]
        for path, options, code, detail in [
            ("/ok", {"contains": "bye"}, 200, "the answer lacks 'bye'"),
            ("/ok", {"statuses": (204,)}, 200, "HTTP 200 OK, expected 204"),
            ("/503", {}, 503, "HTTP 503 Service Unavailable"),
            ("/teapot", {"statuses": (418,)}, 418, ""),
            ("/away", {}, 200, ""),
            ("/away", {"statuses": (302,)}, 302, ""),
            ("/away", {"statuses": (301,)}, 200, "HTTP 200 OK, expected 301"),
            ("/gzip", {"contains": "x" * 900, "max_body_bytes": 1_000}, 200, ""),
            ("/gzip", {"contains": "end", "max_body_bytes": 1_000}, 200, "the answer lacks 'end'"),
            ("/br", {}, 200, "the answer is compressed with br, which was not asked for"),
            ("/charset", {"contains": "ok"}, 200, ""),
            ("/loop", {}, 302, "more than 5 redirects"),
            ("/file", {}, 302, "redirected to something that is not HTTP: file:///etc/passwd"),
            ("/slow", {"timeout_ms": 100}, 0, "not finished within 0.1 s"),
        ]:
            result = await look(path, **options)
            assert (result.status_code, result.detail, result.success) == (code, detail, not detail)
    refused = await HttpProber(HttpCheck(f"http://127.0.0.1:{free_port()}/")).probe()
    assert refused.detail == "connection refused: nothing listens there"
    unknown = await HttpProber(HttpCheck("http://no-such-host.invalid/")).probe()
    assert unknown.detail == "the host name cannot be resolved"
    for url in ("nonsense", "http://", "http://[::1", "http://h:99999/"):
        assert not (await HttpProber(HttpCheck(url)).probe()).success


async def test_credentials_do_not_follow_to_another_site():
    async with Web({"/": http()}) as other, Web({"/": http(b"", "302 Found", Location=other.url + "/")}) as first:
        result = await HttpProber(HttpCheck(first.url + "/", headers={"Authorization": Secret("Bearer x")})).probe()
        assert result.success
        assert "Bearer x" in first.requests[0]
        assert "Bearer x" not in other.requests[0]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    openssl = tool("openssl")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "9",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, cert


async def test_tls(certificate, monkeypatch):
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    async with Web({"/": http()}, context) as web:
        untrusted = await HttpProber(HttpCheck(web.url + "/")).probe()
        assert "the certificate is not trusted: self-signed certificate" in untrusted.detail
        careless = await HttpProber(HttpCheck(web.url + "/", verify_certificate=False)).probe()
        assert (careless.success, careless.certificate_expires_at) == (True, 0)
        untrusted = await TcpProber(TcpCheck("localhost", web.port, tls=True)).probe()
        assert "the certificate is not trusted" in untrusted.detail
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        good = await HttpProber(HttpCheck(web.url + "/")).probe()
        now = SystemClock().now()
        assert good.detail == ""
        assert good.phases["tls"] > 0
        assert 8 * 86_400_000 < good.certificate_expires_at - now < 9 * 86_400_000 + 60_000
        tcp = await TcpProber(TcpCheck("localhost", web.port, tls=True)).probe()
        assert tcp.success
        assert tcp.certificate_expires_at == good.certificate_expires_at
        assert tcp.phases["tls"] > 0


async def test_a_port_that_never_says_farewell_is_left(certificate):
    """With TLS a closing connection waits for the other side; a look has a time limit."""
    key, cert = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    enough = asyncio.Event()

    def serve(listener):
        connection, _ = listener.accept()
        wrapped = context.wrap_socket(connection, server_side=True)
        wrapped.recv(1)  # the greeting that never gets its answer
        loop.call_soon_threadsafe(enough.set)
        held.append(wrapped)

    loop, held = asyncio.get_running_loop(), []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        serving = asyncio.create_task(asyncio.to_thread(serve, listener))
        check = TcpCheck("localhost", port, tls=True, verify_certificate=False, send=b"x", expect=b"y", timeout_ms=300)
        result = await TcpProber(check).probe()
        assert result.detail == "not finished within 0.3 s"
        assert result.duration_seconds < 10  # asyncio waits 30 s for the farewell
        await serving
    for connection in held:
        connection.close()


async def test_tcp_probe():
    async def greet(reader, writer):
        writer.write(b"220 ready\r\n")
        if await reader.readline() == b"QUIT\r\n":
            writer.write(b"221 bye\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for check, detail in [
        (TcpCheck("localhost", port), ""),
        (TcpCheck("localhost", port, send=b"QUIT\r\n", expect=b"221"), ""),
        (TcpCheck("localhost", port, send=b"HELP\r\n", expect=b"221"), "the answer lacks '221': '220 ready\\r\\n'"),
        (TcpCheck("127.0.0.1", port, expect=b"never", timeout_ms=100), "not finished within 0.1 s"),
        (TcpCheck("127.0.0.1", free_port()), "connection refused: nothing listens there"),
        (TcpCheck("no-such-host.invalid", 1), "the host name cannot be resolved"),
    ]:
        result = await TcpProber(check).probe()
        assert (result.detail, result.success) == (detail, not detail)
        assert result.duration_seconds > 0
    server.close()

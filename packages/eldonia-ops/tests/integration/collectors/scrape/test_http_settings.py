"""Scrapes by what their job says of HTTP: TLS with certificates of both sides, OAuth 2, a proxy, headers, redirects."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from required_tools import requires_tool, tool

from eldonia_ops.collectors.scrape import scrape_targets
from eldonia_ops.collectors.scrape.loop import ScrapeLoop, scrape_client
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.prometheus.text import DEFAULT_LIMITS
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.settings import parse_settings

METRICS = "200 OK", "text/plain", "up_here 1\n"


class Far:
    """An HTTP server: ``answers`` by path, and the heads and bodies of what was asked."""

    def __init__(self, **answers: tuple[str, str, str]) -> None:
        self.answers = answers
        self.heads: list[str] = []
        self.bodies: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                length = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
                if length:
                    self.bodies.append((await reader.readexactly(int(length[0].partition(":")[2]))).decode())
                path = head.split(" ")[1].rpartition("/")[2]
                status, more, body = self.answers.get(path, ("502 Bad Gateway", "text/plain", ""))
                extra = f"Location: {more}" if status.startswith("3") else f"Content-Type: {more}"
                writer.write(f"HTTP/1.1 {status}\r\n{extra}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def listening(far: Far, tls: ssl.SSLContext | None = None) -> AsyncIterator[Far]:
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0, ssl=tls)
    far.port = server.sockets[0].getsockname()[1]
    async with server:
        yield far


async def scraped(folder: Path, port: int, more: str, times: int = 1) -> str:
    """What is wrong after the last of some scrapes, '' when it went well."""
    text = f"scrape:\n  - job: far\n    targets: ['127.0.0.1:{port}']\n{more}"
    settings = parse_settings(text, folder / "eldonia-ops.yml", {"HOME": str(folder)})
    [target] = scrape_targets(settings, DEFAULT_LIMITS)

    async def sink(_: Any) -> None:
        pass

    async with scrape_client() as client, HttpClient() as configured:
        loop = ScrapeLoop(target, sink, client, ManualClock(0), configured=configured)
        for at in range(times):
            await loop.scrape_once(at * 1000)
        return loop.status.error


async def openssl(folder: Path, *arguments: str) -> None:
    made = await asyncio.create_subprocess_exec(
        tool("openssl"), *arguments, cwd=folder, stderr=asyncio.subprocess.DEVNULL
    )
    assert await made.wait() == 0


@requires_tool("openssl")
async def test_tls_with_a_ca_a_server_name_and_a_certificate_of_our_own(tmp_path: Path) -> None:
    for name in ("far", "near"):
        await openssl(
            tmp_path, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}.example", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "far.pem", tmp_path / "far.key")
    tls.load_verify_locations(tmp_path / "near.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    whole = {"ca_file": "far.pem", "cert_file": "near.pem", "key_file": "near.key", "server_name": "far.example"}
    async with listening(Far(metrics=METRICS), tls) as far:

        async def tried(**given: str) -> str:
            lines = "".join(f"      {key}: {value}\n" for key, value in given.items())
            return await scraped(tmp_path, far.port, f"    scheme: https\n    tls_config:\n{lines}")

        assert await tried(**whole) == ""
        assert "certificate" in await tried(**{**whole, "server_name": "other.example"})
        assert await tried(**{key: value for key, value in whole.items() if key not in ("cert_file", "key_file")})
        assert await tried(**{key: value for key, value in whole.items() if key != "ca_file"})
        assert await tried(**{**whole, "ca_file": "near.pem"}, insecure_skip_verify="true") == ""


async def test_oauth2_asks_for_a_token_and_for_another_when_it_is_refused(tmp_path: Path) -> None:
    token = "200 OK", "application/json", '{"access_token": "t1", "expires_in": 3600}'
    async with listening(Far(metrics=METRICS, token=token)) as far:
        oauth2 = (
            f"    oauth2: {{client_id: us, client_secret: s3cret, token_url: 'http://127.0.0.1:{far.port}/token'}}\n"
        )
        assert await scraped(tmp_path, far.port, oauth2, times=2) == ""
        assert [head.split(" ")[1] for head in far.heads] == ["/token", "/metrics", "/metrics"]
        assert "authorization: bearer t1" in far.heads[-1].lower()
        far.heads.clear()
        far.answers["metrics"] = "401 Unauthorized", "text/plain", ""
        assert "401" in await scraped(tmp_path, far.port, oauth2, times=2)
        assert [head.split(" ")[1] for head in far.heads] == ["/token", "/metrics"] * 2
        far.answers["token"] = "400 Bad Request", "text/plain", "s3cret is wrong"
        said = await scraped(tmp_path, far.port, oauth2)
        assert "no token" in said
        assert "s3cret" not in said


async def test_parameters_of_a_token_and_another_scheme_of_authorization(tmp_path: Path) -> None:
    token = "200 OK", "application/json", '{"access_token": "t1", "expires_in": 3600}'
    async with listening(Far(metrics=METRICS, token=token)) as far:
        more = (
            f"    oauth2:\n      client_id: us\n      client_secret: s\n      token_url: 'http://127.0.0.1:{far.port}/token'\n"
            "      endpoint_params: {audience: metrics}\n"
        )
        assert await scraped(tmp_path, far.port, more) == ""
        assert "audience=metrics" in far.bodies[0]
        own = "    authorization: {type: ApiKey, credentials: k3y}\n"
        assert await scraped(tmp_path, far.port, own) == ""
        assert "authorization: apikey k3y\r\n" in far.heads[-1].lower()


async def test_headers_of_a_tunnel_are_for_the_proxy_alone(tmp_path: Path) -> None:
    async with listening(Far()) as far:
        way = (
            f"    scheme: https\n    proxy_url: http://127.0.0.1:{far.port}\n    proxy_connect_header: {{X-Via: us}}\n"
        )
        assert await scraped(tmp_path, 9, way)
        assert far.heads[0].startswith("CONNECT 127.0.0.1:9 ")
        assert "x-via: us\r\n" in far.heads[0].lower()


async def test_a_proxy_headers_and_redirects(tmp_path: Path) -> None:
    async with listening(Far(metrics=METRICS, old=("302 Found", "/metrics", ""))) as far:
        assert await scraped(tmp_path, 9, f"    proxy_url: http://127.0.0.1:{far.port}\n") == ""
        assert far.heads[-1].startswith("GET http://127.0.0.1:9/metrics ")
        far.heads.clear()
        proxied = "    proxy_url: http://127.0.0.1:9\n    no_proxy: 127.0.0.1\n    http_headers: {X-Scope-OrgID: a}\n"
        assert await scraped(tmp_path, far.port, proxied) == ""
        assert "x-scope-orgid: a\r\n" in far.heads[-1].lower()
        assert await scraped(tmp_path, far.port, "    path: /old\n") == ""
        assert "302" in await scraped(tmp_path, far.port, "    path: /old\n    follow_redirects: false\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("tls_config: {cert: x}", "tls_config needs cert with its key"),
        ("tls_config: {min_version: TLS13, max_version: TLS12}", "max_version is below min_version"),
        ("oauth2: {client_id: us}", "oauth2 needs client_id and token_url"),
        ("no_proxy: a.example", "no_proxy without proxy_url"),
        ("proxy_from_environment: true\n    proxy_url: 'http://p:1'", "goes with neither"),
        ("authorization: {type: Basic, credentials: x}", "authorization.type cannot be Basic"),
        ("authorization: {type: a b, credentials: x}", "authorization.type is not one word"),
        ("bearer_token: a\n    authorization: {credentials: x}", "authorization is given beside"),
        ("bearer_token: a\n    oauth2: {client_id: us, token_url: 'http://t/'}", "oauth2 is given beside"),
    ],
)
def test_what_contradicts_itself_is_refused(more: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_settings(f"scrape:\n  - job: far\n    targets: ['a:1']\n    {more}\n", None, {"HOME": "/root"})
    assert any(said in one.message for one in error.value.diagnostics)

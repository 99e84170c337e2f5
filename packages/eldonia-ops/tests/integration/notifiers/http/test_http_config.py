"""What ``http_config`` says is done: real certificates, a real proxy, a server that gives tokens. All over sockets."""

import asyncio
import base64
import contextlib
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from required_tools import tool

from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.notifiers.webhook.deliver import WebhookNotifier
from eldonia_ops.ports import Delivery, DeliveryResult
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config

OUTGOING = Outgoing(1, "key-1", "team", "webhook", 0, "q", {"a": 1})
HOST = "hooks.internal"  # no resolver knows it


class Request:
    """One request as it came in."""

    def __init__(self, head: bytes, body: bytes, certificate: str) -> None:
        lines = head.decode().split("\r\n")
        self.line = lines[0]
        self.path = lines[0].split(" ")[1]
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        self.body = body
        self.certificate = certificate
        """The name in the certificate that the client has shown."""

    def all(self, name: str) -> list[str]:
        return [value for other, value in self.headers if other == name]


class Server:
    """Answers by a function of the request; keeps what it was asked and over how many connections."""

    def __init__(self, answer: Callable[[Request], tuple[int, bytes]] = lambda _: (200, b"ok")) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.connections = 0
        self.port = 0
        self.seen_names: list[str | None] = []
        self.answer_type = "application/json"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        peer = writer.get_extra_info("peercert") or {}
        names = [value for part in peer.get("subject", ()) for key, value in part if key == "commonName"]
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int([*head.lower().split(b"content-length:"), b"0"][1].split(b"\r\n")[0])
                request = Request(head, await reader.readexactly(length), "".join(names))
                self.requests.append(request)
                status, body = self.answer(request)
                writer.write(
                    b"HTTP/1.1 %d x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, self.answer_type.encode(), len(body), body)
                )
                await writer.drain()
        writer.close()


class Proxy(Server):
    """Forwards requests and opens tunnels, both to one port, whatever host is asked for."""

    def __init__(self, target: int, *, password: str = "") -> None:
        super().__init__()
        self.target = target
        self.password = password

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            request = Request(head, b"", "")
            self.requests.append(request)
            expected = "Basic " + base64.b64encode(f"ops:{self.password}".encode()).decode()
            if self.password and request.all("proxy-authorization") != [expected]:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                writer.close()
                return
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
            if request.line.startswith("CONNECT "):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                there_writer.write(head)
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(ConnectionError):
        writer.close()


@contextlib.asynccontextmanager
async def listening(server: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listener.sockets[0].getsockname()[1]
    yield server
    listener.close()


class Certificates:
    """An authority of our own, a server's certificate for HOST, and a client's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._openssl = tool("openssl")
        self._run(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "9",
            "-subj", "/CN=our own authority",
        )  # fmt: skip
        self.issue("server", HOST)
        self.issue("client", "ops-client")

    def issue(self, name: str, common_name: str) -> None:
        self._run(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
            "-subj", f"/CN={common_name}",
        )  # fmt: skip
        (self.folder / "names").write_text(f"subjectAltName=DNS:{common_name}")
        self._run(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
            "-out", f"{name}.pem", "-extfile", "names",
        )  # fmt: skip

    def lock(self, name: str, password: str) -> None:
        self._run("rsa", "-aes256", "-in", f"{name}.key", "-out", f"{name}.locked.key", "-passout", f"pass:{password}")

    def _run(self, *arguments: str) -> None:
        subprocess.run([self._openssl, *arguments], cwd=self.folder, check=True, capture_output=True)

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    def context(self, *, wants_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.pem"), self.path("server.key"))
        if wants_client:
            context.load_verify_locations(self.path("ca.pem"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def config(url: str, http_config: str) -> WebhookConfig:
    """The webhook of a real configuration file; no setting of it is left out for want of support."""
    text = f"""
route: {{receiver: r}}
receivers:
  - name: r
    webhook_configs:
      - url: {url}
        timeout: 20s
        http_config:
{os.linesep.join("          " + line for line in http_config.splitlines())}
"""
    found = parse_alertmanager_config(text, kinds=built_in())
    assert found.warnings == ()
    webhook = found.routing.receivers["r"].integrations[0].config
    assert isinstance(webhook, WebhookConfig)
    return webhook


async def deliver(url: str, http_config: str, client: HttpClient | None = None) -> Delivery:
    webhook = config(url, http_config)
    if client is not None:
        return await WebhookNotifier(webhook, client).deliver(OUTGOING)
    async with HttpClient() as own:
        return await WebhookNotifier(webhook, own).deliver(OUTGOING)


def indented(text: str) -> str:
    return "|\n" + "\n".join("    " + line for line in text.strip().splitlines())


# --- certificates


async def test_a_certificate_of_our_own_authority_is_trusted_and_no_other(certificates: Certificates) -> None:
    async with listening(Server(), certificates.context()) as server:
        url = f"https://127.0.0.1:{server.port}/"
        untrusted = await deliver(url, f"tls_config: {{server_name: {HOST}}}")
        assert untrusted.result is DeliveryResult.RETRY
        assert "certificate" in untrusted.detail
        trusted = f"ca_file: {certificates.path('ca.pem')}"
        assert (await deliver(url, f"tls_config: {{{trusted}}}")).result is DeliveryResult.RETRY  # of another name
        named = await deliver(url, f"tls_config: {{{trusted}, server_name: {HOST}}}")
        assert named.result is DeliveryResult.DELIVERED
        wrong = await deliver(url, f"tls_config: {{{trusted}, server_name: other.internal}}")
        assert wrong.result is DeliveryResult.RETRY
        inline = f"tls_config:\n  server_name: {HOST}\n  ca: {indented(certificates.text('ca.pem'))}"
        assert (await deliver(url, inline)).result is DeliveryResult.DELIVERED
        careless = await deliver(url, "tls_config: {insecure_skip_verify: true}")
        assert careless.result is DeliveryResult.DELIVERED
        assert len(server.requests) == 3


async def test_a_client_shows_its_certificate_from_a_file_or_inline(certificates: Certificates) -> None:
    async with listening(Server(), certificates.context(wants_client=True)) as server:
        url = f"https://127.0.0.1:{server.port}/"
        trusted = f"  server_name: {HOST}\n  ca_file: {certificates.path('ca.pem')}\n"
        none = await deliver(url, f"tls_config:\n{trusted}")
        assert none.result is DeliveryResult.RETRY
        files = f"  cert_file: {certificates.path('client.pem')}\n  key_file: {certificates.path('client.key')}"
        assert (await deliver(url, f"tls_config:\n{trusted}{files}")).result is DeliveryResult.DELIVERED
        cert, key = indented(certificates.text("client.pem")), indented(certificates.text("client.key"))
        inline = f"tls_config:\n{trusted}  cert: {cert}\n  key: {key}"
        assert (await deliver(url, inline)).result is DeliveryResult.DELIVERED
        assert [request.certificate for request in server.requests] == ["ops-client", "ops-client"]


async def test_a_key_that_is_locked_or_of_another_certificate_is_said_and_never_asked_for(
    certificates: Certificates,
) -> None:
    certificates.lock("client", "hunter2")
    for key, reason in (("client.locked.key", "without a password"), ("ca.key", "not that of the certificate")):
        pair = f"cert_file: {certificates.path('client.pem')}, key_file: {certificates.path(key)}"
        async with asyncio.timeout(15):
            found = await deliver("https://127.0.0.1:1/", f"tls_config: {{{pair}}}")
        assert found.result is DeliveryResult.RETRY
        assert reason in found.detail
    broken = await deliver("https://127.0.0.1:1/", "tls_config: {ca: hunter2-is-no-certificate}")
    assert "ca is not a certificate in PEM format" in broken.detail
    assert "hunter2" not in broken.detail


async def test_versions_of_tls(certificates: Certificates) -> None:
    context = certificates.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listening(Server(), context) as server:
        url = f"https://127.0.0.1:{server.port}/"
        trusted = f"ca_file: {certificates.path('ca.pem')}, server_name: {HOST}"
        new = await deliver(url, f"tls_config: {{{trusted}, min_version: TLS13}}")
        assert new.result is DeliveryResult.RETRY
        old = await deliver(url, f"tls_config: {{{trusted}, min_version: TLS11, max_version: TLS12}}")
        assert old.result is DeliveryResult.DELIVERED


async def test_connections_are_kept_until_a_certificate_is_renewed(certificates: Certificates, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(certificates.text("ca.pem"))
    async with listening(Server(), certificates.context()) as server, HttpClient() as client:
        url, http = f"https://127.0.0.1:{server.port}/", f"tls_config: {{ca_file: {authority}, server_name: {HOST}}}"
        for _ in range(3):
            assert (await deliver(url, http, client)).result is DeliveryResult.DELIVERED
        assert server.connections == 1
        authority.write_text(certificates.text("ca.pem") + "\n# renewed\n")
        assert (await deliver(url, http, client)).result is DeliveryResult.DELIVERED
        assert server.connections == 2
        authority.write_text(certificates.text("client.pem"))  # trusts another one now
        assert (await deliver(url, http, client)).result is DeliveryResult.RETRY


# --- proxies


async def test_a_message_goes_through_the_proxy_plain_and_in_a_tunnel(certificates: Certificates) -> None:
    async with (
        listening(Server()) as plain,
        listening(Server(), certificates.context()) as secure,
        listening(Proxy(plain.port, password="s3cret-proxy-word")) as forwarding,
        listening(Proxy(secure.port, password="s3cret-proxy-word")) as tunnel,
        HttpClient() as client,
    ):
        proxy = f"proxy_url: http://ops:s3cret-proxy-word@127.0.0.1:{forwarding.port}"
        found = await deliver(f"http://{HOST}/hook", proxy, client)
        assert found.result is DeliveryResult.DELIVERED, found
        assert forwarding.requests[0].line == f"POST http://{HOST}/hook HTTP/1.1"
        assert plain.requests[0].all("host") == [HOST]

        settings = (
            f"proxy_url: http://ops:s3cret-proxy-word@127.0.0.1:{tunnel.port}\n"
            "proxy_connect_header: {X-Tunnel: [a, b]}\n"
            f"tls_config: {{ca_file: {certificates.path('ca.pem')}}}"
        )
        for _ in range(2):
            found = await deliver(f"https://{HOST}/hook", settings, client)
            assert found.result is DeliveryResult.DELIVERED, found
        [opened] = tunnel.requests  # the tunnel is kept
        assert opened.line == f"CONNECT {HOST}:443 HTTP/1.1"
        assert opened.all("x-tunnel") == ["a", "b"]
        assert [request.path for request in secure.requests] == ["/hook", "/hook"]
        assert secure.requests[0].all("x-tunnel") == []
        assert secure.requests[0].all("proxy-authorization") == []


async def test_the_server_name_holds_behind_a_proxy(certificates: Certificates) -> None:
    async with (
        listening(Server(), certificates.context()) as secure,
        listening(Proxy(secure.port)) as tunnel,
    ):
        settings = (
            f"proxy_url: http://127.0.0.1:{tunnel.port}\ntls_config: {{ca_file: {certificates.path('ca.pem')}%s}}"
        )
        assert (await deliver("https://other.internal/", settings % "")).result is DeliveryResult.RETRY
        named = await deliver("https://other.internal/", settings % f", server_name: {HOST}")
        assert named.result is DeliveryResult.DELIVERED, named


async def test_a_proxy_that_refuses_is_said_without_its_password() -> None:
    async with listening(Proxy(1, password="other")) as proxy:
        address = f"proxy_url: http://ops:s3cret-proxy-word@127.0.0.1:{proxy.port}"
        tunnel = await deliver(f"https://{HOST}/", address)
        assert tunnel.result is DeliveryResult.RETRY
        assert "407" in tunnel.detail
        assert "s3cret-proxy-word" not in tunnel.detail
        plain = await deliver(f"http://{HOST}/", address)
        assert plain.result is DeliveryResult.REJECTED
        assert "407" in plain.detail


async def test_exceptions_and_the_proxies_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    async with listening(Server()) as server, listening(Proxy(server.port)) as proxy, HttpClient() as client:
        through = f"proxy_url: http://127.0.0.1:{proxy.port}"
        here = f"http://127.0.0.1:{server.port}/"
        assert (await deliver(here, through, client)).result is DeliveryResult.DELIVERED
        assert len(proxy.requests) == 1  # without exceptions even this machine is asked through it
        await deliver(here, f"{through}\nno_proxy: example.org", client)
        assert len(proxy.requests) == 1
        assert (
            await deliver(f"http://{HOST}/", f"{through}\nno_proxy: example.org", client)
        ).result.name == "DELIVERED"
        assert len(proxy.requests) == 2
        assert (await deliver(f"http://{HOST}/", f"{through}\nno_proxy: .internal", client)).result.name == "RETRY"
        assert len(proxy.requests) == 2

        assert (await deliver(f"http://{HOST}/", "proxy_from_environment: true", client)).result.name == "RETRY"
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        assert (await deliver(f"http://{HOST}/", "proxy_from_environment: true", client)).result.name == "DELIVERED"
        assert (await deliver(f"http://{HOST}/", "follow_redirects: true", client)).result.name == "RETRY"
        monkeypatch.setenv("no_proxy", HOST)
        assert (await deliver(f"http://{HOST}/", "proxy_from_environment: true", client)).result.name == "RETRY"
        assert len(proxy.requests) == 3


async def test_a_kind_of_proxy_that_is_lacked_is_said() -> None:
    found = parse_alertmanager_config(
        "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: "
        "[{url: 'http://x/', http_config: {proxy_url: 'socks5://u:hunter2@p:1'}}]}]",
        kinds=built_in(),
    )
    [warning] = found.warnings
    assert "proxies of the kind socks5:// are not supported yet" in str(warning)
    assert "hunter2" not in str(warning)


# --- headers and who we are


async def test_headers_are_added_and_take_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "team").write_text("from-a-file\n")
    async with listening(Server()) as server:
        settings = (
            "http_headers:\n"
            f"  X-Team: {{values: [a, b], secrets: [s3cret-header], files: [{tmp_path / 'team'}]}}\n"
            "  Idempotency-Key: {values: [mine]}\n"
            f"basic_auth: {{username_file: {tmp_path / 'team'}, password: p}}"
        )
        server.answer = lambda request: (400, f"bad header {request.all('x-team')[2]}".encode())
        found = await deliver(f"http://127.0.0.1:{server.port}/", settings)
    request = server.requests[0]
    assert request.all("x-team") == ["a", "b", "s3cret-header", "from-a-file"]
    assert request.all("idempotency-key") == ["mine"]
    assert request.all("authorization") == ["Basic " + base64.b64encode(b"from-a-file:p").decode()]
    assert found.result is DeliveryResult.REJECTED
    assert "s3cret-header" not in found.detail


class Issuer(Server):
    """Gives tokens to a client that knows the secret, in one of the two ways."""

    def __init__(self, *, style: str = "header", expires_in: int | None = 3600) -> None:
        super().__init__(self.give)
        self.style = style
        self.expires_in = expires_in
        self.given = 0

    def give(self, request: Request) -> tuple[int, bytes]:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        basic = "Basic " + base64.b64encode(b"ops:s3cret+client%2Fword").decode()
        by_header = self.style == "header" and request.all("authorization") == [basic]
        by_form = self.style == "form" and form.get("client_secret") == "s3cret client/word"
        if not (by_header or by_form) or form.get("grant_type") != "client_credentials":
            return 401, b'{"error": "invalid_client", "seen": "%s"}' % request.body
        self.given += 1
        expires = "" if self.expires_in is None else f', "expires_in": {self.expires_in}'
        return 200, f'{{"access_token": "t0ken-{self.given}", "token_type": "bearer"{expires}}}'.encode()


def oauth2(issuer: Server, more: str = "") -> str:
    return (
        f"oauth2:\n  client_id: ops\n  client_secret: s3cret client/word\n"
        f"  token_url: http://127.0.0.1:{issuer.port}/token\n{more}"
    )


@pytest.mark.parametrize("style", ["header", "form"])
async def test_a_token_is_asked_for_once_and_kept(style: str) -> None:
    async with listening(Issuer(style=style)) as issuer, listening(Server()) as server, HttpClient() as client:
        settings = oauth2(issuer, "  scopes: [pages, alerts]\n  endpoint_params: {audience: ops-hooks}")
        url = f"http://127.0.0.1:{server.port}/"
        found = await asyncio.gather(*(deliver(url, settings, client) for _ in range(5)))
        assert {item.result for item in found} == {DeliveryResult.DELIVERED}, found
        assert {request.all("authorization")[0] for request in server.requests} == {"Bearer t0ken-1"}
        assert len(issuer.requests) == (1 if style == "header" else 2)
        form = parse_qs(issuer.requests[-1].body.decode())
        assert form["scope"] == ["pages alerts"]
        assert form["audience"] == ["ops-hooks"]


async def test_a_token_that_has_expired_or_was_revoked_is_asked_for_anew() -> None:
    issuer = Issuer(expires_in=1)
    async with listening(issuer), listening(Server()) as server, HttpClient() as client:
        url = f"http://127.0.0.1:{server.port}/"
        for _ in range(2):
            await deliver(url, oauth2(issuer), client)
        assert [request.all("authorization") for request in server.requests] == [["Bearer t0ken-1"], ["Bearer t0ken-2"]]
        issuer.expires_in = None
        await deliver(url, oauth2(issuer), client)
        server.answer = lambda request: (401 if request.all("authorization") == ["Bearer t0ken-3"] else 200, b"")
        found = await deliver(url, oauth2(issuer), client)
        assert found.result is DeliveryResult.DELIVERED
        assert server.requests[-1].all("authorization") == ["Bearer t0ken-4"]
        server.answer = lambda _: (401, b"never")
        assert (await deliver(url, oauth2(issuer), client)).result is DeliveryResult.REJECTED
        assert issuer.given == 5


async def test_no_token_means_a_later_try_and_a_reason_without_secrets() -> None:
    async with listening(Issuer(style="neither")) as issuer, listening(Server()) as server:
        url = f"http://127.0.0.1:{server.port}/"
        found = await deliver(url, oauth2(issuer))
        assert found.result is DeliveryResult.RETRY
        assert "the server of token_url answered 401" in found.detail
        assert "s3cret" not in found.detail
        issuer.answer = lambda _: (200, b'{"token": "s3cret"}')
        found = await deliver(url, oauth2(issuer))
        assert "holds none" in found.detail
        issuer.answer = lambda _: (200, b"access_token=f0rm-token&token_type=bearer&expires_in=60")
        issuer.answer_type = "application/x-www-form-urlencoded"
        assert (await deliver(url, oauth2(issuer))).result is DeliveryResult.DELIVERED
        assert [request.all("authorization") for request in server.requests] == [["Bearer f0rm-token"]]
        closed = Issuer()
        closed.port = 1
        assert "cannot reach" in (await deliver(url, oauth2(closed))).detail


async def test_the_server_of_tokens_has_certificates_and_a_proxy_of_its_own(certificates: Certificates) -> None:
    async with (
        listening(Issuer(), certificates.context()) as issuer,
        listening(Proxy(issuer.port)) as proxy,
        listening(Server()) as server,
    ):
        settings = (
            f"oauth2:\n  client_id: ops\n  client_secret: s3cret client/word\n  token_url: https://{HOST}/token\n"
            f"  proxy_url: http://127.0.0.1:{proxy.port}\n  tls_config: {{ca_file: {certificates.path('ca.pem')}}}"
        )
        found = await deliver(f"http://127.0.0.1:{server.port}/", settings)
        assert found.result is DeliveryResult.DELIVERED, found
        assert proxy.requests[0].line == f"CONNECT {HOST}:443 HTTP/1.1"
        assert server.requests[0].all("authorization") == ["Bearer t0ken-1"]

"""Looks at an HTTP endpoint from outside, and says in which phase the time went."""

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx

from eldonia_ops.collectors.addresses import resolve
from eldonia_ops.collectors.network_errors import explain, lost_while_connecting, status_words
from eldonia_ops.collectors.response_body import body_pieces
from eldonia_ops.collectors.tls_contexts import TlsContexts
from eldonia_ops.collectors.urls import shown_url
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import ProbeResult

PHASES: Final[tuple[str, ...]] = ("resolve", "connect", "tls", "processing", "transfer")
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MAX_REDIRECTS = 5
_CHARSET = re.compile(
    r"utf[-_]?(?:8|16|32)|(?:us[-_])?ascii|iso[-_]?\d|latin|cp\d|windows|shift|sjis|euc|gb|big5|koi8|mac"
)


@dataclass(frozen=True, slots=True)
class HttpCheck:
    """What to ask for and what to expect.

    ``statuses``: accepted status codes, empty for 200..299. ``contains`` must be in the body. Redirects are
    followed, unless theirs is an accepted status. ``timeout_ms`` covers everything together.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    statuses: tuple[int, ...] = ()
    contains: str = ""
    verify_certificate: bool = True
    timeout_ms: int = 5_000
    max_body_bytes: int = 1024 * 1024


class _Outcome(Exception):  # noqa: N818 - carries the words for a look that failed, and never leaves this module
    pass


class HttpProber:
    """Implements :class:`eldonia_ops.ports.Prober`. Every look makes a new connection, as a new visitor would.

    ``certificate_expires_at`` is of the server's own certificate, not of the chain above it, and 0 when
    certificates are not verified.
    """

    def __init__(self, check: HttpCheck, contexts: TlsContexts | None = None) -> None:
        self._check = check
        self._context = (contexts or TlsContexts()).get(verify=check.verify_certificate)

    async def probe(self) -> ProbeResult:
        """Look once."""
        look = _Look(self._check, self._context)
        started = time.perf_counter()
        seconds = self._check.timeout_ms / 1000
        detail = ""
        try:
            async with asyncio.timeout(seconds):
                with lost_while_connecting():
                    await look.run()
        except _Outcome as outcome:
            detail = str(outcome)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup) as error:
            detail = explain(error, seconds)
        return ProbeResult(
            success=not detail,
            duration_seconds=time.perf_counter() - started,
            status_code=look.status,
            detail=detail,
            phases=look.phases,
            certificate_expires_at=look.expires_at,
        )


class _Look:
    """One look, with what is known so far when it breaks off."""

    def __init__(self, check: HttpCheck, context: ssl.SSLContext) -> None:
        self._check = check
        self._context = context
        self.phases: dict[str, float] = dict.fromkeys(PHASES, 0.0)
        self.status = 0
        self.expires_at = 0
        self._begun: dict[str, float] = {}

    async def run(self) -> None:
        check = self._check
        url, method = check.url, check.method
        headers = {
            name: value.reveal() if isinstance(value, Secret) else value for name, value in check.headers.items()
        }
        origin = _origin(url)
        async with httpx.AsyncClient(verify=self._context, trust_env=False, timeout=None) as client:  # noqa: S113 - probe() limits the whole
            for _ in range(_MAX_REDIRECTS + 1):
                if _origin(url) != origin:
                    # Another site has no business with what was meant for the first.
                    headers = {name: value for name, value in headers.items() if name.lower() == "user-agent"}
                answer, text = await self._request(client, method, url, headers)
                followed = answer.status_code in _REDIRECTS and answer.status_code not in check.statuses
                if not followed or "Location" not in answer.headers:
                    self._judge(answer, text)
                    return
                url = urljoin(url, answer.headers["Location"])
                if urlsplit(url).scheme not in ("http", "https"):
                    raise _Outcome(f"redirected to something that is not HTTP: {shown_url(url)[:200]}")
                if answer.status_code == 303 or (answer.status_code in (301, 302) and method == "POST"):
                    method = "GET"
        raise _Outcome(f"more than {_MAX_REDIRECTS} redirects")

    async def _request(
        self, client: httpx.AsyncClient, method: str, url: str, headers: dict[str, str]
    ) -> tuple[httpx.Response, bytes]:
        # The name is resolved here, so that its time shows; the request then goes to the address, with the
        # name in the Host header and the TLS handshake.
        parsed = httpx.URL(url)
        if not parsed.host or parsed.scheme not in ("http", "https"):
            raise _Outcome("the URL is not http:// or https:// with a host")
        started = time.perf_counter()
        address = await resolve(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))
        self.phases["resolve"] += time.perf_counter() - started
        request = client.build_request(
            method,
            parsed.copy_with(host=address),
            headers={
                "Host": parsed.netloc.decode("ascii"),
                "User-Agent": "eldonia-ops",
                "Accept-Encoding": "gzip",
                **headers,
            },
            extensions={"trace": self._trace, "sni_hostname": parsed.raw_host.decode("ascii")},
        )
        answer = await client.send(request, stream=True)
        try:
            self.status = answer.status_code
            self._certificate(answer)
            limit = self._check.max_body_bytes
            return answer, b"".join([piece async for piece in body_pieces(answer, limit)])[:limit]
        finally:
            await answer.aclose()

    async def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpcore tells what it does; phases are the times between."""
        name, _, moment = event.rpartition(".")
        now = time.perf_counter()
        if moment == "started":
            self._begun[name] = now
            return
        phase, since = {
            "connection.connect_tcp": ("connect", "connection.connect_tcp"),
            "connection.start_tls": ("tls", "connection.start_tls"),
            "http11.receive_response_headers": ("processing", "http11.send_request_headers"),
            "http11.receive_response_body": ("transfer", "http11.receive_response_body"),
        }.get(name, ("", ""))
        if phase and since in self._begun:
            self.phases[phase] += now - self._begun.pop(since)

    def _certificate(self, answer: httpx.Response) -> None:
        stream = answer.extensions.get("network_stream")
        tls = stream.get_extra_info("ssl_object") if stream is not None else None
        until = (tls.getpeercert() or {}).get("notAfter") if tls is not None else None
        if until:
            expires = int(ssl.cert_time_to_seconds(until)) * 1000
            self.expires_at = min(expires, self.expires_at or expires)

    def _judge(self, answer: httpx.Response, body: bytes) -> None:
        check = self._check
        accepted = answer.status_code in check.statuses if check.statuses else 200 <= answer.status_code < 300
        if not accepted:
            wanted = f", expected {', '.join(map(str, check.statuses))}" if check.statuses else ""
            raise _Outcome(f"{status_words(answer.status_code)}{wanted}")
        if check.contains and check.contains not in _text(body, answer.encoding):
            raise _Outcome(f"the answer lacks {check.contains[:80]!r}")


def _text(body: bytes, encoding: str | None) -> str:
    """The body by its charset; one that is none of a text (``hex``), or takes long (``punycode``), counts as UTF-8."""
    name = (encoding or "utf-8").lower()
    return body.decode(name if _CHARSET.match(name) else "utf-8", "replace")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]

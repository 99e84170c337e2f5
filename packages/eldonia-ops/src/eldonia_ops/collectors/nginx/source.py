"""Reads one server of nginx.

Format: https://nginx.org/en/docs/http/ngx_http_stub_status_module.html; names:
https://github.com/nginx/nginx-prometheus-exporter.
"""

import asyncio
import re
from typing import Final

import httpx

from eldonia_ops.collectors.network_errors import explain, lost_while_connecting, status_words
from eldonia_ops.collectors.nginx.config import NginxSettings
from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.collectors.response_body import BodyError, body_pieces
from eldonia_ops.collectors.tls_contexts import TlsContexts
from eldonia_ops.model.samples import MetricMetadata, MetricType

_MAX_BYTES: Final = 16 * 1024
# Some descendants of nginx add a column to the second line.
_PAGE: Final = re.compile(
    rb"Active connections:\s{0,9}(\d{1,19})\s{1,9}server accepts handled requests[^\n]{0,99}\n"
    rb"\s{0,9}(\d{1,19})\s{1,9}(\d{1,19})\s{1,9}(\d{1,19})[\d\s]{0,99}"
    rb"Reading:\s{0,9}(\d{1,19})\s{1,9}Writing:\s{0,9}(\d{1,19})\s{1,9}Waiting:\s{0,9}(\d{1,19})"
)
_NAMES: Final = (
    "nginx_connections_active",
    "nginx_connections_accepted",
    "nginx_connections_handled",
    "nginx_http_requests_total",
    "nginx_connections_reading",
    "nginx_connections_writing",
    "nginx_connections_waiting",
)

METADATA: Final = (
    MetricMetadata("nginx_up", MetricType.GAUGE, "1 when the status could be read."),
    MetricMetadata("nginx_connections_active", MetricType.GAUGE, "Open client connections, waiting ones included."),
    MetricMetadata("nginx_connections_accepted", MetricType.COUNTER, "Client connections that were accepted."),
    MetricMetadata("nginx_connections_handled", MetricType.COUNTER, "Accepted connections that were not dropped."),
    MetricMetadata("nginx_http_requests_total", MetricType.COUNTER, "Requests of clients."),
    MetricMetadata("nginx_connections_reading", MetricType.GAUGE, "Connections whose request is being read."),
    MetricMetadata("nginx_connections_writing", MetricType.GAUGE, "Connections that are being answered."),
    MetricMetadata("nginx_connections_waiting", MetricType.GAUGE, "Connections that are idle between requests."),
)


def parse_stub_status(page: bytes) -> list[Reading]:
    """The readings of a page.

    Raises:
        ValueError: it is another page.
    """
    match = _PAGE.search(page)
    if match is None:
        raise ValueError("the answer is not the page of stub_status: is the path right?")
    return [(name, {}, float(value)) for name, value in zip(_NAMES, match.groups(), strict=True)]


class NginxSource:
    """Reads one server; keeps a connection. Implements :class:`~eldonia_ops.collectors.poll_loop.Source`."""

    def __init__(self, server: NginxSettings, contexts: TlsContexts) -> None:
        self._server = server
        self._contexts = contexts
        self._client: httpx.AsyncClient | None = None

    async def measure(self) -> tuple[list[Reading], str]:
        """All readings; where there are none, ``up`` and ``nginx_up`` 0 and the reason in words."""
        seconds = self._server.timeout / 1000
        try:
            with lost_while_connecting():
                async with asyncio.timeout(seconds):
                    found = parse_stub_status(await self._page())
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return _down(explain(error, seconds))
        except ValueError as error:
            return _down(str(error))
        return [("up", {}, 1.0), ("nginx_up", {}, 1.0), *found], ""

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _page(self) -> bytes:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._contexts.get(verify=self._server.verify_certificate),
                timeout=None,  # noqa: S113 - measure() limits the whole
                trust_env=False,
                headers={"User-Agent": "eldonia-ops"},
            )
        headers = {name: value.reveal() for name, value in self._server.headers.items()}
        request = {"Accept-Encoding": "identity", **headers}
        async with self._client.stream("GET", self._server.url, headers=request) as answer:
            if answer.status_code != 200:
                raise BodyError(status_words(answer.status_code))
            return b"".join([piece async for piece in body_pieces(answer, _MAX_BYTES)])


def _down(problem: str) -> tuple[list[Reading], str]:
    return [("up", {}, 0.0), ("nginx_up", {}, 0.0)], problem

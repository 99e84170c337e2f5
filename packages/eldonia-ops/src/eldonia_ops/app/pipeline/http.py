"""A source of a pipeline that is sent HTTP requests."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import HttpServer
from eldonia_ops.app.pipeline.listeners import server_tls_of
from eldonia_ops.app.pipeline.ports import SourcePort
from eldonia_ops.collectors.status import TargetStatus
from eldonia_ops.model.places import is_loopback
from eldonia_ops.pipeline.inputs import HttpInput
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError
from eldonia_ops.services.pipeline.requests import HttpAnswer, HttpRequest, HttpRequests, allowed_origin, fault
from eldonia_ops.web.limits import read_raw

_LARGE_BYTES: Final = 256 * 1024
_MOST_LARGE: Final = 4
_METHODS: Final = ("POST", "PUT")


class HttpSource:
    """A ``<source>`` of type http. Without certificates of clients only this machine may send; pages in browsers only
    from the origins of ``cors_allow_origins``."""

    def __init__(self, source: HttpInput, requests: HttpRequests) -> None:
        self._source = source
        self._requests = requests
        self._large = asyncio.Semaphore(_MOST_LARGE)
        self._port: SourcePort[HttpServer] = SourcePort(source, self._started)

    async def run(self) -> None:
        """Listen until cancelled. A port that is taken is tried again."""
        await self._port.run()

    async def close(self) -> None:
        """Accept nothing more, and let what was read come to its end."""
        if (server := self._port.server) is not None:
            server.close()
            with contextlib.suppress(OSError):
                await server.stop()
            self._port.server = None

    def statuses(self) -> Sequence[TargetStatus]:
        """Whether it listens."""
        return [self._port.status()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        answer = await self._answer(request)
        response = Response(answer.body, answer.status, {**answer.headers, **self._cors(request)})
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> HttpAnswer:
        source, origin = self._source, request.headers.get("origin")
        address = request.client.host if request.client is not None else ""
        if not source.transport.client_ca_file and not is_loopback(address):
            return fault(403, "only programs of this machine may send here without a certificate")
        if request.method == "OPTIONS":
            return self._preflight(request)
        if origin is not None and not allowed_origin(source, origin):
            return fault(403, "this source takes nothing from pages of this origin: cors_allow_origins names those")
        if request.method not in _METHODS and not (request.method == "GET" and source.empty_image):
            return fault(405, "send events with POST", Allow=", ".join(_METHODS))
        try:
            body = await self._body(request)
        except TooLargeError as error:
            return fault(413, str(error), Connection="close")
        except BadEncodingError as error:
            return fault(400, str(error), Connection="close")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers.raw}
        query = request.scope.get("query_string", b"").decode("latin-1")
        path = request.scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1")
        return await self._requests.take(HttpRequest(path, query, headers, body, address))

    async def _body(self, request: Request) -> bytes:
        """The body. Only few large ones are held at once: others wait, and so do their senders."""
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) <= _LARGE_BYTES:
            return await read_raw(request, self._source.body_size_limit)
        async with self._large:
            return await read_raw(request, self._source.body_size_limit)

    def _preflight(self, request: Request) -> HttpAnswer:
        """A browser asks whether a page may send."""
        origin = request.headers.get("origin", "")
        if not origin or not request.headers.get("access-control-request-method"):
            return fault(403, "OPTIONS is for browsers that ask before they send")
        if not allowed_origin(self._source, origin):
            return fault(403, "this source takes nothing from pages of this origin: cors_allow_origins names those")
        wanted = request.headers.get("access-control-request-headers", "")
        allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": wanted}
        return HttpAnswer(200, b"", {"Content-Type": "text/plain", **allowed})

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        allowed = "" if origin is None else allowed_origin(self._source, origin)
        found = {"Access-Control-Allow-Origin": allowed, "Vary": "Origin"} if allowed else {}
        if allowed and self._source.cors_credentials:
            found["Access-Control-Allow-Credentials"] = "true"
        return found

    async def _started(self, bound: socket.socket) -> HttpServer:
        source = self._source
        name = f"pipeline-{source.type}-{source.place.line}"
        tls = server_tls_of(source.transport)
        server = HttpServer(name, self, bound, Places(), tls, keep_alive_seconds=int(source.keepalive_seconds))
        await server.start()
        return server

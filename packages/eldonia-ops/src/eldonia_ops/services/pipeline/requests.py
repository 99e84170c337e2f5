"""Requests to a ``<source>`` of type http: read, sent through the pipeline, and answered as Fluentd answers.

200 means that every output has taken the events. An output that does not take them now is answered with 503 and
Retry-After, so who sends has to send again.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from eldonia_ops.intake import IntakeError
from eldonia_ops.intake.http_input.decode import decode_events
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import HttpInput
from eldonia_ops.pipeline.parsers import ParseError
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError, unpack
from eldonia_ops.services.pipeline.entry import Pipeline

_NS: Final = 1_000_000_000
_MS: Final = 1_000_000
_LATEST: Final = 2**63 // _NS
_MOST_PARAMETERS: Final = 64
_MOST_TAG: Final = 1_024
_MOST_KEY: Final = 200
_RETRY_SECONDS: Final = "2"
_FORM: Final = "application/x-www-form-urlencoded"
_IN_THE_QUERY: Final = ("json", "ndjson", "msgpack")
_IMAGE: Final = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A GIF of one transparent pixel."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """``path`` and ``query`` are as they were sent, ``headers`` by lower-case names; ``address`` is who sends."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def fault(status: int, message: str, **headers: str) -> HttpAnswer:
    """The status in words, and a line of text."""
    body = f"{status} {HTTPStatus(status).phrase}\n{message}\n".encode("utf-8", "replace")
    return HttpAnswer(status, body, {"Content-Type": "text/plain; charset=utf-8", **headers})


class HttpRequests:
    """Takes the requests of one source."""

    def __init__(self, source: HttpInput, runner: Pipeline, clock: Clock) -> None:
        self._source = source
        self._runner = runner
        self._clock = clock

    async def take(self, request: HttpRequest) -> HttpAnswer:
        """The answer to a request, once what it holds is taken or refused."""
        try:
            batch = await asyncio.to_thread(self.batch, request)
        except TooLargeError as error:
            return fault(413, str(error))
        except IntakeError as error:
            return fault(error.status, str(error))
        except (BadEncodingError, ParseError, ValueError) as error:
            return fault(400, str(error))
        try:
            await self._runner.emit(batch, self._source.label)
        except OutputError as error:
            return fault(503, str(error), **{"Retry-After": _RETRY_SECONDS})
        if self._source.empty_image:
            return HttpAnswer(200, _IMAGE, {"Content-Type": "image/gif; charset=utf-8"})
        return HttpAnswer(204) if self._source.no_content else HttpAnswer(200, b"", {"Content-Type": "text/plain"})

    def batch(self, request: HttpRequest) -> Batch:
        """The events of a request.

        Raises:
            IntakeError, ParseError, BadEncodingError, TooLargeError: they cannot be read.
        """
        source, now_ns = self._source, self._clock.now() * _MS
        tag = source.tag_of(unquote(request.path))[:_MOST_TAG]
        if not tag:
            raise IntakeError("the path is the tag of the events: send them to /TAG")
        query = _parameters(request.query)
        headers = request.headers
        body = unpack(request.body, headers.get("content-encoding", "identity").strip().lower(), source.body_size_limit)
        stated = _time(query["time"]) if query.get("time") else 0
        more = self._more(request, query)
        found = self._parsed(body, now_ns) if source.parser is not None else self._decoded(headers, query, body, now_ns)
        events = tuple(
            Event(stated or now_ns if at is None else stated or at, {**record, **more} if more else record)
            for at, record in found
        )
        # Our own output of type http, and others, say so that a request is one that was sent before.
        named = headers.get("idempotency-key", "")[:_MOST_KEY]
        key = f"{source.id} {request.address} {named}" if named else ""
        return Batch(tag, events, f"{source.type} ({request.address})", key)

    def _parsed(self, body: bytes, now_ns: int) -> list[tuple[int | None, dict[str, Any]]]:
        assert self._source.parser is not None
        return self._source.parser.parse_bytes(body, now_ns)

    def _decoded(
        self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, now_ns: int
    ) -> list[tuple[int | None, dict[str, Any]]]:
        content_type = headers.get("content-type", "")
        if not body and any(name in query for name in _IN_THE_QUERY):
            # A form in the query: what follows is read as one.
            name = next(name for name in _IN_THE_QUERY if name in query)
            kind = {"json": "application/json", "ndjson": "application/x-ndjson", "msgpack": "application/msgpack"}
            content_type, body = kind[name], query[name].encode("latin-1" if name == "msgpack" else "utf-8", "replace")
        records = decode_events(content_type, body)
        fields = self._source.fields
        return [(None, record) if fields is None else fields.finish(record, now_ns) for record in records]

    def _more(self, request: HttpRequest, query: Mapping[str, str]) -> dict[str, str]:
        """The fields that are added to every record, as Fluentd names them."""
        source = self._source
        found: dict[str, str] = {}
        if source.add_http_headers:
            secret = ("authorization", "cookie", "proxy-authorization")
            found |= {
                f"HTTP_{name.upper().replace('-', '_')}": value
                for name, value in request.headers.items()
                if name not in secret
            }
        if source.add_query_params:
            found |= {
                f"QUERY_{name.upper().replace('-', '_')}": value
                for name, value in query.items()
                if name not in _IN_THE_QUERY
            }
        if source.remote_addr_key:
            found[source.remote_addr_key] = request.address
        return found


def allowed_origin(source: HttpInput, origin: str) -> str:
    """What Access-Control-Allow-Origin says to an origin, '' for one that may not send."""
    if "*" in source.cors_origins:
        return "*"
    for one in source.cors_origins:
        before, star, behind = one.partition("*")
        long_enough = len(origin) >= len(before) + len(behind)
        if origin == one or (star and long_enough and origin.startswith(before) and origin.endswith(behind)):
            return origin
    return ""


def _parameters(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS))
    except ValueError:
        raise IntakeError(f"there are more than {_MOST_PARAMETERS} parameters") from None


def _time(stated: str) -> int:
    """Unix nanoseconds of the parameter ``time``; 0 for none, as 0 is in Fluentd."""
    try:
        seconds = float(stated) if len(stated) <= 32 else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < _LATEST:
        raise IntakeError("the parameter time is no number of Unix seconds")
    return int(seconds * 1e6) * 1_000

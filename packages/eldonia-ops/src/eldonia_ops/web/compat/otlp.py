"""OTLP/HTTP intake: traces, logs and metrics, in protobuf or JSON.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp. An answer means that what was
taken is stored; exporters repeat what got no answer, or 429, 502, 503 or 504. Bodies are unpacked and
decoded on two threads of their own: large ones take seconds, in which alerting has to go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.otlp import (
    Encoding,
    OtlpError,
    Rejections,
    TooManyError,
    decode_logs,
    decode_metrics,
    decode_traces,
    encode_error,
    encode_response,
    encoding_of,
)
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.gate import GuardedRoute, caller_of
from eldonia_ops.web.limits import BadEncodingError, RequestLimits, TooLargeError, read_raw, unpack
from eldonia_ops.web.problems import ApiDialect, Problem

log = logging.getLogger("eldonia_ops.web.otlp")

_THREADS = 2
_TOO_LARGE = "a whole request that holds too much"
_UNREADABLE = "a whole request that cannot be read"

Decode = Callable[[bytes, Encoding], Any]
Store = Callable[[Any], Awaitable[Rejections]]


async def envelope(request: Request, problem: Problem) -> Response:
    """``google.rpc.Status`` in the encoding of the request."""
    headers = problem.answer_headers("Basic", "Bearer")
    encoding = encoding_of(request.headers.get("content-type", "")) or Encoding.JSON
    return Response(
        encode_error(problem.sentence, encoding), status_code=problem.status, headers=headers, media_type=encoding
    )


def routes(platform: Platform, limits: RequestLimits) -> list[GuardedRoute]:
    """``/v1/traces``, ``/v1/logs`` and ``/v1/metrics``."""
    ingest = platform.ingest
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp")

    def now_ns() -> int:
        return platform.now() * 1_000_000

    async def traces(decoded: Any) -> Rejections:
        spans, rejections = decoded
        return _noted(rejections, await ingest.spans(spans))

    async def logs(decoded: Any) -> Rejections:
        records, rejections = decoded
        return _noted(rejections, await ingest.logs(records))

    async def metrics(decoded: Any) -> Rejections:
        samples, metadata, rejections = decoded
        return _noted(rejections, await ingest.samples(samples, metadata))

    def source(request: Request) -> str:
        """The sender, as the targets page names it: what it says of itself is not to be relied on."""
        return f"{caller_of(request).name} ({request.client.host if request.client else 'unknown'})"

    def route(signal: str, decode: Decode, store: Store) -> GuardedRoute:
        def decoded(raw: bytes, packing: str, encoding: Encoding) -> Any:
            return decode(unpack(raw, packing, limits.ingest_decoded), encoding)

        async def endpoint(request: Request) -> Response:
            encoding = encoding_of(request.headers.get("content-type", ""))
            if encoding is None:
                problem = Problem(415, "media_type", "send application/x-protobuf or application/json")
                return await envelope(request, problem)
            packing = request.headers.get("content-encoding", "identity").strip().lower()
            try:
                raw = await read_raw(request, limits.ingest)
                found = await asyncio.get_running_loop().run_in_executor(threads, decoded, raw, packing, encoding)
            except (TooLargeError, TooManyError) as error:
                ingest.refused(signal, source(request), {_TOO_LARGE: 1})
                return await envelope(request, Problem(413, "too_large", str(error)))
            except (OtlpError, BadEncodingError) as error:
                ingest.refused(signal, source(request), {_UNREADABLE: 1})
                return await envelope(request, Problem(400, "bad_request", str(error)))
            try:
                rejections = await store(found)
                ingest.refused(signal, source(request), rejections.by_reason)
            except TelemetryError as error:
                # Exporters drop what is answered with 500, and send again what is answered with 503.
                log.error("%s were not stored: %s", signal, error)
                return await envelope(request, Problem(503, "not_stored", "this could not be stored; send it again"))
            return Response(encode_response(signal, rejections, encoding), media_type=encoding)

        return GuardedRoute(
            f"/v1/{signal}",
            endpoint,
            demand=Permission.INGEST,
            family=ApiDialect.OTLP,
            methods=("POST",),
            streams=True,
        )

    return [
        route("traces", decode_traces, traces),
        route("logs", lambda body, encoding: decode_logs(body, encoding, now_ns()), logs),
        route("metrics", lambda body, encoding: decode_metrics(body, encoding, now_ns()), metrics),
    ]


def _noted(rejections: Rejections, refused: Mapping[str, int]) -> Rejections:
    for reason, count in refused.items():
        rejections.add(reason, count)
    return rejections

"""OTLP/HTTP intake: traces, logs and metrics, in protobuf or JSON.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp. An answer means that what was
taken is stored; exporters repeat what got no answer, or 429, 502, 503 or 504.
"""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.protocols.otlp import (
    Encoding,
    OtlpError,
    Rejections,
    decode_logs,
    decode_metrics,
    decode_traces,
    encode_error,
    encode_response,
    encoding_of,
)
from eldonia_ops.services.contracts import Platform
from eldonia_ops.web.access import Demand
from eldonia_ops.web.gate import Family, GuardedRoute, Problem
from eldonia_ops.web.limits import BadEncodingError, Limits, TooLargeError, read_body

Take = Callable[[bytes, Encoding], Awaitable[Rejections]]


async def envelope(request: Request, problem: Problem) -> Response:
    """``google.rpc.Status`` in the encoding of the request."""
    headers = dict(problem.headers)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="eldonia-ops", Bearer realm="eldonia-ops"'
    message = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
    encoding = encoding_of(request.headers.get("content-type", "")) or Encoding.JSON
    return Response(encode_error(message, encoding), status_code=problem.status, headers=headers, media_type=encoding)


def routes(platform: Platform, limits: Limits) -> list[GuardedRoute]:
    """``/v1/traces``, ``/v1/logs`` and ``/v1/metrics``."""
    ingest = platform.ingest

    async def traces(body: bytes, encoding: Encoding) -> Rejections:
        spans, rejections = decode_traces(body, encoding)
        await ingest.spans(spans)
        return rejections

    async def logs(body: bytes, encoding: Encoding) -> Rejections:
        records, rejections = decode_logs(body, encoding, platform.now() * 1_000_000)
        await ingest.logs(records)
        return rejections

    async def metrics(body: bytes, encoding: Encoding) -> Rejections:
        samples, metadata, rejections = decode_metrics(body, encoding, platform.now() * 1_000_000)
        await ingest.samples(samples, metadata)
        return rejections

    def route(signal: str, take: Take) -> GuardedRoute:
        async def endpoint(request: Request) -> Response:
            encoding = encoding_of(request.headers.get("content-type", ""))
            if encoding is None:
                problem = Problem(415, "media_type", "send application/x-protobuf or application/json")
                return await envelope(request, problem)
            try:
                rejections = await take(await read_body(request, limits), encoding)
            except TooLargeError as error:
                return await envelope(request, Problem(413, "too_large", str(error)))
            except (OtlpError, BadEncodingError) as error:
                return await envelope(request, Problem(400, "bad_request", str(error)))
            return Response(encode_response(signal, rejections, encoding), media_type=encoding)

        return GuardedRoute(
            f"/v1/{signal}",
            endpoint,
            demand=Demand.INGEST,
            family=Family.OTLP,
            methods=("POST",),
            streams=True,
        )

    return [route("traces", traces), route("logs", logs), route("metrics", metrics)]

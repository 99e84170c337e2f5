"""OTLP/HTTP intake: traces, logs and metrics, in protobuf or JSON.

Specification: https://opentelemetry.io/docs/specs/otlp/#otlphttp. An answer means that what was
taken is stored; exporters repeat what got no answer, or 429, 502, 503 or 504.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from eldonia_ops.intake import (
    Accept,
    Fault,
    HttpListener,
    Intake,
    IntakeAnswer,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
    UnsupportedError,
)
from eldonia_ops.intake.otlp.logs import decode_logs
from eldonia_ops.intake.otlp.messages import Encoding, Rejections, encode_error, encode_response, encoding_of
from eldonia_ops.intake.otlp.metrics import decode_metrics
from eldonia_ops.intake.otlp.traces import decode_traces
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.packed_body import unpack

_MS: Final = 1_000_000

Decode = Callable[[bytes, Encoding, int], Any]
Store = Callable[[IntakePlatform, Any], Awaitable[Rejections]]


def fault(headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """``google.rpc.Status`` in the encoding of the request."""
    encoding = encoding_of(headers.get("content-type", "")) or Encoding.JSON
    return IntakeAnswer(problem.status, encode_error(problem.message, encoding), encoding)


async def _store_traces(platform: IntakePlatform, decoded: Any) -> Rejections:
    spans, rejections = decoded
    return _with(rejections, (await platform.spans.spans(spans)).by_reason)


def _decode_logs(body: bytes, encoding: Encoding, received_ns: int) -> Any:
    records, rejections = decode_logs(body, encoding, received_ns)
    return records, rejections, repeat_key(body, records, received_ns)


def repeat_key(body: bytes, records: Sequence[LogRecord], received_ns: int) -> str:
    """By which a request is known that is sent again since its answer was lost; '' where it may be another one.

    The protocol has no ids. Requests that are equal to the byte are one if every record says its time, unless it is a
    single record with a time of whole milliseconds: of those there may be two.
    """
    times = [record.timestamp_ns for record in records]
    if not times or received_ns in times or (len(times) == 1 and not times[0] % _MS):
        return ""
    return f"otlp {hashlib.blake2b(body, digest_size=20).hexdigest()}"


async def _store_logs(platform: IntakePlatform, decoded: Any) -> Rejections:
    records, rejections, key = decoded
    return _with(rejections, (await platform.logs.logs(records, batch_key=key)).by_reason)


async def _store_metrics(platform: IntakePlatform, decoded: Any) -> Rejections:
    samples, metadata, rejections = decoded
    return _with(rejections, await platform.samples.samples(samples, metadata))


def _with(rejections: Rejections, refused: Mapping[str, int]) -> Rejections:
    for reason, count in refused.items():
        rejections.add(reason, count)
    return rejections


def _accept(signal: str, decode: Decode, store: Store) -> Accept:
    async def accept(platform: IntakePlatform, request: IntakeRequest) -> IntakeAnswer:
        encoding = encoding_of(request.content_type)
        if encoding is None:
            raise UnsupportedError("send application/x-protobuf or application/json")

        def decoded() -> Any:
            body = unpack(request.body, request.encoding, platform.limits.unpacked)
            return decode(body, encoding, platform.now_ns())

        rejections = await store(platform, await platform.aside(decoded))
        platform.refused(signal, request.sender, rejections.by_reason)
        return IntakeAnswer(200, encode_response(signal, rejections, encoding), encoding)

    return accept


INTAKE: Final = Intake(
    "otlp",
    tuple(
        IntakeRoute(f"/v1/{signal}", signal, _accept(signal, decode, store))
        for signal, decode, store in (
            ("traces", lambda body, encoding, _: decode_traces(body, encoding), _store_traces),
            ("logs", _decode_logs, _store_logs),
            ("metrics", decode_metrics, _store_metrics),
        )
    ),
    fault,
    prefix="/v1/",
    listeners=(HttpListener("otlp_http", 4318),),
)
"""The intake."""

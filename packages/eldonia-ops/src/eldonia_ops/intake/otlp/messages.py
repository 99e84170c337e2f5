"""The envelope of OTLP/HTTP: encodings, answers, and the count of refused parts."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from eldonia_ops.intake import IntakeError
from eldonia_ops.intake.otlp.json_messages import decode_json
from eldonia_ops.protocols.protobuf_count import holds_more_than

_M = TypeVar("_M", bound=Message)
_J = TypeVar("_J", bound=msgspec.Struct)
_MESSAGES_SHOWN = 5
MAX_ITEMS: Final = 50_000
"""How many resources, scopes and items (log records, spans, metrics) one request may hold together."""

MAX_SHARED_BYTES: Final = 64 * 1024 * 1024
"""What the resources of one request may take once each item carries a copy of its own."""

_MAX_PARTS = 500_000
_MAX_JSON_COMMAS = 4_000_000


class Encoding(StrEnum):
    """The two encodings, by their Content-Type."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class OtlpError(IntakeError):
    """A body that cannot be decoded at all; the answer is 400."""


class TooManyError(OtlpError):
    """A body with more in it than one request may hold."""

    status = 413
    code = "too_large"


class Rejections:
    """Parts of a request that were refused: how many, and why in words for ``partial_success``."""

    def __init__(self) -> None:
        self.count = 0
        self._reasons: dict[str, int] = {}
        self.by_reason: dict[str, int] = {}

    def add(self, reason: str, count: int = 1, *, subject: str = "") -> None:
        """Note ``count`` refused items (spans, log records, data points). ``subject``, such as the name of a
        metric, comes from the sender: the sender reads it, and ``by_reason`` counts without it."""
        self.count += count
        self.by_reason[reason] = self.by_reason.get(reason, 0) + count
        if subject:
            reason = f"{subject}: {reason}"
        if reason in self._reasons or len(self._reasons) < 100:
            self._reasons[reason] = self._reasons.get(reason, 0) + count

    @property
    def message(self) -> str:
        """The commonest reasons, or an empty string when nothing was refused."""
        ordered = sorted(self._reasons.items(), key=lambda item: -item[1])
        shown = [f"{reason} ({count}x)" if count > 1 else reason for reason, count in ordered[:_MESSAGES_SHOWN]]
        if len(ordered) > _MESSAGES_SHOWN:
            shown.append(f"and {len(ordered) - _MESSAGES_SHOWN} other reasons")
        return "; ".join(shown)


def encoding_of(content_type: str) -> Encoding | None:
    """The encoding that a Content-Type header names, or None for one that OTLP does not have."""
    media = content_type.partition(";")[0].strip().lower()
    return next((encoding for encoding in Encoding if encoding.value == media), None)


def decode_request(message: type[_M], kind: type[_J], body: bytes, encoding: Encoding) -> _M | _J:
    """A request out of a body: protobuf's own class, or the struct of the same shape when it is JSON.

    Raises:
        OtlpError: the body is not such a message.
        TooManyError: it holds too much.
    """
    try:
        # Two bytes make an object of a hundred in memory: count before decoding.
        if encoding is Encoding.PROTOBUF:
            if holds_more_than(body, message.DESCRIPTOR, _MAX_PARTS):
                raise TooManyError(f"the body has more than {_MAX_PARTS:,} messages inside; send less at once")
            return message.FromString(body)
        if body.count(b"{") + body.count(b"[") > _MAX_PARTS or body.count(b",") > _MAX_JSON_COMMAS:
            raise TooManyError(f"the JSON body has more than {_MAX_PARTS:,} objects and lists; send less at once")
        return decode_json(kind, body)
    except DecodeError:
        raise OtlpError("the body is not a valid OTLP protobuf message") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OtlpError(f"the body is not valid OTLP JSON: {str(error)[:300]}") from None


def raw_id(id: bytes | str) -> bytes:
    """A trace or span id as bytes. JSON writes it in hex; what is no hex becomes an id that no check lets pass."""
    if isinstance(id, bytes):
        return id
    try:
        return bytes.fromhex(id)
    except ValueError:
        return b"?"


def enum_number(enum: Any, value: int | str) -> int:
    """The number of a member of one of protobuf's enumerations; JSON may name it, an unknown name counts as 0."""
    if isinstance(value, int):
        return value
    number = enum.DESCRIPTOR.values_by_name.get(value)
    return 0 if number is None else number.number


def check_size(groups: Iterable[Any], scopes: str, items: str) -> None:
    """Refuse a request with too many parts before any of them is turned into objects of ours.

    ``scopes`` and ``items`` name the two nested lists.

    Raises:
        TooManyError: it has more than :data:`MAX_ITEMS`.
    """
    count = 0
    for group in groups:
        count += 1
        for scoped in getattr(group, scopes):
            count += 1 + len(getattr(scoped, items))
            if count > MAX_ITEMS:
                break
        if count > MAX_ITEMS:
            raise TooManyError(f"more than {MAX_ITEMS:,} items in one request; send smaller batches")


class SharedResources:
    """Counts what resources take once they are copied to each of their items."""

    def __init__(self) -> None:
        self._size = 0

    def add(self, resource: dict[str, Any], count: int) -> None:
        """Count a resource for ``count`` more items.

        Raises:
            TooManyError: together they exceed :data:`MAX_SHARED_BYTES`.
        """
        self._size += len(msgspec.json.encode(resource)) * count if resource else 0
        if self._size > MAX_SHARED_BYTES:
            raise TooManyError("the resource attributes are too large for so many items; send smaller batches")


_RESPONSES: Final[dict[str, tuple[type[Message], str]]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}


def encode_response(signal: str, rejections: Rejections, encoding: Encoding) -> bytes:
    """The body of a 200 answer; ``signal`` is ``traces``, ``logs`` or ``metrics``."""
    kind, field = _RESPONSES[signal]
    response: Any = kind()
    if rejections.count:
        setattr(response.partial_success, field, rejections.count)
        response.partial_success.error_message = rejections.message
    if encoding is Encoding.PROTOBUF:
        return response.SerializeToString()
    return msgspec.json.encode(json_format.MessageToDict(response))


def encode_error(message: str, encoding: Encoding) -> bytes:
    """The body of a 4xx or 5xx answer: ``google.rpc.Status`` with a message and no details."""
    if encoding is Encoding.JSON:
        return msgspec.json.encode({"message": message})
    text = message.encode("utf-8")[:16_000]
    length, size = bytearray(), len(text)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    # Field 2 of google.rpc.Status, a string; the package that holds the message is not worth a dependency.
    return b"\x12" + bytes(length) + text

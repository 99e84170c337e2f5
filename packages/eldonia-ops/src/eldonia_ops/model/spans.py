"""Spans, after the OpenTelemetry trace data model."""

from enum import StrEnum
from typing import Any

import msgspec


class SpanKind(StrEnum):
    """Which side of a call a span describes."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class SpanStatus(StrEnum):
    """How a span ended."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


class SpanEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened during a span. ``timestamp_ns`` is Unix nanoseconds."""

    timestamp_ns: int
    name: str
    attributes: dict[str, Any] = {}


class SpanLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """A reference to a span of the same or another trace."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One span. Ids are lower-case hex: 32 digits for traces, 16 for spans, '' for no parent."""

    trace_id: str
    span_id: str
    parent_span_id: str = ""
    service: str = ""
    name: str = ""
    kind: SpanKind = SpanKind.INTERNAL
    start_ns: int
    end_ns: int
    status: SpanStatus = SpanStatus.UNSET
    status_message: str = ""
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] = {}
    events: list[SpanEvent] = []
    links: list[SpanLink] = []
    scope: str = ""

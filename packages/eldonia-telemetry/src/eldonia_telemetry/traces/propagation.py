"""W3C Trace Context (https://www.w3.org/TR/trace-context/): ``traceparent`` and ``tracestate``."""

import re
from collections.abc import MutableMapping
from typing import Final

import msgspec

from eldonia_telemetry import context

_TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_MAX_TRACESTATE: Final = 512
_NO_TRACE: Final = "0" * 32
_NO_SPAN: Final = "0" * 16
_DASH: Final = ord("-")
_ODD: Final = "13579bdf"


class SpanContext(msgspec.Struct, frozen=True, gc=False):
    """What travels between processes: lower-case hex ids (32 and 16 digits), the sampling decision, vendors' state."""

    trace_id: str
    span_id: str
    sampled: bool
    tracestate: str = ""


def received(traceparent: bytes, tracestate: bytes) -> SpanContext | None:
    """:func:`extract` for headers as they come (``tracestate`` b'' if there is none), quick for version 00."""
    if (
        len(traceparent) == 55
        and traceparent.startswith(b"00-")
        and traceparent[35] == traceparent[52] == _DASH
        and traceparent.translate(None, b"0123456789abcdef") == b"---"
    ):
        text = traceparent.decode("ascii")
        trace_id, span_id = text[3:35], text[36:52]
        if trace_id == _NO_TRACE or span_id == _NO_SPAN:
            return None
        state = _state(tracestate.decode("latin-1")) if tracestate else ""
        return SpanContext(trace_id, span_id, text[54] in _ODD, state)
    return extract(traceparent.decode("latin-1"), tracestate.decode("latin-1"))


def extract(traceparent: str | None, tracestate: str | None = None) -> SpanContext | None:
    """Read the headers; None when there is none, or it is invalid (then the trace starts here, section 4.3)."""
    if not isinstance(traceparent, str) or not isinstance(tracestate, str | None):
        return None
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    # Later versions may append fields; version 00 may not, and ff is forbidden.
    if version == "ff" or (version == "00" and rest) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return SpanContext(trace_id, span_id, bool(int(flags, 16) & 1), _state(tracestate or ""))


def _state(given: str) -> str:
    state = given.strip()
    return state if len(state) <= _MAX_TRACESTATE and state.isascii() and state.isprintable() else ""


def traceparent(context: SpanContext) -> str:
    """The header's value, version 00."""
    return f"00-{context.trace_id}-{context.span_id}-{'01' if context.sampled else '00'}"


def inject(headers: MutableMapping[str, str]) -> None:
    """Add the current span's context to the headers of an outgoing request; nothing without a span."""
    current = context.trace_context()
    if current is not None:
        headers["traceparent"] = traceparent(current)
        if current.tracestate:
            headers["tracestate"] = current.tracestate

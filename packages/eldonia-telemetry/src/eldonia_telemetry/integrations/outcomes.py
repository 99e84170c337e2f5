"""What requests of one method, route and status have in common: metrics, most of the access record and of the span.

Between other code, every step is two or three times as slow as in a loop of its own. So a request only
leaves its duration here; counters and histograms take them many at a time, and before anyone looks.
Record and span are joined from pieces of JSON, most of which many requests share.
"""

import os
import threading
from typing import Final

from eldonia_telemetry import lines, metrics, redact, runtime, values
from eldonia_telemetry.metrics.registry import MAX_SERIES
from eldonia_telemetry.performance import ending
from eldonia_telemetry.records import INFO
from eldonia_telemetry.traces import Span, otlp_json

_GATHERED: Final = 64
"""Requests of one kind that are put into the metrics together."""


UNMATCHED: Final = "unmatched"
"""The handler of requests that no route matches."""

_SPAN: Final = (
    b'{"traceId":"%b","spanId":"%b",%b%b,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","flags":%d,"attributes":['
    b'{"key":"url.path","value":{"stringValue":%b}},{"key":"http.request.id","value":{"stringValue":"%b"}},'
)


class Outcome:
    """Requests of one method, route and status.

    ``plain``: its pieces hold nothing that might have to be hidden.
    """

    __slots__ = (
        *("_counter", "_durations", "_histogram", "_origin", "_pending", "_together"),
        *("_record_begin", "_record_end", "_span_begin", "_span_end", "operation", "plain", "span_name"),
    )

    def __init__(self, method: str, handler: str, status: int, *, together: int = _GATHERED) -> None:
        self._together = together
        self.operation = f"{method} {handler}"
        self._counter = metrics.standard.requests.labels(method, handler, str(status))
        self._histogram = metrics.standard.duration.labels(method, handler)
        self._pending: list[tuple[float, str | None, float]] = []
        self._durations: list[float] = []
        self._origin: tuple[runtime.Runtime | None, bytes] = (None, b"")
        metadata = lines.encode({"method": method, "path": "", "handler": values.encodable(handler), "status": status})
        self.plain = not redact.may_hide(metadata, 4)
        before, path, after = metadata.replace(b"%", b"%%").partition(b'"path":')
        self._record_begin = f',"message":"{method} '.encode()
        self._record_end = b'ms","metadata":%b%b%%b%b,"performance":{"duration":%%.3f}' % (before, path, after[2:])
        shown = {"http.request.method": method, "http.response.status_code": status}
        if handler != UNMATCHED:
            shown["http.route"] = handler
        self.span_name = self.operation if handler != UNMATCHED else method
        self._span_begin = b'"name":%b,"kind":2' % lines.encode(values.encodable(self.span_name))
        self._span_end = b",%b]}" % otlp_json.attributes(shown, redact=False)

    def count(self, seconds: float, trace_id: str | None, at: float, plain: bool) -> None:
        """Count a request that took ``seconds``, ended at ``at`` (Unix seconds) and belongs to a trace, or to none.

        ``plain``: it is an operation of :mod:`eldonia_telemetry.performance` in which nothing was to be counted.
        """
        self._pending.append((seconds, trace_id, at))
        if plain:
            self._durations.append(seconds * 1000)
        if len(self._pending) >= self._together:
            self.settle()

    def settle(self) -> None:
        """Put what is pending into the metrics. Others may add meanwhile."""
        with _lock:
            number = len(self._pending)
            if number:
                self._counter.inc(number)
                self._histogram.observe_all(self._pending[:number])
                del self._pending[:number]
            durations = self._durations[:]
            del self._durations[: len(durations)]
        if durations:
            ending.record_plain(self.operation, durations)

    def forget(self) -> None:
        """Leave out what is pending."""
        self._pending.clear()
        self._durations.clear()

    def origin(self, now: runtime.Runtime) -> bytes:
        """Level, service, component and operation of a record."""
        made_by, piece = self._origin
        if made_by is not now:
            piece = now.origin(INFO, now.settings.service, "http", self.operation)
            self._origin = (now, piece)
        return piece

    def content(self, path: bytes, status: int, seconds: float) -> bytes:
        """Message, metadata and performance of a record; ``path`` is what :func:`plain_path` made."""
        milliseconds = seconds * 1000
        said = b"%b%b %d %.1f" % (self._record_begin, path[1:-1], status, milliseconds)
        return said + self._record_end % (path, milliseconds)

    def span(self, span: Span, path: bytes, request_id: bytes, client: bytes) -> tuple[bytes, ...]:
        """A span that has ended, in pieces of its encoding; ``client`` is attributes of its own, encoded."""
        context, parent = span.context, span.parent_span_id
        own = _SPAN % (
            context.trace_id.encode(),
            context.span_id.encode(),
            b'"parentSpanId":"%b",' % parent.encode() if parent else b"",
            self._span_begin,
            span.start_ns,
            span.end_ns,
            context.sampled,
            path,
            request_id,
        )
        return (own, client, self._span_end)


def plain_path(path: str) -> bytes | None:
    """A path as JSON; None where it calls for more care: too long, no Unicode, something in it to hide."""
    try:
        told = lines.encode(path)
    except UnicodeEncodeError:
        return None
    return None if len(told) > values.MAX_TEXT or redact.may_hide(told, 0) else told


_lock = threading.Lock()
known: Final[dict[tuple[str, str, int], Outcome]] = {}
"""Those that are kept, for callers in a hurry."""


def outcome(method: str, handler: str, status: int) -> Outcome:
    """What such requests have in common; nothing is kept past ``MAX_SERIES`` kinds of them."""
    key = (method, handler, status)
    if key in known:
        return known[key]
    if len(known) >= MAX_SERIES:
        return Outcome(method, handler, status, together=1)
    return known.setdefault(key, Outcome(method, handler, status))


def settle() -> None:
    """Put everything that is pending into the metrics."""
    for one in list(known.values()):
        one.settle()


def _after_fork() -> None:
    """What waits, and who waits for an answer, is the parent's; another thread may have held the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    metrics.standard.being_answered.clear()
    for one in known.values():
        one.forget()


metrics.registry.settle_before(settle)
ending.statistics.settle_before(settle)
os.register_at_fork(after_in_child=_after_fork)

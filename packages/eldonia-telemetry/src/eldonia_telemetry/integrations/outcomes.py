"""What requests of one method, route and status have in common: metrics, most of the access record and of the span.

Between other code, every step is two or three times as slow as in a loop of its own. So a request in
which nothing was odd only leaves what is its own (:class:`Ended`), which becomes record and span together
with others' (:mod:`eldonia_telemetry.deferred_records`), joined from pieces of JSON that most requests share; and
counters and histograms take durations many at a time, before anyone looks.
"""

import os
import threading
from typing import Final

import msgspec

from eldonia_telemetry import metrics, record_encoder, redact, runtime, values
from eldonia_telemetry.metrics.registry import MAX_SERIES
from eldonia_telemetry.performance import operation_recorder
from eldonia_telemetry.records import INFO
from eldonia_telemetry.traces import otlp_json
from eldonia_telemetry.traces.tracer import LazySpan

_GATHERED: Final = 64
"""Requests of one kind that are put into the metrics together."""


UNMATCHED: Final = "unmatched"
"""The handler of requests that no route matches."""

_RECORD: Final = (
    b',"message":"%b %%b %d %%.1fms","metadata":%b%%b%b,"performance":{"duration":%%.3f},"traceId":"%%b","spanId":"%%b"'
)
_SPAN: Final = (
    b'{"traceId":"%b","spanId":"%b",%b%b,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","flags":%d,"attributes":['
    b'{"key":"url.path","value":{"stringValue":%b}},{"key":"http.request.id","value":{"stringValue":"%b"}},'
)


class Outcome:
    """Requests of one method, route and status.

    ``plain``: its pieces hold nothing that might have to be hidden.
    """

    __slots__ = (
        *("_content", "_counter", "_durations", "_histogram", "_pending", "_record", "_together"),
        *("_span_begin", "_span_end", "operation", "plain", "span_name"),
    )

    def __init__(self, method: str, handler: str, status: int, *, together: int = _GATHERED) -> None:
        self._together = together
        self.operation = f"{method} {handler}"
        self._counter = metrics.standard.requests.labels(method, handler, str(status))
        self._histogram = metrics.standard.duration.labels(method, handler)
        self._pending: list[tuple[float, str | None, float]] = []
        self._durations: list[float] = []
        self._record: tuple[runtime.Runtime | None, bytes] = (None, b"")
        metadata = record_encoder.encode(
            {"method": method, "path": "", "handler": values.encodable(handler), "status": status}
        )
        self.plain = not redact.may_hide(metadata, 4)
        before, path, after = _as_template(metadata).partition(b'"path":')
        self._content = _RECORD % (method.encode(), status, before + path, after[2:])
        shown = {"http.request.method": method, "http.response.status_code": status}
        if handler != UNMATCHED:
            shown["http.route"] = handler
        self.span_name = self.operation if handler != UNMATCHED else method
        self._span_begin = b'"name":%b,"kind":2' % record_encoder.encode(values.encodable(self.span_name))
        self._span_end = b",%b]}" % otlp_json.attributes(shown, redact=False)

    def count(self, seconds: float, trace_id: str | None, at: float, plain: bool) -> None:
        """Count a request that took ``seconds``, ended at ``at`` (Unix seconds) and belongs to a trace, or to none.

        ``plain``: it is an operation of :mod:`eldonia_telemetry.performance` in which nothing was to be counted.
        It reaches the metrics with others, once :data:`full` is seen to.
        """
        self._pending.append((seconds, trace_id, at))
        if plain:
            self._durations.append(seconds * 1000)
        if len(self._pending) >= self._together:
            full.add(self)

    def flush(self) -> None:
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
            operation_recorder.record_plain(self.operation, durations)

    def forget(self) -> None:
        """Leave out what is pending."""
        self._pending.clear()
        self._durations.clear()

    def record(self, now: runtime.Runtime) -> bytes:
        """The access record, for ``%`` to fill in: opening, who, path without quotes, ms, path, ms, trace, span."""
        made_for, template = self._record
        if made_for is not now:
            origin = now.origin(INFO, now.settings.service, "http", self.operation)
            template = b"%b" + _as_template(origin) + b"%b" + self._content + _as_template(now.closing)
            self._record = (now, template)
        return template

    def span(
        self, ids: tuple[str, str, str, bool], start_ns: int, end_ns: int, path: bytes, request_id: bytes, client: bytes
    ) -> otlp_json.Pieces:
        """A span that has ended, in pieces of its encoding.

        ``ids`` as :meth:`eldonia_telemetry.traces.tracer.Beginning.ids` gives them; ``path`` is JSON;
        ``client`` is attributes of its own, encoded.
        """
        trace_id, span_id, parent_span_id, sampled = ids
        own = _SPAN % (
            trace_id.encode(),
            span_id.encode(),
            b'"parentSpanId":"%b",' % parent_span_id.encode() if parent_span_id else b"",
            self._span_begin,
            start_ns,
            end_ns,
            sampled,
            path,
            request_id,
        )
        return (own, client, self._span_end)


class Ended(msgspec.Struct, gc=False):
    """A request that has ended and in which nothing was odd; it waits to be emitted with others.

    ``who`` and ``client`` are pieces of the record and of the span about whom it is from; ``exported``: the
    span, if it is recorded, goes out in pieces too.
    """

    outcome: Outcome
    path: str
    request_id: bytes
    who: bytes
    client: bytes
    lazy_span: LazySpan
    exported: bool

    def emit(self, now: runtime.Runtime, prepared: runtime.Prepared) -> None:
        """Make the record and the span."""
        outcome, path = self.outcome, _path(self.path, now.settings.redact)
        lazy_span = self.lazy_span
        started, start_ns, end_ns, ids = lazy_span.started, lazy_span.start_ns, lazy_span.end_ns, lazy_span.ids(now)
        trace_id, span_id, _, sampled = ids
        recorded = sampled and (now.exporter is not None if started is None else started.recording)
        seconds = (end_ns - start_ns) / 1e9
        prepared.counts.append((outcome, seconds, trace_id if recorded else None, end_ns / 1e9))
        if now.threshold <= INFO:
            milliseconds = seconds * 1000
            prepared.records.append(
                outcome.record(now)
                % (
                    record_encoder.opening(end_ns),
                    self.who,
                    path[1:-1],
                    milliseconds,
                    path,
                    milliseconds,
                    trace_id.encode(),
                    span_id.encode(),
                )
            )
        if self.exported and recorded:
            prepared.spans.append(outcome.span(ids, start_ns, end_ns, path, self.request_id, self.client))


def _as_template(piece: bytes) -> bytes:
    return piece.replace(b"%", b"%%")


def _path(path: str, hide: bool) -> bytes:
    """A path as JSON, bounded, and without secrets if ``hide``."""
    try:
        emitted = record_encoder.encode(path)
    except UnicodeEncodeError:
        return record_encoder.text(path, hide)
    return record_encoder.text(path, hide) if len(emitted) > values.MAX_TEXT or redact.may_hide(emitted, 0) else emitted


_lock = threading.Lock()
full: Final[set[Outcome]] = set()
"""Those with so much pending that it should be put into the metrics (:func:`settle_full`)."""
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


def settle_full() -> None:
    """Put into the metrics what is pending of those that have much."""
    while full:
        try:
            one = full.pop()
        except KeyError:  # another thread has seen to it
            return
        one.flush()


def flush() -> None:
    """Put everything that is pending into the metrics."""
    runtime.current.deferred.flush()
    settle_full()
    for one in list(known.values()):
        one.flush()


def _after_fork() -> None:
    """What waits, and who waits for an answer, is the parent's; another thread may have held the lock."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()
    metrics.standard.being_answered.clear()
    full.clear()
    for one in known.values():
        one.forget()


metrics.registry.settle_before(flush)
operation_recorder.statistics.settle_before(flush)
os.register_at_fork(after_in_child=_after_fork)

"""Request counts and durations out of spans, in memory; no clock, no store.

Names and labels are those of OpenTelemetry's span metrics connector with its default namespace, as its exporter for
Prometheus writes them: ``traces_span_metrics_calls_total`` and ``traces_span_metrics_duration_seconds`` with
``service_name``, ``span_name``, ``span_kind`` and ``status_code``. ``job`` is the service too, for rules that group
by it.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import STALE_NAN, MetricMetadata, MetricType, SampleRow
from eldonia_ops.model.spans import Span, SpanKind

CALLS: Final = "traces_span_metrics_calls_total"
DURATION: Final = "traces_span_metrics_duration_seconds"
BOUNDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of durations in seconds; another one has no bound."""

METADATA: Final = (
    MetricMetadata(CALLS, MetricType.COUNTER, "Spans that served a request, by service and operation."),
    MetricMetadata(DURATION, MetricType.HISTOGRAM, "How long requests took, from spans.", "seconds"),
)
OTHER: Final = "(other)"
"""The operation of spans whose own name is one too many."""

OPERATIONS_OF_A_SERVICE: Final = 200
SERVICES: Final = 500
IDLE_MS: Final = 3_600_000
"""After so long without a span, the series of an operation end."""

TARGET: Final = "span_metrics"
_LONGEST: Final = 200
_COUNTED: Final = frozenset((SpanKind.SERVER, SpanKind.CONSUMER))
_EDGES: Final = np.array(BOUNDS)
_PER_SERIES: Final = len(BOUNDS) + 4  # calls, buckets with the one without bound, sum, count

_Key = tuple[str, str, str, str]


class SpanCounts:
    """Counts the requests of every operation: spans of servers and consumers, and roots of no kind.

    At most ``max_series`` operations are kept apart, by service, name, kind and status; of one service at most
    :data:`OPERATIONS_OF_A_SERVICE` names. The rest is counted as :data:`OTHER`, and where even that is too much, it is
    ``dropped``.
    """

    def __init__(self, max_series: int) -> None:
        self.max_series = max_series
        self.dropped = 0
        self._counts: dict[_Key, NDArray[np.float64]] = {}
        self._labels: dict[_Key, tuple[Labels, ...]] = {}
        self._seen: dict[_Key, int] = {}
        self._fresh: list[_Key] = []
        self._given = (0, 0)  # how many of the fresh ones the last rows hold, and their instant
        self._names: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, spans: Sequence[Span], now_ms: int) -> None:
        """Count spans that were stored."""
        for span in spans:
            if span.kind in _COUNTED or (span.kind is SpanKind.INTERNAL and not span.parent_span_id):
                self._add(span, now_ms)

    def rows(self, before_ms: int, now_ms: int) -> list[SampleRow]:
        """What there is to be stored: a zero at ``before_ms`` for what is new since the last call, then all values.

        The zero lets ``rate`` see the first requests, and a restart as a reset. The series of what was idle for
        :data:`IDLE_MS` end. All that is given again until :meth:`stored` is called.
        """
        self._given = len(self._fresh), now_ms
        ended = [key for key, seen in self._seen.items() if now_ms - seen > IDLE_MS]
        found: list[SampleRow] = []
        if self._fresh:
            labels = [one for key in self._fresh for one in self._labels[key]]
            found.append(SampleRow(TARGET, before_ms, tuple(labels), np.zeros(len(labels))))
        if self._counts:
            labels = [one for key in self._counts for one in self._labels[key]]
            gone = set(ended)
            stale = np.full(_PER_SERIES, STALE_NAN)
            values = [stale if key in gone else _values(counts) for key, counts in self._counts.items()]
            found.append(SampleRow(TARGET, now_ms, tuple(labels), np.concatenate(values)))
        return found

    def stored(self) -> None:
        """What :meth:`rows` gave last is stored. What was counted in between is not lost."""
        fresh, given_ms = self._given
        del self._fresh[:fresh]
        for key in [key for key, seen in self._seen.items() if given_ms - seen > IDLE_MS]:
            self._forget(key)

    def _add(self, span: Span, now_ms: int) -> None:
        key = self._key(span)
        if key is None:
            self.dropped += 1
            return
        counts = self._counts.get(key)
        if counts is None:
            counts = self._counts[key] = np.zeros(len(BOUNDS) + 2)
            self._labels[key] = _labels(key)
            self._fresh.append(key)
        seconds = max(0, span.end_ns - span.start_ns) / 1e9
        counts[int(np.searchsorted(_EDGES, seconds))] += 1
        counts[-1] += seconds
        self._seen[key] = now_ms

    def _key(self, span: Span) -> _Key | None:
        service = _clean(span.service) or "unknown_service"
        kind, status = f"SPAN_KIND_{span.kind.name}", f"STATUS_CODE_{span.status.name}"
        names = self._names.get(service)
        if names is None:
            if len(self._names) >= SERVICES:
                return None
            names = self._names[service] = set()
        name = _clean(span.name)
        if name not in names:
            if len(names) >= OPERATIONS_OF_A_SERVICE or len(self._counts) >= self.max_series:
                name = OTHER
            names.add(name)
        key = (service, name, kind, status)
        if key in self._counts or len(self._counts) < self.max_series:
            return key
        other = (service, OTHER, kind, status)
        # Each service keeps a little beyond the bound, so that a noisy one does not make others invisible.
        return other if other in self._counts or len(self._counts) < self.max_series + 4 * SERVICES else None

    def _forget(self, key: _Key) -> None:
        for table in (self._counts, self._labels, self._seen):
            table.pop(key, None)
        service = key[0]
        left = {name for known, name, _, _ in self._counts if known == service}
        if left:
            self._names[service] = left
        else:
            self._names.pop(service, None)


def _clean(text: str) -> str:
    """A text as a label can hold it: bounded, without lone surrogates, which no series can be stored with."""
    text = text[:_LONGEST]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _labels(key: _Key) -> tuple[Labels, ...]:
    """The series of an operation in the order of :func:`_values`."""
    service, name, kind, status = key
    own = {"job": service, "service_name": service, "span_name": name, "span_kind": kind, "status_code": status}
    bounds = [*(f"{bound:g}" if bound % 1 else f"{bound:.1f}" for bound in BOUNDS), "+Inf"]
    return (
        Labels({METRIC_NAME: CALLS, **own}),
        *(Labels({METRIC_NAME: f"{DURATION}_bucket", **own, "le": bound}) for bound in bounds),
        Labels({METRIC_NAME: f"{DURATION}_sum", **own}),
        Labels({METRIC_NAME: f"{DURATION}_count", **own}),
    )


def _values(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    buckets = np.cumsum(counts[:-1])
    return np.concatenate(([buckets[-1]], buckets, [counts[-1], buckets[-1]]))

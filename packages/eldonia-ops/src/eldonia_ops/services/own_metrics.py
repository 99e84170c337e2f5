"""The platform's own metrics: what is counted here, what others know, and how both are exposed.

prometheus_client writes the text and OpenMetrics formats and keeps the histograms. (The SDK has a registry too; loading
it takes four times as long at a start, and a defect in it would hide itself here.)
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, UnknownMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from eldonia_ops.services.metric_declarations import BY_NAME, METRICS, REQUEST, REQUESTS, Type

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_SERIES: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?", re.DOTALL)
_LABEL: Final = re.compile(r',?([a-zA-Z_]\w*+)="((?:[^"\\]|\\.)*+)"')
_ESCAPED: Final = re.compile(r"\\(.)")

# When a series began is in no metric of ours; the text format would expose it as a gauge of its own.
prometheus_client.disable_created_metrics()


@dataclass(frozen=True, slots=True)
class Durations:
    """One histogram since the start: its labels, how many observations, and two quantiles in seconds.

    A quantile is interpolated within its bucket as PromQL's histogram_quantile does it; beyond the last bound it is
    that bound. None without observations.
    """

    name: str
    labels: Mapping[str, str]
    count: int
    p50: float | None
    p99: float | None


class OwnMetrics:
    """Counts and times what the platform does. Thread-safe."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._histograms: dict[str, Histogram] = {}
        self._counters: dict[str, Counter] = {}
        for one in METRICS:
            if one.type is Type.HISTOGRAM:
                self._histograms[one.name] = Histogram(
                    one.name, one.help, one.labels, buckets=one.buckets, registry=self._registry
                )
            elif one.counted_here:
                self._counters[one.name] = Counter(one.name, one.help, one.labels, registry=self._registry)

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Count a duration in a declared histogram; ``labels`` are the values in the order of the declaration.

        Raises:
            KeyError: no histogram of this name is declared.
        """
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(seconds)

    def request(self, listener: str, api: str, route: str, method: str, code: int, seconds: float) -> None:
        """Count an answer. ``route`` is the pattern of the path, not the path: there are few of them."""
        self._histograms[REQUEST].labels(api).observe(seconds)
        self._counters[REQUESTS].labels(listener, api, route, method, str(code)).inc()

    def exposition(self, accept: str, others: Mapping[str, float]) -> tuple[str, bytes]:
        """Content type and body for a scrape. ``others`` are values that other parts know, by the name of the series
        as the text format writes it: ``name`` or ``name{label="value"}``."""
        source: Any = _Source(self._registry, others)
        if prefers_openmetrics(accept):
            return OPENMETRICS, generate_openmetrics(source)
        return TEXT, generate_latest(source)

    def durations(self) -> list[Durations]:
        """What the histograms say, in the order of their declarations."""
        found: list[Durations] = []
        for family in self._registry.collect():
            if family.type != "histogram":
                continue
            buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
            for sample in family.samples:
                if sample.name.endswith("_bucket"):
                    key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
                    buckets.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
            for labels, bounds in sorted(buckets.items()):
                count = int(bounds[-1][1])
                p50, p99 = (quantile(share, bounds) for share in (0.5, 0.99))
                found.append(Durations(family.name, dict(labels), count, p50, p99))
        return found


class _Source:
    """All families, sorted by name, for the writers of the formats."""

    def __init__(self, registry: CollectorRegistry, others: Mapping[str, float]) -> None:
        self._registry = registry
        self._others = others

    def collect(self) -> Iterator[Metric]:
        families = [*self._registry.collect(), *_families(self._others)]
        return iter(sorted(families, key=lambda family: family.name))


def _families(values: Mapping[str, float]) -> Iterator[Metric]:
    grouped: dict[str, list[tuple[dict[str, str], float]]] = {}
    for series, value in values.items():
        match = _SERIES.fullmatch(series)
        if match is None:
            continue
        labels = _labels(match[2] or "")
        grouped.setdefault(match[1], []).append((labels, value))
    for name, some in grouped.items():
        family = _family(name, tuple(some[0][0]))
        for labels, value in some:
            family.add_sample(name, labels, value)
        yield family


def _labels(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while (match := _LABEL.match(text, at)) is not None:
        found[match[1]] = _unescaped(match[2])
        at = match.end()
    return found


def _family(name: str, labels: tuple[str, ...]) -> Metric:
    declared = BY_NAME.get(name)
    if declared is None:
        # `make check` finds these; a scrape must not fail for one.
        return UnknownMetricFamily(name, "A metric without a declaration.", labels=labels)
    if declared.type is Type.COUNTER:
        return CounterMetricFamily(name, declared.help, labels=declared.labels)
    return GaugeMetricFamily(name, declared.help, labels=declared.labels)


def escaped(text: str) -> str:
    """The value of a label as the text format writes it."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\n" if match[1] == "n" else match[1], text)


def prefers_openmetrics(accept: str) -> bool:
    """Whether an Accept header prefers OpenMetrics 1.0 to the text format, by the weights (``q``) that it gives.

    prometheus_client's own choice takes the first that it knows, whatever its weight.
    """
    best, chosen = 0.0, False
    for item in accept.split(","):
        media, *parameters = (part.strip().lower() for part in item.split(";"))
        given = dict(part.split("=", 1) for part in parameters if "=" in part)
        try:
            weight = float(given.get("q", "1"))
        except ValueError:
            weight = 0.0
        openmetrics = media == "application/openmetrics-text"
        if openmetrics and given.get("version", "").strip('"') not in ("", "0.0.1", "1.0.0"):
            continue
        if weight > best and (openmetrics or media in ("text/plain", "text/*", "*/*")):
            best, chosen = weight, openmetrics
    return chosen


def quantile(share: float, buckets: list[tuple[float, float]]) -> float | None:
    """The value below which a share of the observations lies; ``buckets`` are ``(upper bound, cumulative count)``.

    Source: Prometheus, promql/quantile.go, bucketQuantile.
    """
    total = buckets[-1][1]
    if not total:
        return None
    rank = share * total
    lower = before = 0.0
    for upper, count in buckets[:-1]:
        if count >= rank:
            return lower + (upper - lower) * (rank - before) / (count - before) if count > before else upper
        lower, before = upper, count
    return lower

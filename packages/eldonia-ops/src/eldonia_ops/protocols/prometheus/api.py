"""The wire shapes of Prometheus' HTTP API.

Format: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import MetricMetadata
from eldonia_ops.promql.histogram_statistics import buckets as histogram_buckets
from eldonia_ops.promql.histogram_text import brackets

Points = Sequence[tuple[int, float]]
Histograms = Sequence[tuple[int, NativeHistogram]]
Series = tuple[Labels, Points, Histograms]
"""Labels, samples that are floats, samples that are native histograms."""


def success(data: Any, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> bytes:
    """``{"status": "success", "data": ...}``."""
    body: dict[str, Any] = {"status": "success", "data": data}
    if warnings:
        body["warnings"] = list(warnings)
    if infos:
        body["infos"] = list(infos)
    return msgspec.json.encode(body, enc_hook=_plain)


def failure(kind: str, message: str) -> bytes:
    """``{"status": "error", ...}``; ``kind`` is ``bad_data``, ``execution``, ``timeout``, ``unauthorized``, …"""
    return msgspec.json.encode({"status": "error", "errorType": kind, "error": message})


def status_of(kind: str) -> int:
    """The HTTP status that Prometheus gives an errorType (web/api/v1/api.go)."""
    return {
        "bad_data": 400,
        "execution": 422,
        "canceled": 499,
        "timeout": 503,
        "unavailable": 503,
        "not_found": 404,
    }.get(kind, 500)


def sample_value(value: float) -> str:
    """A value as Prometheus writes it: shortest digits, plain notation from 1e-6 up to 1e21."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    size = abs(value)
    if size == 0 or 1e-6 <= size < 1e21:
        return (format(Decimal(text), "f") if "e" in text else text).removesuffix(".0")
    mantissa, _, exponent = text.partition("e")
    power = int(exponent) if exponent else 0
    return f"{mantissa.removesuffix('.0')}e{'-' if power < 0 else '+'}{abs(power):02d}"


def timestamp(ms: int) -> float | int:
    """Unix seconds; a whole number where nothing is left over."""
    return ms // 1000 if ms % 1000 == 0 else ms / 1000


def vector(series: Iterable[Series]) -> dict[str, Any]:
    """An instant vector; every series has one point."""
    result: list[dict[str, Any]] = []
    for labels, points, histograms in series:
        if histograms:
            at, value = histograms[-1]
            result.append({"metric": dict(labels.pairs), "histogram": [timestamp(at), histogram_value(value)]})
        else:
            at, number = points[-1]
            result.append({"metric": dict(labels.pairs), "value": [timestamp(at), sample_value(number)]})
    return {"resultType": "vector", "result": result}


def matrix(series: Iterable[Series]) -> dict[str, Any]:
    """A range vector."""
    result: list[dict[str, Any]] = []
    for labels, points, histograms in series:
        one: dict[str, Any] = {"metric": dict(labels.pairs)}
        if points or not histograms:
            one["values"] = [[timestamp(at), sample_value(value)] for at, value in points]
        if histograms:
            one["histograms"] = [[timestamp(at), histogram_value(value)] for at, value in histograms]
        result.append(one)
    return {"resultType": "matrix", "result": result}


def histogram_value(value: NativeHistogram) -> dict[str, Any]:
    """A native histogram: its count, its sum, and of each bucket the rule for its bounds, the bounds and the count.

    The rule is 0 for a bucket that is open on the left, 1 for one open on the right, 3 for one closed on both sides
    (https://prometheus.io/docs/prometheus/latest/querying/api/#native-histograms).
    """
    found: dict[str, Any] = {"count": sample_value(value.count), "sum": sample_value(value.sum)}
    buckets = [
        [_RULES[brackets(value, lower, upper)], sample_value(lower), sample_value(upper), sample_value(count)]
        for lower, upper, count in histogram_buckets(value)
    ]
    if buckets:
        found["buckets"] = buckets
    return found


_RULES = {("(", "]"): 0, ("[", ")"): 1, ("(", ")"): 2, ("[", "]"): 3}


def scalar(at: int, value: float) -> dict[str, Any]:
    """A scalar."""
    return {"resultType": "scalar", "result": [timestamp(at), sample_value(value)]}


def string(at: int, text: str) -> dict[str, Any]:
    """A string."""
    return {"resultType": "string", "result": [timestamp(at), text]}


def statistics(*, wait: float, fetch: float, compute: float, samples: int, peak: int) -> dict[str, Any]:
    """The ``stats`` of a query, whose times are seconds (util/stats/query_stats.go); results come sorted."""
    return {
        "timings": {
            "evalTotalTime": fetch + compute,
            "resultSortTime": 0,
            "queryPreparationTime": fetch,
            "innerEvalTime": compute,
            "execQueueTime": wait,
            "execTotalTime": wait + fetch + compute,
        },
        "samples": {"totalQueryableSamples": samples, "peakSamples": peak},
    }


def metadata(
    families: Iterable[MetricMetadata], limit: int = -1, limit_per_metric: int = -1
) -> dict[str, list[dict[str, str]]]:
    """Metadata by metric name: at most ``limit`` names (negative: all), ``limit_per_metric`` of each (0: all)."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in families:
        if 0 <= limit <= len(found) and family.name not in found:
            break
        entries = found.setdefault(family.name, [])
        if limit_per_metric <= 0 or len(entries) < limit_per_metric:
            entries.append({"type": family.type.value, "help": family.help, "unit": family.unit})
    return found


def active_target(
    *,
    job: str,
    url: str,
    labels: Mapping[str, str],
    health: str,
    error: str,
    last_scrape: str,
    duration_seconds: float,
    interval_ms: int,
    timeout_ms: int,
    hostname: str,
) -> dict[str, Any]:
    """One entry of ``activeTargets``. ``last_scrape`` is RFC 3339; ``hostname`` is for ``globalUrl``."""
    interval, timeout = format_duration(interval_ms), format_duration(timeout_ms)
    parts = urlsplit(url)
    discovered = {
        "__address__": parts.netloc or url,
        "__metrics_path__": parts.path,
        "__scheme__": parts.scheme,
        "__scrape_interval__": interval,
        "__scrape_timeout__": timeout,
    }
    return {
        "discoveredLabels": {**discovered, **{name: value for name, value in labels.items() if name != "instance"}},
        "labels": dict(labels),
        "scrapePool": job,
        "scrapeUrl": url,
        "globalUrl": _global_url(parts, hostname),
        "lastError": error,
        "lastScrape": last_scrape,
        "lastScrapeDuration": duration_seconds,
        "health": health,
        "scrapeInterval": interval,
        "scrapeTimeout": timeout,
    }


def _global_url(url: SplitResult, hostname: str) -> str:
    """The URL as another machine reaches it: with this one's name in the place of a loopback address."""
    if url.hostname not in ("localhost", "127.0.0.1", "::1"):
        return url.geturl()
    port = url.netloc.rpartition("]")[2].rpartition(":")[2] if url.port else ""
    return url._replace(netloc=f"{hostname}:{port}" if port else hostname).geturl()


def _plain(value: Any) -> Any:
    if isinstance(value, Labels):
        return dict(value.pairs)
    raise NotImplementedError(type(value).__name__)

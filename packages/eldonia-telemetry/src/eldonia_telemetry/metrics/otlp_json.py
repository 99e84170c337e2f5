"""Snapshots of a registry as an OTLP/JSON ``ExportMetricsServiceRequest``; sums and histograms are cumulative."""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

import msgspec

from eldonia_telemetry import otlp, values
from eldonia_telemetry.metrics.registry import Line, Snapshot

_CUMULATIVE: Final = 2
_NO_RECORDED_VALUE: Final = 1
"""``DataPointFlags``: the series ends here; Prometheus' staleness marker."""
_SCOPE: Final = {"name": "eldonia-telemetry"}

_encode = msgspec.json.Encoder().encode


def encode(
    families: Iterable[Snapshot], resource: Mapping[str, Any], *, start_ns: int, at_ns: int, ended: bool = False
) -> bytes:
    """The families at ``at_ns`` of a process that counts since ``start_ns`` (Unix nanoseconds).

    With ``ended`` the points say that their series go on no more.
    """
    times: dict[str, Any] = {"startTimeUnixNano": str(start_ns), "timeUnixNano": str(at_ns)}
    if ended:
        times["flags"] = _NO_RECORDED_VALUE
    metrics = [_metric(family, times, ended=ended) for family in families if family.lines]
    scope = {"scope": _SCOPE, "metrics": metrics}
    document = {"resourceMetrics": [{"resource": {"attributes": otlp.attributes(resource)}, "scopeMetrics": [scope]}]}
    try:
        return _encode(document)
    except UnicodeEncodeError:  # lone surrogates in a label
        return _encode(values.encodable(document))


def _metric(family: Snapshot, times: Mapping[str, Any], *, ended: bool) -> dict[str, Any]:
    metric: dict[str, Any] = {"name": family.name, "description": family.help}
    if family.type == "histogram":
        points = list(_histograms(family.lines, times, ended=ended))
        metric["histogram"] = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE}
        return metric
    points: list[dict[str, Any]] = []
    for line in family.lines:
        point = {**times, "attributes": otlp.attributes(dict(line.labels))}
        if not ended:
            point["asDouble"] = _number(line.value)
        points.append(point)
    if family.type == "counter":
        metric["sum"] = {"dataPoints": points, "aggregationTemporality": _CUMULATIVE, "isMonotonic": True}
    else:
        metric["gauge"] = {"dataPoints": points}
    return metric


def _histograms(lines: Iterable[Line], times: Mapping[str, Any], *, ended: bool) -> Iterator[dict[str, Any]]:
    """A point for each label set, of whose samples ``_count`` is the last."""
    for labels, group in groupby(lines, key=_without_bound):
        point: dict[str, Any] = {**times, "attributes": otlp.attributes(dict(labels))}
        if not ended:
            point.update(_buckets(list(group)))
        yield point


def _without_bound(line: Line) -> tuple[tuple[str, str], ...]:
    return line.labels[:-1] if line.suffix == "_bucket" else line.labels


def _buckets(lines: list[Line]) -> dict[str, Any]:
    bounds: list[float] = []
    counts: list[str] = []
    exemplars: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    below = 0.0
    for line in lines:
        if line.suffix == "_bucket":
            bound = float(line.labels[-1][1])
            if bound != math.inf:
                bounds.append(bound)
            counts.append(str(int(line.value - below)))
            below = line.value
            one = line.exemplar
            if one is not None:
                at = {"timeUnixNano": str(int(one.at * 1_000_000_000)), "asDouble": _number(one.value)}
                exemplars.append({**at, "traceId": one.trace_id})
        elif line.suffix == "_sum":
            found["sum"] = _number(line.value)
        else:
            found["count"] = str(int(line.value))
    found.update(explicitBounds=bounds, bucketCounts=counts)
    if exemplars:
        found["exemplars"] = exemplars
    return found


def _number(value: float) -> float | str:
    """proto3's JSON mapping spells the values that JSON lacks."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"

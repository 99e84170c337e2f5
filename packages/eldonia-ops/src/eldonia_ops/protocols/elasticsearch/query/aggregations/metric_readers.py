"""Reads metric aggregations."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import Metric, TopHits
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, number, whole
from eldonia_ops.protocols.elasticsearch.query.sorting import read_sort
from eldonia_ops.protocols.elasticsearch.query.source_filter import fields_wanted, source_filter
from eldonia_ops.search.buckets import Measure, MeasureKind

_PERCENTS: Final = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0)
_SINGLE: Final = {
    "avg": MeasureKind.AVERAGE,
    "max": MeasureKind.MAX,
    "min": MeasureKind.MIN,
    "sum": MeasureKind.SUM,
    "value_count": MeasureKind.VALUES,
    "cardinality": MeasureKind.DISTINCT,
}
_STATS: Final = (MeasureKind.MIN, MeasureKind.MAX, MeasureKind.AVERAGE, MeasureKind.SUM)


def _target(options: dict[str, Any], kind: str) -> tuple[FieldName | None, bool]:
    if "script" in options:
        raise illegal(f"[{kind}] with a [script] is not supported: name a [field]")
    name = options.get("field")
    if not isinstance(name, str) or not name:
        raise illegal("Required one of fields [field, script], but none were specified. ")
    timed = is_time(name)
    return (None if timed else field_name(name)), timed


def _missing(options: dict[str, Any]) -> float | None:
    return None if options.get("missing") is None else number(options["missing"], "missing")


def _single(kind: str) -> Callable[[str, dict[str, Any], Any], Metric]:
    def read(name: str, options: dict[str, Any], meta: Any) -> Metric:
        of, timed = _target(options, kind)
        missing = 0.0 if kind in ("value_count",) and options.get("missing") is not None else None
        if kind not in ("value_count", "cardinality"):
            missing = _missing(options)
        measure = Measure(_SINGLE[kind], of, missing=missing)
        return Metric(name, kind, (measure,), timed=timed, format=str(options.get("format") or ""), meta=meta)

    return read


def _stats(kind: str) -> Callable[[str, dict[str, Any], Any], Metric]:
    def read(name: str, options: dict[str, Any], meta: Any) -> Metric:
        of, timed = _target(options, kind)
        missing = _missing(options)
        kinds = (*_STATS, MeasureKind.SQUARES) if kind == "extended_stats" else _STATS
        measures = (
            Measure(MeasureKind.NUMBERS, of, missing=missing),
            *(Measure(one, of, missing=missing) for one in kinds),
        )
        sigma = number(options.get("sigma", 2.0), "sigma", low=0.0)
        return Metric(name, kind, measures, timed=timed, sigma=sigma, meta=meta)

    return read


def _percentiles(name: str, options: dict[str, Any], meta: Any) -> Metric:
    of, timed = _target(options, "percentiles")
    percents = tuple(
        number(one, "percents", low=0, high=100) for one in listed(options.get("percents", list(_PERCENTS)))
    )
    if not percents:
        raise illegal("[percents] must not be empty")
    measure = Measure(MeasureKind.QUANTILES, of, tuple(one / 100 for one in percents), _missing(options))
    keyed = flag(options.get("keyed", True), "keyed")
    return Metric(name, "percentiles", (measure,), keyed, percents, timed, meta=meta)


def _ranks(name: str, options: dict[str, Any], meta: Any) -> Metric:
    of, timed = _target(options, "percentile_ranks")
    values = tuple(number(one, "values") for one in listed(options.get("values", [])))
    if not values:
        raise parsing("[values] must not be an empty array: [percentile_ranks]", "percentile_ranks")
    measure = Measure(MeasureKind.RANKS, of, values, _missing(options))
    keyed = flag(options.get("keyed", True), "keyed")
    return Metric(name, "percentile_ranks", (measure,), keyed, values, timed, meta=meta)


def _top_hits(name: str, options: dict[str, Any], meta: Any) -> TopHits:
    size, skip = whole(options.get("size", 3), "size"), whole(options.get("from", 0), "from")
    if size + skip > 100:
        raise illegal(
            f"Top hits result window is too large, the top hits aggregator [{name}]'s from + size must be less than or "
            f"equal to: [100] but was [{size + skip}]."
        )
    docvalues = fields_wanted(options.get("docvalue_fields") or options.get("fields"), "docvalue_fields")
    return TopHits(
        name, size, skip, read_sort(options.get("sort")), source_filter(options.get("_source")), docvalues, meta
    )


METRICS: Final[Mapping[str, Callable[[str, dict[str, Any], Any], Metric | TopHits]]] = {
    **{kind: _single(kind) for kind in _SINGLE},
    "stats": _stats("stats"),
    "extended_stats": _stats("extended_stats"),
    "percentiles": _percentiles,
    "percentile_ranks": _ranks,
    "top_hits": _top_hits,
}
"""Readers of metrics by their names."""

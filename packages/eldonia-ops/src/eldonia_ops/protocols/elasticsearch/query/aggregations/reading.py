"""Reads the aggregations of a request."""

from collections.abc import Callable
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared
from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_readers import BUCKETS
from eldonia_ops.protocols.elasticsearch.query.aggregations.metric_readers import METRICS
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregation,
    Aggregations,
    Pipeline,
)
from eldonia_ops.protocols.elasticsearch.query.clauses import Clause
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing, unknown
from eldonia_ops.protocols.elasticsearch.query.shapes import object_of
from eldonia_ops.search.tree import Node

_DEPTH: Final = 12
_MOST: Final = 200
PIPELINES: Final = frozenset({
    *("bucket_sort", "derivative", "cumulative_sum", "serial_diff"),
    *("max_bucket", "min_bucket", "avg_bucket", "sum_bucket", "stats_bucket"),
})  # fmt: skip
REFUSED: Final = frozenset({
    *("significant_terms", "significant_text", "rare_terms", "sampler", "diversified_sampler", "random_sampler"),
    *("adjacency_matrix", "auto_date_histogram", "variable_width_histogram", "categorize_text", "ip_range"),
    *("ip_prefix",),
    *("geo_distance", "geohash_grid", "geotile_grid", "geohex_grid", "geo_bounds", "geo_centroid", "geo_line"),
    *("children", "parent", "multi_terms", "frequent_item_sets", "time_series", "matrix_stats", "scripted_metric"),
    *("median_absolute_deviation", "boxplot", "string_stats", "t_test", "rate", "top_metrics", "weighted_avg"),
    *("cartesian_bounds", "cartesian_centroid", "bucket_script", "bucket_selector", "moving_fn", "moving_avg"),
    *("moving_percentiles", "normalize", "percentiles_bucket", "extended_stats_bucket", "cumulative_cardinality"),
    *("inference", "change_point", "bucket_count_ks_test", "bucket_correlation"),
})  # fmt: skip


def read_aggregations(value: Any, read: Callable[[Any], Clause], everything: Node, now_ns: int) -> Aggregations:
    """``{"by_level": {"terms": {"field": "level"}, "aggs": {…}}}``. ``read`` reads a query; ``everything`` is what a
    ``global`` aggregation looks at.

    Raises:
        DslError: one cannot be read, or is of a kind that we do not have.
    """
    count = 0

    def level(given: Any, depth: int) -> Aggregations:
        nonlocal count
        every: list[Aggregation] = []
        pipelines: list[Pipeline] = []
        for name, one in object_of(given, "aggs").items():
            count += 1
            if depth > _DEPTH or count > _MOST:
                raise illegal(f"more than {_MOST} aggregations, or more than {_DEPTH} within each other")
            found = _one(str(name), object_of(one, str(name)), depth)
            if isinstance(found, Pipeline):
                pipelines.append(found)
            else:
                every.append(found)
        return Aggregations(tuple(every), tuple(pipelines))

    def _one(name: str, given: dict[str, Any], depth: int) -> Aggregation | Pipeline:
        if not name or any(letter in name for letter in "[]>"):
            raise parsing(
                f"Invalid aggregation name [{name}]. Aggregation names can contain any character except '[', ']', and "
                "'>'",
                name,
            )
        kinds = [key for key in given if key not in ("aggs", "aggregations", "meta")]
        if not kinds:
            raise parsing(f"Missing definition for aggregation [{name}]", name)
        if len(kinds) > 1:
            raise parsing(f"Found two aggregation type definitions in [{name}]: [{kinds[0]}] and [{kinds[1]}]", name)
        kind, meta = kinds[0], given.get("meta")
        options = object_of(given[kind], kind)
        below = given.get("aggs", given.get("aggregations"))
        if kind in REFUSED:
            raise illegal(f"aggregation [{name}] of type [{kind}] is not supported")
        if kind in PIPELINES:
            return Pipeline(name, kind, str(options.get("buckets_path", "")), options, meta)
        if kind in METRICS:
            if below:
                raise parsing(f"Aggregator [{name}] of type [{kind}] cannot accept sub-aggregations", name)
            return METRICS[kind](name, options, meta)
        if kind not in BUCKETS:
            raise unknown("aggregation type", kind, {*METRICS, *BUCKETS, *PIPELINES})
        children = level(below, depth + 1) if below else Aggregations()
        shared = Shared(name, meta, children.every, children.pipelines, read, everything, now_ns, depth == 1)
        return BUCKETS[kind](options, shared)

    return level(value, 1) if value else Aggregations()

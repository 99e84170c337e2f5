"""The readers of aggregations that make buckets, by their names."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared
from eldonia_ops.protocols.elasticsearch.query.aggregations.composite_reader import composite
from eldonia_ops.protocols.elasticsearch.query.aggregations.histogram_readers import date_histogram, histogram
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.query_readers import (
    filter_one,
    filters,
    global_one,
    missing,
    nested,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.range_readers import date_range, range_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.terms_reader import terms

BUCKETS: Final[Mapping[str, Callable[[dict[str, Any], Shared], BucketAggregation]]] = {
    "terms": terms,
    "date_histogram": date_histogram,
    "histogram": histogram,
    "filter": filter_one,
    "filters": filters,
    "missing": missing,
    "global": global_one,
    "nested": nested,
    "reverse_nested": nested,
    "range": range_of,
    "date_range": date_range,
    "composite": composite,
}
"""Readers of bucket aggregations by their names."""

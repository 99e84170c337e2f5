"""Aggregations as they were asked for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, TypeAlias

from eldonia_ops.protocols.elasticsearch.query.sorting import SortSpec
from eldonia_ops.protocols.elasticsearch.query.source_filter import FieldsWanted, SourceFilter
from eldonia_ops.search.buckets import Grouping, Measure
from eldonia_ops.search.time_steps import TimeUnit
from eldonia_ops.search.tree import Node


@dataclass(frozen=True, slots=True)
class Metric:
    """A number, or several, of the records of a bucket. ``kind`` is Elasticsearch's name."""

    name: str
    kind: str
    measures: tuple[Measure, ...]
    keyed: bool = True
    labels: tuple[float, ...] = ()
    """Percents, or values, in the order of the measure's numbers."""
    timed: bool = False
    sigma: float = 2.0
    format: str = ""
    meta: Any = None


@dataclass(frozen=True, slots=True)
class TopHits:
    """The first records of a bucket in an order."""

    name: str
    size: int
    skip: int
    sort: tuple[SortSpec, ...]
    source: SourceFilter
    docvalues: FieldsWanted
    meta: Any = None


@dataclass(frozen=True, slots=True)
class TermsOrder:
    """``count``, ``key``, or a number of a metric among the sub-aggregations."""

    by: str
    metric: str = ""
    property: str = ""
    descending: bool = True


@dataclass(frozen=True, slots=True)
class BucketAggregation:
    """What all aggregations that make buckets have; ``groups`` are of their level."""

    name: str
    kind: str
    groups: tuple[Grouping, ...]
    children: "tuple[Aggregation, ...]" = ()
    pipelines: "tuple[Pipeline, ...]" = ()
    meta: Any = None
    search: Node | None = None
    """What a ``global`` aggregation looks at instead of the query's records."""

    @property
    def metrics(self) -> "Iterator[Metric]":
        """The metrics of each bucket."""
        return (one for one in self.children if isinstance(one, Metric))


@dataclass(frozen=True, slots=True)
class Terms(BucketAggregation):
    """The most frequent values of a field."""

    size: int = 10
    order: tuple[TermsOrder, ...] = ()
    min_doc_count: int = 1
    timed: bool = False
    format: str = ""


@dataclass(frozen=True, slots=True)
class Histogram(BucketAggregation):
    """Steps of a number."""

    interval: float = 1.0
    offset: float = 0.0
    order: tuple[TermsOrder, ...] = ()
    min_doc_count: int = 0
    bounds: tuple[float, float] | None = None
    hard: tuple[float | None, float | None] | None = None
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class DateHistogram(BucketAggregation):
    """Steps of time; bounds are in Unix nanoseconds."""

    step: int | TimeUnit = TimeUnit.DAY
    zone: tzinfo = UTC
    offset_ns: int = 0
    order: tuple[TermsOrder, ...] = ()
    min_doc_count: int = 0
    bounds: tuple[int, int] | None = None
    keyed: bool = False
    format: str = ""


@dataclass(frozen=True, slots=True)
class Fixed(BucketAggregation):
    """Buckets that are known before: filters, ranges, missing, global. ``single`` has one and no list.

    ``keys`` are the names of the buckets, '' for one without; ``extra`` is what else a bucket says of itself.
    """

    keys: tuple[str, ...] = ()
    extra: tuple[dict[str, Any], ...] = ()
    single: bool = False
    keyed: bool = False


@dataclass(frozen=True, slots=True)
class CompositeSource:
    """One of the keys of a composite bucket."""

    name: str
    group: Grouping
    descending: bool = False
    timed: bool = False
    format: str = ""
    zone: tzinfo = UTC


@dataclass(frozen=True, slots=True)
class Composite(BucketAggregation):
    """All combinations of several keys, a page at a time."""

    sources: tuple[CompositeSource, ...] = ()
    size: int = 10
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What is made of the buckets that another aggregation found."""

    name: str
    kind: str
    path: str = ""
    options: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
    meta: Any = None


Aggregation: TypeAlias = Metric | TopHits | BucketAggregation


@dataclass(frozen=True, slots=True)
class Aggregations:
    """The aggregations of one level, and what is made of them."""

    every: tuple[Aggregation, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()

"""Reads aggregations whose buckets are those of queries."""

from typing import Any

from eldonia_ops.protocols.elasticsearch.query.aggregations.bucket_options import Shared, few, field_of
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    BucketAggregation,
    Fixed,
)
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.shapes import flag
from eldonia_ops.protocols.elasticsearch.query.term_queries import exists_node
from eldonia_ops.search.buckets import ByConditions
from eldonia_ops.search.tree import EVERYTHING, Not, disjunction


def filter_one(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """One bucket of a query."""
    node = shared.read(options).node if options else EVERYTHING
    return Fixed(shared.name, "filter", (ByConditions((node,)),), **shared.plain, keys=("",), single=True)


def filters(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """A bucket for each of several queries."""
    given = options.get("filters")
    if isinstance(given, dict):
        keys = [str(key) for key in given]
        nodes = [shared.read(one).node for one in given.values()]
    elif isinstance(given, list):
        keys = ["" for _ in given]
        nodes = [shared.read(one).node for one in given]
    else:
        raise parsing("[filters] must be an object or a list", "filters")
    if not nodes:
        raise illegal("[filters] cannot be empty")
    other = options.get("other_bucket_key")
    if other or flag(options.get("other_bucket", False), "other_bucket"):
        keys.append(str(other or "_other_") if isinstance(given, dict) else "")
        nodes.append(Not(disjunction(nodes)))
    few(len(nodes))
    keyed = isinstance(given, dict) and flag(options.get("keyed", True), "keyed")
    return Fixed(shared.name, "filters", (ByConditions(tuple(nodes)),), **shared.plain, keys=tuple(keys), keyed=keyed)


def missing(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Records without a field."""
    node = Not(exists_node(field_of(options, "missing")))
    return Fixed(shared.name, "missing", (ByConditions((node,)),), **shared.plain, keys=("",), single=True)


def global_one(options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """All records of the indices, whatever the query."""
    if not shared.outermost:
        raise illegal(
            f"Aggregation [{shared.name}] cannot have a global sub-aggregation: global aggregators can only be defined "
            "at the top level"
        )
    group = ByConditions((EVERYTHING,))
    plain = shared.plain
    return Fixed(shared.name, "global", (group,), **plain, search=shared.everything, keys=("",), single=True)


def nested(_options: dict[str, Any], shared: Shared) -> BucketAggregation:
    """Objects in documents are fields of their paths: the bucket is that of all records."""
    return Fixed(shared.name, "nested", (ByConditions((EVERYTHING,)),), **shared.plain, keys=("",), single=True)

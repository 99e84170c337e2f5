"""Elasticsearch's query language as a tree and a score."""

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.clauses import (
    ALL,
    NONE,
    Clause,
    Reading,
    boosted,
    combined,
    fixed,
    minimum_of,
)
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing, unknown
from eldonia_ops.protocols.elasticsearch.query.lucene import query_string
from eldonia_ops.protocols.elasticsearch.query.shapes import boost_of, known_keys, listed, number, object_of
from eldonia_ops.protocols.elasticsearch.query.simple_lucene import simple_query_string
from eldonia_ops.protocols.elasticsearch.query.term_queries import (
    exists,
    ids,
    prefix,
    range_query,
    regexp,
    term,
    terms,
    wildcard,
)
from eldonia_ops.protocols.elasticsearch.query.text_queries import (
    best,
    match,
    match_bool_prefix,
    match_phrase,
    match_phrase_prefix,
    multi_match,
)
from eldonia_ops.search.score import Scaled
from eldonia_ops.search.tree import Node, conjunction


def read_query(query: Any, now_ns: int, zone: tzinfo = UTC) -> Clause:
    """What a query finds, and with which score. ``now_ns`` is the present; times without a zone are in ``zone``.

    Raises:
        DslError: it cannot be read, or is of a kind that we do not have.
    """
    return Reading(now_ns, _read, zone).clause(query)


def _read(query: Any, reading: Reading) -> Clause:
    if not isinstance(query, dict):
        raise parsing("[_na] query malformed, must start with start_object")
    if not query:
        raise illegal("query malformed, empty clause found")
    if len(query) > 1:
        first, second = list(query)[:2]
        raise parsing(f"[{first}] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", second)
    (name, given), *_ = query.items()
    reader = QUERIES.get(name)
    if reader is None:
        raise unknown("query", str(name), QUERIES)
    return reader(given, reading)


def _match_all(given: Any, _reading: Reading) -> Clause:
    options = object_of(given, "match_all")
    known_keys(options, "match_all", frozenset())
    return boosted(ALL, boost_of(options))


def _match_none(given: Any, _reading: Reading) -> Clause:
    known_keys(object_of(given, "match_none"), "match_none", frozenset())
    return NONE


def _bool(given: Any, reading: Reading) -> Clause:
    options = object_of(given, "bool")
    known = ("must", "filter", "should", "must_not", "minimum_should_match", "adjust_pure_negative", "mustNot")
    known_keys(options, "bool", frozenset(known))
    must, filters, should, must_not = (
        [reading.clause(one) for one in listed(options[key]) if one is not None] if options.get(key) is not None else []
        for key in ("must", "filter", "should", "must_not" if "must_not" in options else "mustNot")
    )
    default = 0 if must or filters or not should else 1
    stated = options.get("minimum_should_match")
    minimum = default if stated is None else minimum_of(stated, len(should))
    if should and not (must or filters):
        minimum = max(1, minimum)  # where nothing else is demanded, one of them has to hold, whatever is stated
    if not (must or filters or should or must_not):
        return boosted(ALL, boost_of(options))
    found = combined(must, filters, should, must_not, minimum)
    return boosted(found, boost_of(options))


def _constant_score(given: Any, reading: Reading) -> Clause:
    options = object_of(given, "constant_score")
    known_keys(options, "constant_score", frozenset({"filter"}))
    if "filter" not in options:
        raise parsing("[constant_score] requires a 'filter' element", "constant_score")
    return fixed(reading.clause(options["filter"]).node, boost_of(options))


def _dis_max(given: Any, reading: Reading) -> Clause:
    options = object_of(given, "dis_max")
    known_keys(options, "dis_max", frozenset({"queries", "tie_breaker"}))
    clauses = [reading.clause(one) for one in listed(options.get("queries", []))]
    if not clauses:
        raise parsing("[dis_max] requires 'queries' field with at least one clause", "dis_max")
    return boosted(best(clauses, number(options.get("tie_breaker", 0.0), "tie_breaker")), boost_of(options))


def _boosting(given: Any, reading: Reading) -> Clause:
    options = object_of(given, "boosting")
    known_keys(options, "boosting", frozenset({"positive", "negative", "negative_boost"}))
    for name in ("positive", "negative"):
        if name not in options:
            raise parsing(f"[boosting] query requires '{name}' query to be set'", "boosting")
    if "negative_boost" not in options:
        raise parsing("[boosting] query requires 'negative_boost' to be set to be a positive value'", "boosting")
    positive, negative = reading.clause(options["positive"]), reading.clause(options["negative"])
    factor = number(options["negative_boost"], "negative_boost", low=0.0)
    return boosted(Clause(positive.node, Scaled(negative.node, positive.score, factor)), boost_of(options))


def _nested(given: Any, reading: Reading) -> Clause:
    """Our documents keep their objects as they are: the fields of a nested one are those of its path."""
    options = object_of(given, "nested")
    known_keys(options, "nested", frozenset({"path", "query", "score_mode", "ignore_unmapped", "inner_hits"}))
    for name in ("path", "query"):
        if name not in options:
            raise parsing(f"[nested] requires '{name}' field", "nested")
    if "inner_hits" in options:
        raise illegal("[nested] with [inner_hits] is not supported: the hit has the whole document")
    return boosted(reading.clause(options["query"]), boost_of(options))


def _function_score(given: Any, reading: Reading) -> Clause:
    options = object_of(given, "function_score")
    if set(options) - {"query", "boost", "boost_mode", "_name"}:
        raise illegal("[function_score] with functions is not supported: use boosts, or [boosting]")
    return boosted(reading.clause(options.get("query", {"match_all": {}})), boost_of(options))


QUERIES: Final[Mapping[str, Callable[[Any, Reading], Clause]]] = {
    "bool": _bool,
    "boosting": _boosting,
    "constant_score": _constant_score,
    "dis_max": _dis_max,
    "exists": exists,
    "function_score": _function_score,
    "ids": ids,
    "match": match,
    "match_all": _match_all,
    "match_bool_prefix": match_bool_prefix,
    "match_none": _match_none,
    "match_phrase": match_phrase,
    "match_phrase_prefix": match_phrase_prefix,
    "multi_match": multi_match,
    "nested": _nested,
    "prefix": prefix,
    "query_string": query_string,
    "range": range_query,
    "regexp": regexp,
    "simple_query_string": simple_query_string,
    "term": term,
    "terms": terms,
    "wildcard": wildcard,
}
"""Readers of queries by their names."""


def filtered(clause: Clause, *nodes: Node | None) -> Clause:
    """A clause, of whose records only those of further trees are meant."""
    return Clause(conjunction([clause.node, *[one for one in nodes if one is not None]]), clause.score)

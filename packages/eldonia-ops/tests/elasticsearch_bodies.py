"""Bodies for Elasticsearch's API: its words with anything in their places, and what every answer must be.

Other types, other depths, huge numbers, NUL, halves of surrogate pairs, broken NDJSON, broken UTF-8.
"""

import json
from typing import Any

import httpx
from hypothesis import strategies as st


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


WORDS = [
    "query",
    "bool",
    "must",
    "must_not",
    "should",
    "filter",
    "minimum_should_match",
    "boost",
    "match",
    "match_phrase",
    "match_phrase_prefix",
    "multi_match",
    "term",
    "terms",
    "range",
    "gte",
    "lt",
    "format",
    "time_zone",
    "exists",
    "prefix",
    "wildcard",
    "regexp",
    "ids",
    "values",
    "nested",
    "path",
    "query_string",
    "simple_query_string",
    "constant_score",
    "dis_max",
    "queries",
    "tie_breaker",
    "boosting",
    "positive",
    "negative",
    "match_all",
    "match_none",
    "field",
    "fields",
    "value",
    "operator",
    "slop",
    "fuzziness",
    "flags",
    "analyze_wildcard",
    "default_field",
    "sort",
    "order",
    "missing",
    "unmapped_type",
    "mode",
    "_score",
    "_doc",
    "_source",
    "includes",
    "excludes",
    "from",
    "size",
    "search_after",
    "track_total_hits",
    "highlight",
    "pre_tags",
    "fragment_size",
    "number_of_fragments",
    "post_filter",
    "docvalue_fields",
    "stored_fields",
    "pit",
    "id",
    "keep_alive",
    "aggs",
    "aggregations",
    "date_histogram",
    "fixed_interval",
    "calendar_interval",
    "extended_bounds",
    "min",
    "max",
    "min_doc_count",
    "histogram",
    "interval",
    "ranges",
    "to",
    "key",
    "filters",
    "other_bucket",
    "cardinality",
    "percentiles",
    "percents",
    "stats",
    "avg",
    "sum",
    "top_hits",
    "composite",
    "sources",
    "after",
    "global",
    "derivative",
    "buckets_path",
    "bucket_sort",
    "cumulative_sum",
    "doc",
    "upsert",
    "doc_as_upsert",
    "docs",
    "actions",
    "add",
    "remove",
    "alias",
    "index_patterns",
    "template",
    "settings",
    "mappings",
    "properties",
    "policy",
    "phases",
    "delete",
    "min_age",
    "processors",
    "set",
    "rename",
    "grok",
    "patterns",
    "date",
    "formats",
    "convert",
    "type",
    "gsub",
    "pattern",
    "replacement",
    "json",
    "kv",
    "append",
    "pipeline",
    "on_failure",
    "if",
    "name",
    "message",
    "@timestamp",
    "level",
    "app",
    "n",
]
NAMES = st.sampled_from(WORDS) | st.text(max_size=6)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 200)
    | st.sampled_from([2**31, 2**63, 2**64, -(2**63), 10**400, 1e308, -0.0, 5e-324])
    | st.sampled_from(
        ["", "*", "now-1d/d", "now/", "5m", "1d", "_all", "a.b", "2026-11-24||/M", "\x00", "\ud800", "x" * 3_000]
    )
    | st.sampled_from(
        ["{{message}}", "%{DATA:a}", "ctx.n == 1", "(", "[a TO *]", "a:b AND (", '"unclosed', "/a/", "a~2", "message"]
    )
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=25,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=5) | VALUES
PATHS = st.sampled_from(
    [
        *(
            "POST /_search",
            "POST /app/_search",
            "GET /_count",
            "POST /app/_validate/query",
            "POST /app/_doc",
            "PUT /app/_doc/1",
        ),
        *(
            "PUT /app/_create/2",
            "POST /app/_update/1",
            "POST /_mget",
            "POST /app/_mget",
            "POST /app/_delete_by_query",
            "PUT /made",
        ),
        *(
            "POST /_field_caps",
            "PUT /app/_mapping",
            "PUT /app/_settings",
            "PUT /_index_template/t",
            "PUT /_component_template/t",
        ),
        *(
            "PUT /_template/t",
            "PUT /_ilm/policy/p",
            "PUT /_plugins/_ism/policies/p",
            "POST /_aliases",
            "PUT /app/_alias/al",
        ),
        *(
            "PUT /_ingest/pipeline/p",
            "POST /_ingest/pipeline/_simulate",
            "PUT /_data_stream/logs-x-y",
            "POST /al/_rollover",
        ),
        *(
            "POST /_search/scroll",
            "DELETE /_search/scroll",
            "DELETE /_pit",
            "POST /app/_pit?keep_alive=1m",
            "POST /_msearch",
        ),
    ]
)
ACTIONS = st.dictionaries(
    st.sampled_from(["index", "create", "update", "delete", "x"]),
    st.dictionaries(
        st.sampled_from(["_index", "_id", "pipeline", "version", "version_type", "if_seq_no", "routing", "x"]),
        st.sampled_from(["app", "Bad", "1", "p", "external", "", None, 5, [], {}, True, "é", "\x00", 2**70]),
        max_size=3,
    )
    | LEAVES,
    max_size=2,
)
PIECES = st.one_of(
    ACTIONS.map(lambda one: dumped(one) + b"\n"),
    BODIES.map(lambda one: dumped(one) + b"\n"),
    st.sampled_from(
        [b"\n", b"\r\n", b"{}", b"\xff\xfe\n", b"\x00\n", b'{"a":1', b"[" * 1_000 + b"\n", b'{"a":' * 1_000 + b"\n"]
    ),
    st.binary(max_size=20),
)
FIELDS = st.sampled_from(
    ["n", "message", "a.b", "@timestamp", "level", "_id", "_index", "n'`\\é", "x\x00y", "app.keyword"]
)
_ONE = st.sampled_from(["term", "match", "prefix", "wildcard", "regexp", "match_phrase"])
_OF_FIELD = st.sampled_from(["terms", "cardinality", "avg", "stats", "percentiles", "missing", "value_count"])
_BOUNDS = st.dictionaries(st.sampled_from(["gte", "lt", "format", "time_zone"]), LEAVES, max_size=3)
QUERIES = st.one_of(
    st.builds(lambda kind, field, value: {kind: {field: value}}, _ONE, FIELDS, LEAVES),
    st.builds(lambda field, bounds: {"range": {field: bounds}}, FIELDS, _BOUNDS),
    st.text(max_size=20).map(lambda text: {"query_string": {"query": text}}),
    st.text(max_size=20).map(lambda text: {"simple_query_string": {"query": text}}),
    st.lists(LEAVES, max_size=4).map(lambda some: {"terms": {"n": some}}),
    st.lists(LEAVES, max_size=4).map(lambda some: {"ids": {"values": some}}),
)
"""Queries that are right in all but their values."""

AGGREGATIONS = st.one_of(
    st.builds(lambda kind, field: {kind: {"field": field}}, _OF_FIELD, FIELDS),
    st.builds(lambda field, value: {"histogram": {"field": field, "interval": value}}, FIELDS, LEAVES),
    st.builds(
        lambda field, a, b: {"range": {"field": field, "ranges": [{"from": a, "to": b}]}}, FIELDS, LEAVES, LEAVES
    ),
    LEAVES.map(lambda value: {"date_histogram": {"field": "@timestamp", "fixed_interval": value}}),
)
SORTS = st.lists(
    st.builds(lambda field, order: {field: order}, FIELDS, st.sampled_from(["asc", "desc"])), min_size=1, max_size=3
)


def check(answer: httpx.Response, sent: Any) -> None:
    """It is no fault of ours, and Elasticsearch's in shape."""
    assert answer.status_code < 500, (answer.status_code, answer.text, sent)
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    found = answer.json() if answer.content else {}
    if answer.status_code >= 400 and isinstance(found, dict) and "error" in found:
        error = found["error"]
        if isinstance(error, dict):
            assert error["reason"], sent
            assert error["type"], sent
            assert found["status"] == answer.status_code
            assert error["root_cause"][0]["type"], sent
    elif answer.status_code >= 400:
        assert answer.status_code == 404, (answer.text, sent)
    for item in found.get("items", ()) if isinstance(found, dict) else ():
        (outcome,) = item.values()
        assert outcome["status"] < 500, (outcome, sent)
        assert "error" not in outcome or outcome["error"]["reason"]
    for one in found.get("responses", ()) if isinstance(found, dict) else ():
        assert one["status"] < 500, (one, sent)

"""Whatever a client sends, the answer is soon there, is Elasticsearch's in shape, and is never a fault of ours.

Bodies are made of the words of the API with anything in their places: other types, other depths, huge numbers, NUL,
halves of surrogate pairs, broken NDJSON, broken UTF-8.
"""

import json
import time
import tracemalloc
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.web.http_side import HttpSide

WORDS = (
    "query bool must must_not should filter minimum_should_match boost match match_phrase match_phrase_prefix multi_match "
    "term terms range gte lt format time_zone exists prefix wildcard regexp ids values nested path query_string "
    "simple_query_string constant_score dis_max queries tie_breaker boosting positive negative match_all match_none field "
    "fields value operator slop fuzziness flags analyze_wildcard default_field sort order missing unmapped_type mode _score "
    "_doc _source includes excludes from size search_after track_total_hits highlight pre_tags fragment_size "
    "number_of_fragments post_filter docvalue_fields stored_fields pit id keep_alive aggs aggregations terms date_histogram "
    "fixed_interval calendar_interval extended_bounds min max min_doc_count histogram interval ranges to key filters "
    "other_bucket cardinality percentiles percents stats avg sum top_hits composite sources after global derivative "
    "buckets_path bucket_sort cumulative_sum doc upsert doc_as_upsert docs ids actions add remove alias index_patterns "
    "template settings mappings properties policy phases delete min_age processors set rename grok patterns date formats "
    "convert type gsub pattern replacement json kv append pipeline on_failure if name message @timestamp level app n"
).split()
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
PATHS = st.sampled_from([
    *("POST /_search", "POST /app/_search", "GET /_count", "POST /app/_validate/query", "POST /app/_doc", "PUT /app/_doc/1"),
    *("PUT /app/_create/2", "POST /app/_update/1", "POST /_mget", "POST /app/_mget", "POST /app/_delete_by_query", "PUT /made"),
    *("POST /_field_caps", "PUT /app/_mapping", "PUT /app/_settings", "PUT /_index_template/t", "PUT /_component_template/t"),
    *("PUT /_template/t", "PUT /_ilm/policy/p", "PUT /_plugins/_ism/policies/p", "POST /_aliases", "PUT /app/_alias/al"),
    *("PUT /_ingest/pipeline/p", "POST /_ingest/pipeline/_simulate", "PUT /_data_stream/logs-x-y", "POST /al/_rollover"),
    *("POST /_search/scroll", "DELETE /_search/scroll", "DELETE /_pit", "POST /app/_pit?keep_alive=1m", "POST /_msearch"),
])  # fmt: skip
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
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
SECONDS = 5.0
"""An answer takes milliseconds; the machine may be busy."""


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
def client() -> httpx.AsyncClient:
    """An admin's client that raises what the application raises; there are documents, a pipeline and an alias."""
    platform = FakePlatform()
    platform.telemetry.logs.records.clear()
    platform.ingest = IngestService(platform.telemetry, Origin("production", "node-1"))  # type: ignore[assignment, arg-type]
    documents = [{"message": f"付 error {n}", "n": n, "a": {"b": [n, "x", None]}} for n in range(5)]
    for number, document in enumerate(documents, 1):
        metadata = {"_index": "app", "_id": str(number), "_source": "message", **document}
        del metadata["message"]
        record = LogRecord(
            timestamp_ns=1_795_478_400 * 10**9 + number, message=str(document["message"]), metadata=metadata, id=number
        )
        platform.telemetry.logs.records.append(record)
    app = HttpSide(platform).listener("elasticsearch", loopback=True)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    headers = {"Authorization": f"ApiKey {platform.secrets[Role.ADMIN]}"}
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:9200", headers=headers, timeout=60)


def check(answer: httpx.Response, took: float, sent: Any) -> None:
    assert answer.status_code < 500, (answer.status_code, answer.text, sent)
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert took < SECONDS, sent
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


async def asked(client: httpx.AsyncClient, request: str, content: bytes) -> None:
    method, path = request.split(" ")
    began = time.perf_counter()
    answer = await client.request(method, path, content=content, headers={"Content-Type": "application/json"})
    check(answer, time.perf_counter() - began, (request, content))


@SETTINGS
@given(request=PATHS, body=BODIES)
async def test_any_body(client: httpx.AsyncClient, request: str, body: Any) -> None:
    await asked(client, request, dumped(body))


@SETTINGS
@given(
    query=VALUES,
    part=st.sampled_from(["query", "aggs", "sort", "highlight", "_source", "search_after", "post_filter", "fields"]),
)
async def test_any_search(client: httpx.AsyncClient, query: Any, part: str) -> None:
    await asked(client, "POST /app/_search", dumped({part: query, "size": 3}))


@SETTINGS
@given(kind=st.sampled_from(WORDS[:40]), options=VALUES)
async def test_any_query(client: httpx.AsyncClient, kind: str, options: Any) -> None:
    query = {kind: options}
    await asked(client, "POST /app/_search", dumped({"query": {"bool": {"must": [query], "should": query}}}))


@SETTINGS
@given(kind=st.sampled_from(WORDS), options=VALUES)
async def test_any_aggregation(client: httpx.AsyncClient, kind: str, options: Any) -> None:
    inner = {"b": {"terms": {"field": "n"}}}
    await asked(client, "POST /app/_search", dumped({"size": 0, "aggs": {"a": {kind: options, "aggs": inner}}}))


@SETTINGS
@given(
    steps=st.lists(st.dictionaries(st.sampled_from(WORDS), VALUES, min_size=1, max_size=1), max_size=3), source=VALUES
)
async def test_any_pipeline(client: httpx.AsyncClient, steps: Any, source: Any) -> None:
    body = {"pipeline": {"processors": steps}, "docs": [{"_source": {"message": source, "n": 1}}]}
    await asked(client, "POST /_ingest/pipeline/_simulate", dumped(body))


@SETTINGS
@given(
    pieces=st.lists(PIECES, max_size=8),
    path=st.sampled_from(["/_bulk", "/app/_bulk", "/_bulk?pipeline=p", "/_msearch", "/app/_msearch"]),
)
async def test_any_lines(client: httpx.AsyncClient, pieces: list[bytes], path: str) -> None:
    await asked(client, f"POST {path}", b"".join(pieces))


def _deep(depth: int) -> bytes:
    return b'{"query":' + b'{"bool":{"must":' * depth + b'{"match_all":{}}' + b"}}" * depth + b"}"


LARGE = {
    "nested 1,000 deep": ("POST /app/_search", _deep(1_000)),
    "nested 100,000 deep": ("POST /app/_search", b'{"query":' * 100_000),
    "arrays 100,000 deep": ("POST /app/_doc", b"[" * 100_000),
    "10,000 clauses": ("POST /app/_search", dumped({"query": {"bool": {"should": [{"term": {"n": n}} for n in range(10_000)]}}})),
    "100,000 terms": ("POST /app/_search", dumped({"query": {"terms": {"n": list(range(100_000))}}})),
    "10,000 aggregations": ("POST /app/_search", dumped({"aggs": {str(n): {"max": {"field": "n"}} for n in range(10_000)}})),
    "10,000 fields": ("POST /app/_doc", dumped({f"f{n}": n for n in range(10_000)})),
    "10,000 fields wanted": ("POST /app/_search", dumped({"_source": [f"f{n}*" for n in range(10_000)]})),
    "a query of 1 MB": ("POST /app/_search", dumped({"query": {"query_string": {"query": "a OR " * 200_000 + "b"}}})),
    "100,000 parentheses": ("POST /app/_search", dumped({"query": {"query_string": {"query": "(" * 100_000}}})),
    "a pattern": ("POST /app/_search", dumped({"query": {"regexp": {"app": "(a*)*" * 500 + "b"}}})),
    "a repetition": ("POST /app/_search", dumped({"query": {"regexp": {"app": "((a{1,100}){1,100}){1,100}"}}})),
    "wildcards": ("POST /app/_search", dumped({"query": {"wildcard": {"message": "*a" * 5_000}}})),
    "a number of 100,000 digits": ("POST /app/_doc", b'{"n":' + b"9" * 100_000 + b"}"),
    "a key twice, 5,000 times": ("POST /app/_doc", b"{" + b",".join([b'"a":1'] * 5_000) + b"}"),
    "100,000 empty lines": ("POST /_bulk", b"\n" * 100_000),
    "500 processors": ("PUT /_ingest/pipeline/p", dumped({"processors": [{"set": {"field": f"f{n}", "value": 1}} for n in range(501)]})),
    "buckets without end": ("POST /app/_search", dumped({"aggs": {"a": {"histogram": {"field": "n", "interval": 1e-9, "min_doc_count": 0}}}})),
    "years of milliseconds": ("POST /app/_search", dumped({"aggs": {"a": {"date_histogram": {
        "field": "@timestamp", "fixed_interval": "1ms", "min_doc_count": 0, "extended_bounds": {"min": 0, "max": 2**41}}}}})),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
async def test_what_is_large_is_bounded(client: httpx.AsyncClient, name: str) -> None:
    request, body = LARGE[name]
    tracemalloc.start()
    try:
        await asked(client, request, body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 400 << 20, f"{most >> 20} MB"

"""Whatever a client sends, the answer is soon there, is Elasticsearch's in shape, and is never a fault of ours.

The same against a platform that runs: ``tests/integration/web/test_elasticsearch_fuzz.py``.
"""

import time
import tracemalloc
from typing import Any

import httpx
import pytest
from elasticsearch_bodies import AGGREGATIONS, BODIES, PATHS, PIECES, QUERIES, SORTS, VALUES, WORDS, check, dumped
from fake_platform import FakePlatform
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.services.ingest import IngestService, Origin
from eldonia_ops.web.http_side import HttpSide

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=SLOW)
SECONDS = 5.0
"""An answer takes milliseconds; the machine may be busy."""


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


async def asked(client: httpx.AsyncClient, request: str, content: bytes) -> None:
    method, path = request.split(" ")
    began = time.perf_counter()
    answer = await client.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert time.perf_counter() - began < SECONDS, (request, content)
    check(answer, (request, content))


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
@given(query=QUERIES, aggregation=AGGREGATIONS, sort=SORTS, after=st.lists(VALUES, max_size=3))
async def test_any_value(client: httpx.AsyncClient, query: Any, aggregation: Any, sort: Any, after: Any) -> None:
    body = {"query": query, "aggs": {"x": aggregation}, "sort": sort, "highlight": {"fields": {"*": {}}}}
    await asked(client, "POST /app/_search", dumped(body))
    await asked(client, "POST /app/_search", dumped({"query": query, "sort": sort, "search_after": after}))


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
    "10,000 clauses": (
        "POST /app/_search",
        dumped({"query": {"bool": {"should": [{"term": {"n": n}} for n in range(10_000)]}}}),
    ),
    "100,000 terms": ("POST /app/_search", dumped({"query": {"terms": {"n": list(range(100_000))}}})),
    "10,000 aggregations": (
        "POST /app/_search",
        dumped({"aggs": {str(n): {"max": {"field": "n"}} for n in range(10_000)}}),
    ),
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
    "500 processors": (
        "PUT /_ingest/pipeline/p",
        dumped({"processors": [{"set": {"field": f"f{n}", "value": 1}} for n in range(501)]}),
    ),
    "buckets without end": (
        "POST /app/_search",
        dumped({"aggs": {"a": {"histogram": {"field": "n", "interval": 1e-9, "min_doc_count": 0}}}}),
    ),
    "years of milliseconds": (
        "POST /app/_search",
        dumped(
            {
                "aggs": {
                    "a": {
                        "date_histogram": {
                            "field": "@timestamp",
                            "fixed_interval": "1ms",
                            "min_doc_count": 0,
                            "extended_bounds": {"min": 0, "max": 2**41},
                        }
                    }
                }
            }
        ),
    ),
}


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

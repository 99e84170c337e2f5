"""Searches by clients from their own packages, and those that Grafana's data source sends, to a platform that runs."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from elasticsearch_clients import elasticsearch_serving, run_javascript, run_python
from serving import Serving


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, str]]:
    with elasticsearch_serving(tmp_path_factory.mktemp("searches")) as running:
        yield running


@pytest.mark.parametrize("name", ["elasticsearch8", "elasticsearch9", "opensearch"])
def test_python_clients_search(platform: tuple[Serving, str], name: str) -> None:
    running, url = platform
    found = run_python("python_search.py", name, url, running.token)
    assert "unknown query [mach] did you mean [match]?" in found.pop("refused")
    assert found.pop("dsl", [50, ["0", "5", "10"], 0.0]) == [50, ["0", "5", "10"], 0.0]
    assert found == {
        "total": {"value": 50, "relation": "eq"},
        "first": ["0", "5", "10"],
        "highlight": ["request 5 failed: connection <em>reset</em> <em>by</em> <em>peer</em>"],
        "count": 50,
        "scanned": [250, 250],
        "services": [["s0", 63, 186.0], ["s1", 63, 187.5], ["s2", 62, 186.0], ["s3", 62, 187.5]],
        "minutes": [9, 60, 60, 60, 60, 1],
        "users": 10,
        "point": True,
        "closed": True,
        "several": [200, 404],
    }


def test_javascript_client_searches(platform: tuple[Serving, str]) -> None:
    running, url = platform
    found = run_javascript("javascript_search.mjs", "@elastic/elasticsearch", url, running.token)
    assert found == {
        "total": 40,
        "ids": ["order 118", "order 115"],
        "buckets": [{"key": "s1", "doc_count": 40}],
        "scrolled": 120,
        "seen": 120,
        "closed": True,
    }


def test_requests_of_grafana(platform: tuple[Serving, str]) -> None:
    """The shapes that ``pkg/tsdb/elasticsearch`` builds: metrics by ``_msearch``, and logs a page after another."""
    running, url = platform
    first = 1_796_000_000_000
    lines: list[Any] = []
    for number in range(90):
        document = {
            "@timestamp": first + 1_000 * number,
            "message": f"call {number} timeout",
            "took": number,
            "app": f"a{number % 3}",
        }
        lines += [{"create": {"_id": f"g{number}"}}, document]
    within = {"range": {"@timestamp": {"format": "epoch_millis", "gte": first, "lte": first + 89_999}}}
    asked = {"query_string": {"analyze_wildcard": True, "query": "timeout"}}
    query = {"bool": {"filter": [within, asked]}}
    bounds = {"min": first, "max": first + 119_999}
    steps = {
        "field": "@timestamp",
        "fixed_interval": "30s",
        "min_doc_count": 0,
        "extended_bounds": bounds,
        "format": "epoch_millis",
    }
    inner = {"2": {"date_histogram": steps, "aggs": {"1": {"max": {"field": "took"}}}}, "1": {"max": {"field": "took"}}}
    terms = {"field": "app.keyword", "size": 2, "order": {"1": "desc"}, "min_doc_count": 1}
    metrics = {"size": 0, "query": query, "aggs": {"4": {"terms": terms, "aggs": inner}}}
    logs: dict[str, Any] = {
        "size": 60, "query": query, "script_fields": {}, "docvalue_fields": ["@timestamp"],
        "sort": {"@timestamp": {"order": "desc", "unmapped_type": "boolean"}, "_doc": {"order": "desc"}},
        "fields": [{"field": "@timestamp", "format": "strict_date_optional_time_nanos"}],
        "highlight": {"fields": {"*": {}}, "fragment_size": 2_147_483_647,
                      "pre_tags": ["@HIGHLIGHT@"], "post_tags": ["@/HIGHLIGHT@"]},
    }  # fmt: skip
    header = {"ignore_unavailable": True, "index": "grafana-*"}
    with httpx.Client(base_url=url, auth=("x", running.token), trust_env=False, timeout=60) as http:

        def sent(path: str, some: list[Any]) -> Any:
            content = "\n".join(map(json.dumps, some)) + "\n"
            return http.post(path, content=content, headers={"Content-Type": "application/x-ndjson"}).json()

        assert sent("/grafana-1/_bulk?refresh=true", lines)["errors"] is False
        answer, page = sent("/_msearch?max_concurrent_shard_requests=5", [header, metrics, header, logs])["responses"]
        buckets = answer["aggregations"]["4"]["buckets"]
        assert [(one["key"], one["doc_count"], one["1"]["value"]) for one in buckets] == [
            ("a2", 30, 89.0),
            ("a1", 30, 88.0),
        ]
        rows = [(one["key_as_string"], one["doc_count"], one["1"]["value"]) for one in buckets[0]["2"]["buckets"]]
        assert sum(count for _, count, _ in rows) == 30
        assert rows[-1][1:] == (0, None)
        assert rows[0][0] == str(first - first % 30_000)
        hit = page["hits"]["hits"][0]
        assert hit["highlight"] == {"message": ["call 89 @HIGHLIGHT@timeout@/HIGHLIGHT@"]}
        assert hit["fields"]["@timestamp"][0].endswith("000000Z")
        logs["search_after"] = page["hits"]["hits"][-1]["sort"]
        (rest,) = sent("/_msearch", [header, logs])["responses"]
        assert [one["_id"] for one in rest["hits"]["hits"]] == [f"g{number}" for number in range(29, -1, -1)]


def test_a_field_of_two_kinds(platform: tuple[Serving, str]) -> None:
    """Numbers and texts in one field: each is searched and sorted as what it is."""
    running, url = platform
    lines = [part for n in (5, "5", "x", "12", 7.5) for part in ({"index": {"_index": "two"}}, {"n": n})]
    with httpx.Client(base_url=url, auth=("x", running.token), trust_env=False, timeout=60) as http:
        http.post("/_bulk", content="\n".join(map(json.dumps, lines)) + "\n")

        def found(**body: Any) -> list[Any]:
            return [hit["_source"]["n"] for hit in http.post("/two/_search", json=body).json()["hits"]["hits"]]

        assert sorted(found(query={"range": {"n": {"gte": 4}}})) == [5, 7.5]
        assert set(map(repr, found(query={"term": {"n": 5}}))) == {"5", "'5'"}
        assert found(sort=[{"n": "asc"}]) == [5, 7.5, "12", "5", "x"]
        assert found(sort=[{"n": "desc"}]) == ["x", "5", "12", 7.5, 5]

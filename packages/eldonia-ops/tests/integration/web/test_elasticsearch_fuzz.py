"""The fuzz of Elasticsearch's API against a platform that runs: what comes to its store is right SQL, too."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from elasticsearch_bodies import AGGREGATIONS, BODIES, PATHS, QUERIES, SORTS, VALUES, check, dumped
from elasticsearch_clients import elasticsearch_serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=SLOW)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        elasticsearch_serving(tmp_path_factory.mktemp("fuzz")) as (running, url),
        httpx.Client(base_url=url, auth=("x", running.token), trust_env=False, timeout=60) as http,
    ):
        lines: list[Any] = []
        for n in range(40):
            lines += [
                {"index": {"_index": "app", "_id": str(n)}},
                {"message": f"付 error {n}", "n": n, "a": {"b": [n, "x"]}},
            ]
        answer = http.post("/_bulk", content=b"".join(dumped(one) + b"\n" for one in lines))
        assert answer.json()["errors"] is False
        yield http


def asked(client: httpx.Client, request: str, body: Any) -> None:
    method, path = request.split(" ")
    headers = {"Content-Type": "application/json"}
    check(client.request(method, path, content=dumped(body), headers=headers), (request, body))


@SETTINGS
@given(request=PATHS, body=BODIES)
def test_any_body(client: httpx.Client, request: str, body: Any) -> None:
    asked(client, request, body)


@SETTINGS
@given(query=QUERIES, aggregation=AGGREGATIONS, sort=SORTS, after=st.lists(VALUES, max_size=3))
def test_any_value(client: httpx.Client, query: Any, aggregation: Any, sort: Any, after: Any) -> None:
    highlight = {"fields": {"*": {}}}
    asked(
        client, "POST /app/_search", {"query": query, "aggs": {"x": aggregation}, "sort": sort, "highlight": highlight}
    )
    asked(client, "POST /app/_search", {"query": query, "sort": sort, "search_after": after})

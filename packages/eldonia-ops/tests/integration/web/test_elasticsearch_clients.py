"""Clients of Elasticsearch from their own packages, unmodified, against a platform that runs."""

from collections.abc import Iterator

import httpx
import pytest
from elasticsearch_clients import elasticsearch_serving, run_javascript, run_python
from serving import Serving


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, str]]:
    with elasticsearch_serving(tmp_path_factory.mktemp("elasticsearch")) as running:
        yield running


@pytest.mark.parametrize("name", ["elasticsearch8", "elasticsearch9", "opensearch"])
def test_python_clients(platform: tuple[Serving, str], name: str) -> None:
    running, url = platform
    found = run_python("python_client.py", name, url, running.token)
    stream_error = "illegal_argument_exception"
    assert found == {
        "version": "8.19.0",
        "ping": True,
        "made": "created",
        "read_back": True,
        "named": ["created", "updated"],
        "updated": "updated",
        "named_source": {"n": 2, "m": [1, {"x": "y"}]},
        "version_of": 3,
        "conflict": "version_conflict_engine_exception",
        "exists": [True, False],
        "mget": [True, False],
        "deleted": "deleted",
        "gone": found["gone"],  # the body of a 404 for a document has no error
        "no_index": "index_not_found_exception",
        "bad_time": "document_parsing_exception",
        "bulk": [300, []],
        "streaming": 250,
        "parallel": 200,
        "partly": [2, ["document_parsing_exception"]],
        "template": 200,
        "template_exists": True,
        "not_created": stream_error,
        "stream": [f"{name}-t", 1, True],
        "rolled": True,
        "generation": 2,
        "created": f"{name}-own",
        "twice": "resource_already_exists_exception",
        "alias": [f"{name}-own"],
        "mapping": "long",
        "caps": ["message", "message.keyword"],
        "refresh": 0,
        "health": "green",
        # 1 + 300 + 250 + 200, one more in the last bulk, and one deleted in it
        "count": ["751"],
        "by_query": 2,
        "index_gone": False,
    }
    assert found["gone"] != "no error"


def test_javascript_client(platform: tuple[Serving, str]) -> None:
    running, url = platform
    found = run_javascript("javascript_client.mjs", "@elastic/elasticsearch", url, running.token)
    assert found.pop("source") == found.pop("sent")
    assert found == {
        "version": "8.19.0",
        "bulk": [500, 500, 0],
        "stream": 1,
        "missing": [404, False],
        "updated": {"n": 1, "m": 2},
    }


def test_the_seeds_logger(platform: tuple[Serving, str]) -> None:
    running, url = platform
    assert run_javascript("winston.mjs", "winston-elasticsearch", url, running.token) == {"failures": []}
    with httpx.Client(base_url=url, auth=("x", running.token), trust_env=False) as http:
        indices = http.get("/_cat/indices/eldonia-logs-*", params={"format": "json"}).json()
        assert [one["docs.count"] for one in indices] == ["50"]
    with running.client() as http:
        page = http.get("/api/ops/v1/logs", params={"q": "order 40"}).json()
    assert [(one["message"], one["level"]) for one in page["records"]] == [("order 40", "error")]
    assert page["records"][0]["metadata"]["fields"] == {"service": "shop", "userId": "u40", "duration": 20}

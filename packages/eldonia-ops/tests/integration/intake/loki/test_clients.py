"""Clients of Loki from their own packages send to a running platform, unmodified."""

import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from local_server import free_port
from node_packages import run_node
from required_tools import requires_module, requires_tool
from serving import Serving, serving

logging_loki = requires_module("logging_loki")
WINSTON = Path(__file__).parent / "winston.cjs"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Serving]:
    settings = {"rules": {"defaults": False}, "listeners": {"loki": {"port": port}}}
    with serving(tmp_path_factory.mktemp("loki"), settings) as found:
        yield found


def stored(platform: Serving, service: str) -> list[dict]:
    with platform.client() as http:
        answer = http.get("/api/ops/v1/logs", params={"service": service, "since": "-1h", "limit": "1000"})
    return answer.json()["records"]


@pytest.fixture(scope="module")
def ingest_token(platform: Serving) -> str:
    with platform.client() as http:
        return http.post("/api/ops/v1/tokens", json={"name": "loki", "role": "ingest"}).json()["secret"]


def test_python_logging_loki(platform: Serving, port: int, ingest_token: str) -> None:
    handler = logging_loki.LokiHandler(
        url=f"http://127.0.0.1:{port}/loki/api/v1/push",
        tags={"application": "py-shop"},
        auth=("loki", ingest_token),
        version="1",
    )
    failures: list[object] = []
    handler.handleError = failures.append
    logger = logging.Logger("shop.orders")
    logger.addHandler(handler)
    for number in range(20):
        logger.error("order %d failed", number, extra={"tags": {"region": "tokyo"}})
    assert failures == []
    found = stored(platform, "py-shop")
    assert {one["message"] for one in found} == {f"order {number} failed" for number in range(20)}
    assert {one["level"] for one in found} == {"error"}
    assert {(one["component"], one["metadata"]["region"]) for one in found} == {("shop.orders", "tokyo")}


@requires_tool("node")
@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_winston_loki(platform: Serving, port: int, ingest_token: str, form: str) -> None:
    before = len(stored(platform, "winston-shop"))
    run_node(WINSTON, f"http://127.0.0.1:{port}", ingest_token, "40", form, packages=("winston", "winston-loki"))
    found = stored(platform, "winston-shop")[: 40 if before else None]
    assert len(found) == 40
    assert {one["level"] for one in found} == {"warn"}
    assert {one["metadata"]["region"] for one in found} == {"tokyo"}


def test_without_a_token_nothing_is_taken_and_the_words_are_lokis(port: int) -> None:
    answer = httpx.post(f"http://127.0.0.1:{port}/loki/api/v1/push", json={"streams": []}, trust_env=False)
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/plain")

"""Every process sends its own metrics, while it lives and when it ends."""

import gzip
import json
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eldonia_telemetry import losses, metrics
from eldonia_telemetry.metrics.push import MetricsPush
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint


class Store:
    """Takes ``/v1/metrics``; ``answers`` are the statuses of the next requests."""

    def __init__(self) -> None:
        self.requests: list[dict] = []
        self.answers: list[int] = []
        self.authorizations: set[str] = set()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                body = json.loads(gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw)
                assert self.path == "/v1/metrics"
                status = store.answers.pop(0) if store.answers else 200
                if status == 200:
                    store.authorizations.add(self.headers.get("authorization", ""))
                    store.requests.append(body)
                self.send_response(status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def points(self, name: str) -> list[tuple[str, dict]]:
        """Instance and data point of a counter or gauge, in the order of their coming."""
        found = []
        for request in self.requests:
            for group in request["resourceMetrics"]:
                who = {a["key"]: next(iter(a["value"].values())) for a in group["resource"]["attributes"]}
                for metric in group["scopeMetrics"][0]["metrics"]:
                    if metric["name"] == name:
                        data = metric.get("sum") or metric["gauge"]
                        found += [(who["service.instance.id"], point) for point in data["dataPoints"]]
        return found


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.server.shutdown()
    store.server.server_close()


@pytest.fixture
def push(store) -> Iterator[MetricsPush]:
    resource = {"service.name": "shop", "service.instance.id": "h:1"}
    push = MetricsPush(HttpEndpoint(store.url), resource, interval=3600)
    yield push
    push.close(5)


def test_it_goes_by_itself_again_and_again(store):
    push = MetricsPush(HttpEndpoint(store.url), {"service.instance.id": "h:1"}, interval=0.01)
    for _ in range(3):
        assert push.flush(10)
    push.close(10)
    assert len(store.points("process_cpu_seconds_total")) >= 3


def test_a_flush_sends_what_is_there_now(store, push):
    metrics.standard.orders.inc(5)
    now = metrics.registry.value("orders_total")
    assert push.flush(10)
    assert [point["asDouble"] for _, point in store.points("orders_total")] == [now]


def test_what_did_not_arrive_is_made_good_by_the_next(store, push, capsys):
    store.answers = [503, 401]
    before = losses.snapshot().get(("metric", "push answered with HTTP 401"), 0)
    assert not push.flush(10)
    assert not push.flush(10)
    assert losses.snapshot()["metric", "push answered with HTTP 401"] == before + 1
    assert push.flush(10)
    assert len(store.points("orders_total")) == 1


def test_what_is_too_large_goes_in_halves(store, push):
    store.answers = [413]
    assert push.flush(10)
    assert len(store.requests) == 2
    assert len(store.points("orders_total")) == 1


def test_the_end_is_told_after_the_last_values(store, push):
    push.close(10)
    push.close(10)
    assert push.flush(0)
    (_, last), (_, end) = store.points("orders_total")
    assert "asDouble" in last
    assert end["flags"] == 1
    assert int(end["timeUnixNano"]) // 1_000_000 > int(last["timeUnixNano"]) // 1_000_000


def test_a_backend_that_is_away_holds_nobody_up():
    push = MetricsPush(HttpEndpoint("http://127.0.0.1:1"), {}, interval=3600)
    assert not push.flush(10)
    push.close(10)
    assert not push._thread.is_alive()


def test_forked_workers_are_instances_of_their_own(store):
    code = """
        import os, sys, eldonia_telemetry as telemetry
        telemetry.init(service="f", otlp_endpoint=sys.argv[1], otlp_metrics=True, ingest_token="t", console=False,
                       otlp_logs=False)
        children = []
        for number in (1, 2):
            child = os.fork()
            if child == 0:
                telemetry.metrics.standard.orders.inc(number)
                telemetry.shutdown(10)
                os._exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        print(os.getpid(), *children)
        telemetry.shutdown(10)
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("ELDONIA_")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), store.url],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    parent, first, second = done.stdout.split()
    orders = {}
    for instance, point in store.points("orders_total"):
        if "asDouble" in point:
            orders[instance.rpartition(":")[2]] = point["asDouble"]
    assert orders == {parent: 0, first: 1, second: 2}
    assert store.authorizations == {"Bearer t"}

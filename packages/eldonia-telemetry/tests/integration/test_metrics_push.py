"""Every process sends its own metrics, while it lives and when it ends."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from eldonia_telemetry import dropped_data, metrics
from eldonia_telemetry.metrics.push import MetricsPush
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint


@pytest.fixture
def push(collector) -> Iterator[MetricsPush]:
    resource = {"service.name": "shop", "service.instance.id": "h:1"}
    push = MetricsPush(HttpEndpoint(collector.url), resource, interval=3600)
    yield push
    push.close(5)


def test_it_goes_by_itself_again_and_again(collector):
    push = MetricsPush(HttpEndpoint(collector.url), {"service.instance.id": "h:1"}, interval=0.01)
    for _ in range(3):
        assert push.flush(10)
    push.close(10)
    assert len(collector.points("process_cpu_seconds_total")) >= 3


def test_a_flush_sends_what_is_there_now(collector, push):
    metrics.standard.orders.inc(5)
    now = metrics.registry.value("orders_total")
    assert push.flush(10)
    assert [point["asDouble"] for _, point in collector.points("orders_total")] == [now]


def test_what_did_not_arrive_is_made_good_by_the_next(collector, push, capsys):
    collector.answers = [503, 401]
    before = dropped_data.snapshot().get(("metric", "push answered with HTTP 401"), 0)
    assert not push.flush(10)
    assert not push.flush(10)
    assert dropped_data.snapshot()["metric", "push answered with HTTP 401"] == before + 1
    assert push.flush(10)
    assert len(collector.points("orders_total")) == 1


def test_what_is_too_large_goes_in_halves(collector, push):
    collector.answers = [413]
    assert push.flush(10)
    assert len(collector.bodies["/v1/metrics"]) == 2
    assert len(collector.points("orders_total")) == 1


def test_the_end_is_sent_after_the_last_values(collector, push):
    push.close(10)
    push.close(10)
    assert push.flush(0)
    (_, last), (_, end) = collector.points("orders_total")
    assert "asDouble" in last
    assert end["flags"] == 1
    assert int(end["timeUnixNano"]) // 1_000_000 > int(last["timeUnixNano"]) // 1_000_000


def test_a_backend_that_is_away_delays_no_one():
    push = MetricsPush(HttpEndpoint("http://127.0.0.1:1"), {}, interval=3600)
    assert not push.flush(10)
    push.close(10)
    assert not push._thread.is_alive()


def test_forked_workers_are_instances_of_their_own(collector):
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
        [sys.executable, "-c", textwrap.dedent(code), collector.url],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    parent, first, second = done.stdout.split()
    orders = {}
    for instance, point in collector.points("orders_total"):
        if "asDouble" in point:
            orders[instance.rpartition(":")[2]] = point["asDouble"]
    assert orders == {parent: 0, first: 1, second: 2}
    assert collector.authorizations == {"Bearer t"}

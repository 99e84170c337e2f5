"""Debian's Prometheus as the sender of remote write: what arrives is what it has, whatever becomes of us meanwhile."""

import json
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import cramjam
import httpx
import pytest
from programs import eventually, free_port
from required_tools import requires_tool

from eldonia_ops.intake.prometheus_remote_write.messages import WriteRequest

LATE: Final = "a sample that is older than the newest of its series"
OTHER: Final = "another value for an instant that has one already"

SETTINGS: Final = """
listen: 127.0.0.1:{port}
data: {folder}/data
host: {{enabled: false}}
rules: {{defaults: false}}
"""

PROMETHEUS: Final = """
global: {{scrape_interval: 500ms}}
scrape_configs:
  - {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{own}']}}]}}
  - {{job_name: shop, static_configs: [{{targets: ['127.0.0.1:{shop}']}}]}}
remote_write:
  - url: http://127.0.0.1:{port}/api/v1/write
    authorization: {{credentials: {token}}}
    metadata_config: {{send_interval: 1s}}
    queue_config: {{min_backoff: 50ms, max_backoff: 500ms, batch_send_deadline: 200ms}}
"""

EXPOSITION: Final = """# HELP orders_total Orders "taken", 注文.
# TYPE orders_total counter
orders_total{{method="card",note="a \\"quoted\\" 注文\\\\"}} {count}
# TYPE odd gauge
odd{{kind="nan"}} NaN
odd{{kind="inf"}} -Inf
odd{{kind="small"}} 5e-324
# TYPE took_seconds histogram
took_seconds_bucket{{le="0.1"}} {count}
took_seconds_bucket{{le="+Inf"}} {count}
took_seconds_sum 0.25
took_seconds_count {count}
{vanishing}"""


class Shop:
    """An application that Prometheus scrapes. Its ``vanishing`` metric is there while ``whole`` is true."""

    def __init__(self) -> None:
        self.whole = True
        self.scrapes = 0
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.scrapes += 1
                vanishing = "vanishing 1\n" if shop.whole else ""
                body = EXPOSITION.format(count=shop.scrapes, vanishing=vanishing).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.server.shutdown()
    made.server.server_close()


def samples(http: httpx.Client, selector: str, at: float) -> dict[str, list[Any]]:
    """All samples of the last minutes by series, as the API gives them."""
    answer = http.get("/api/v1/query", params={"query": f"{selector}[10m]", "time": at})
    assert answer.status_code == 200, answer.text
    return {
        json.dumps(one["metric"], sort_keys=True): [[round(float(when), 3), value] for when, value in one["values"]]
        for one in answer.json()["data"]["result"]
    }


@dataclass(frozen=True, slots=True)
class Sides:
    """The platform, and the Prometheus that scrapes a shop and sends to it, each with a client of its API."""

    platform: Any
    prometheus: Any
    ours: httpx.Client
    theirs: httpx.Client

    def ready(self) -> bool:
        return self.ours.get("/-/ready").status_code == 200

    def arrived(self, query: str) -> Callable[[], Any]:
        return lambda: self.ours.get("/api/v1/query", params={"query": query}).json()["data"]["result"]


def started(
    program: Callable[..., Any],
    folder: Path,
    shop: int,
    *,
    remote_write: str = "",
    options: Sequence[str] = (),
) -> Sides:
    """Both, with a ready platform. ``remote_write`` are more lines of that section, ``options`` of the command."""
    port, own = free_port(), free_port()
    settings = folder / "eldonia-ops.yml"
    settings.write_text(SETTINGS.format(port=port, folder=folder))
    platform = program("platform", "-m", "eldonia_ops", "serve", "--config", str(settings))
    configuration = folder / "prometheus.yml"
    arguments = [
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address=127.0.0.1:{own}",
        *options,
    ]
    start = "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])"
    prometheus = program("prometheus", "-c", start, "prometheus", *arguments)
    ours, theirs = (
        httpx.Client(base_url=f"http://127.0.0.1:{one}", timeout=10, trust_env=False) for one in (port, own)
    )
    sides = Sides(platform, prometheus, ours, theirs)
    platform.start()
    eventually(sides.ready, "the platform is ready", 60, platform)
    ours.headers["Authorization"] = f"Bearer {(folder / 'data' / 'admin.token').read_text().strip()}"
    token = ours.post("/api/ops/v1/tokens", json={"name": "prometheus", "role": "ingest"}).json()["secret"]
    text = PROMETHEUS.format(own=own, shop=shop, port=port, token=token)
    configuration.write_text(text + remote_write)
    prometheus.start()
    return sides


@requires_tool("prometheus")
def test_what_prometheus_sends_is_what_we_answer_though_we_are_killed_in_between(
    program: Callable[..., Any], tmp_path: Path, shop: Shop
) -> None:
    sides = started(program, tmp_path, shop.port)
    platform, prometheus, ours, theirs = sides.platform, sides.prometheus, sides.ours, sides.theirs
    arrived, ready = sides.arrived, sides.ready
    eventually(arrived("vanishing"), "the first samples", 60, platform, prometheus)
    for _ in range(2):
        time.sleep(1.5)
        platform.kill()
        time.sleep(1)
        platform.start()
        eventually(ready, "the platform is ready again", 60, platform, prometheus)
    shop.whole = False
    eventually(lambda: not arrived("vanishing")(), "the stale marker", 30, platform, prometheus)
    at = time.time() - 1
    newest = f"timestamp(orders_total) > {at + 0.5}"
    eventually(arrived(newest), "everything up to the instant of comparison", 60, platform, prometheus)
    time.sleep(1)  # other shards of the sender may be a moment behind this one

    selector = '{job=~"prometheus|shop"}'
    expected = samples(theirs, selector, at)
    found = samples(ours, selector, at)
    assert len(expected) > 300
    assert found.keys() == expected.keys()
    assert {name: values for name, values in found.items() if values != expected[name]} == {}
    for query in ("vanishing", "orders_total"):
        both = [http.get("/api/v1/query", params={"query": query, "time": at}).json() for http in (theirs, ours)]
        assert both[0]["data"] == both[1]["data"], query
    rates = []
    for http in (theirs, ours):
        answer = http.get("/api/v1/query", params={"query": "rate(took_seconds_count[5s]) > 0", "time": at}).json()
        result = answer["data"]["result"]
        rates.append(
            {json.dumps([one["metric"], one["value"][0]], sort_keys=True): float(one["value"][1]) for one in result}
        )
    # Where scrapes come late, the order of additions shows in the last digit.
    assert rates[0]
    assert rates[1] == pytest.approx(rates[0], rel=1e-14)
    for query in ("orders_total", "rate(took_seconds_bucket[5s])", "max_over_time(orders_total[5s:1s])", "1"):
        parameters = {"query": query, "start": at - 5, "end": at, "step": 1, "stats": "all"}
        stats = [http.get("/api/v1/query_range", params=parameters).json()["data"]["stats"] for http in (theirs, ours)]
        assert stats[0]["timings"].keys() == stats[1]["timings"].keys()
        assert stats[0]["samples"].keys() == stats[1]["samples"].keys()
        assert stats[0]["samples"]["totalQueryableSamples"] == stats[1]["samples"]["totalQueryableSamples"], query
    metadata = ours.get("/api/v1/metadata", params={"metric": "orders_total"}).json()["data"]["orders_total"]
    assert metadata == [{"type": "counter", "help": 'Orders "taken", 注文.', "unit": ""}]
    refusals = ours.get("/api/ops/v1/refusals").json()
    assert [one for one in refusals if "exemplar" not in one["reason"]] == []
    failed = samples(theirs, "prometheus_remote_storage_samples_failed_total", time.time())
    assert {value for values in failed.values() for _, value in values} == {"0"}
    assert platform.stop() == 0


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def field(number: int, value: float | str | bytes) -> bytes:
    """A field of a protobuf message: integers as varints, floats as doubles."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def family(scrape: int) -> bytes:
    """``io.prometheus.client.MetricFamily`` with a native histogram of schema 3, whose counts grow with each scrape.

    https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto
    """
    positive = [1_000 + scrape, 500, 2_000 + 3 * scrape]
    deltas = [positive[0], positive[1] - positive[0], positive[2] - positive[1]]
    histogram = field(1, sum(positive) + 7 + 40) + field(2, 100.5 + scrape)
    histogram += field(5, zigzag(3)) + field(6, 0.001) + field(7, 7)
    histogram += field(9, field(1, zigzag(2)) + field(2, 1)) + field(10, zigzag(40))
    histogram += field(12, field(1, zigzag(-4)) + field(2, 2)) + field(12, field(1, zigzag(5)) + field(2, 1))
    histogram += b"".join(field(13, zigzag(delta)) for delta in deltas)
    metric = field(1, field(1, "method") + field(2, "card")) + field(7, histogram)
    message = field(1, "took_seconds") + field(2, "Time.") + field(3, 4) + field(4, metric)
    return varint(len(message)) + message


@requires_tool("prometheus")
def test_native_histograms_arrive_as_prometheus_has_them(program: Callable[..., Any], tmp_path: Path) -> None:
    scrapes = [0]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            scrapes[0] += 1
            body = family(scrapes[0])
            self.send_response(200)
            media = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    shop = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    sides = started(
        program,
        tmp_path,
        shop.server_address[1],
        remote_write="    send_native_histograms: true\n",
        options=("--enable-feature=native-histograms",),
    )
    platform, prometheus, ours, theirs = sides.platform, sides.prometheus, sides.ours, sides.theirs
    arrived, ready = sides.arrived, sides.ready
    eventually(arrived("histogram_count(took_seconds) > 3560"), "some histograms", 60, platform, prometheus)
    platform.kill()
    platform.start()
    eventually(ready, "the platform is ready again", 60, platform, prometheus)
    at = time.time() - 1
    newest = f"timestamp(took_seconds) > {at + 0.5}"
    eventually(arrived(newest), "everything up to the instant of comparison", 60, platform, prometheus)

    def answer(http: httpx.Client, query: str) -> Any:
        found = http.get("/api/v1/query", params={"query": query, "time": at})
        assert found.status_code == 200, found.text
        return found.json()["data"]["result"]

    [expected] = answer(theirs, "took_seconds[10m]")
    [found] = answer(ours, "took_seconds[10m]")
    assert found == expected
    assert len(found["histograms"]) > 3
    [[_, first]] = [one["histogram"] for one in answer(ours, "took_seconds")]
    assert [bucket[0] for bucket in first["buckets"]] == [1, 3, 0, 0, 0]
    for query in (
        "took_seconds",
        "sum(took_seconds)",
        "histogram_count(took_seconds)",
        "histogram_sum(took_seconds)",
        "histogram_count(increase(took_seconds[3s]))",
    ):
        both = [answer(http, query) for http in (theirs, ours)]
        assert len(both[1]) == 1, query
        assert both[0] == both[1], query
    refusals = ours.get("/api/ops/v1/refusals").json()
    assert [one for one in refusals if "exemplar" not in one["reason"]] == []
    shop.shutdown()
    shop.server_close()
    assert platform.stop() == 0


class Sender:
    """Sends requests of its own making: what a real sender repeats, or would never send."""

    def __init__(self, http: httpx.Client, token: str) -> None:
        self._http = http
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }

    def __call__(self, *samples: tuple[str, int, float], **headers: str) -> httpx.Response:
        message = WriteRequest()
        for name, at, value in samples:
            series = message.timeseries.add()
            series.labels.add(name="__name__", value=name)
            series.samples.add(value=value, timestamp=at)
        body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
        return self._http.post("/api/v1/write", content=body, headers={**self._headers, **headers})


def test_requests_that_come_again_or_too_late(program: Callable[..., Any], tmp_path: Path) -> None:
    port = free_port()
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(SETTINGS.format(port=port, folder=tmp_path))
    platform = program("platform", "-m", "eldonia_ops", "serve", "--config", str(settings))
    platform.start()
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False)

    def ready() -> bool:
        return http.get("/-/ready").status_code == 200

    eventually(ready, "the platform is ready", 60, platform)
    admin = {"Authorization": f"Bearer {(tmp_path / 'data' / 'admin.token').read_text().strip()}"}
    made = http.post("/api/ops/v1/tokens", json={"name": "sender", "role": "ingest"}, headers=admin).json()
    send = Sender(http, made["secret"])
    now = int(time.time() * 1000)
    first = [("a", now - 3_000, 1.0), ("a", now - 2_000, 2.0), ("a", now - 1_000, 3.0), ("b", now, 1.0)]

    def stored() -> dict[str, list[Any]]:
        parameters = {"query": '{__name__=~"a|b|c"}[1h]', "time": now / 1000 + 60}
        found = http.get("/api/v1/query", params=parameters, headers=admin).json()["data"]["result"]
        return {one["metric"]["__name__"]: [float(value) for _, value in one["values"]] for one in found}

    assert send(*first).status_code == 204
    assert send(*first).status_code == 204, "a request that comes again as a whole is no fault"
    expected = {"a": [1.0, 2.0, 3.0], "b": [1.0]}
    assert stored() == expected

    late = send(("a", now - 1_500, 9.0), ("c", now, 1.0))
    assert (late.status_code, late.text) == (400, f"{LATE} (1 refused, 1 stored)\n")
    expected["c"] = [1.0]
    other = send(("a", now - 1_000, 9.0), ("c", now + 1, 2.0))
    assert (other.status_code, other.text) == (400, f"{OTHER} (1 refused, 1 stored)\n")
    expected["c"] = [1.0, 2.0]
    assert stored() == expected

    platform.kill()
    platform.start()
    eventually(ready, "the platform is ready again", 60, platform)
    assert send(*first).status_code == 204, "what was stored before the crash is recognised"
    assert send(("a", now - 1_000, 9.0)).status_code == 400
    assert stored() == expected

    version = send(*first, **{"Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"})
    assert (version.status_code, "only remote write 1.0" in version.text) == (415, True)
    assert send(("a", 1, 1.0)).text.startswith("a time too long ago to be kept")
    refusals = {one["reason"]: one["count"] for one in http.get("/api/ops/v1/refusals", headers=admin).json()}
    assert refusals[OTHER] == 1
    assert http.post("/api/v1/write").status_code == 401
    assert http.post("/api/v1/write", headers={"Authorization": "Bearer wrong"}).status_code == 401

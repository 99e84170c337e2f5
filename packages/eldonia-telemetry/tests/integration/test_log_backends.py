"""The sinks behind a network, against servers on loopback: what arrives, and what happens when no server takes it."""

import base64
import gzip
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from eldonia_telemetry import dropped_data, get_logger, runtime
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.sinks import batching

LOG = get_logger(component="orders")


class Backend:
    """Elasticsearch's bulk and template API and OTLP's ``/v1/logs``, as far as the sinks use them.

    ``faults`` are called with each request in turn and may answer in its place (status, headers, body).
    """

    def __init__(self, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.documents: dict[tuple[str, str], dict] = {}
        self.templates: dict[str, dict] = {}
        self.otlp: list[dict] = []
        self.requests: list[tuple[str, str]] = []
        self.authorizations: set[str] = set()
        self.faults: list[Callable[[BaseHTTPRequestHandler], tuple[int, dict, bytes] | None]] = []
        self.refuse_item: Callable[[dict], int] = lambda document: 0
        self.max_body = 10**9
        self.lock = threading.Lock()
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with backend.lock:
                    backend.requests.append((self.command, self.path.partition("?")[0]))
                    fault = backend.faults.pop(0) if backend.faults else None
                answer = fault(self) if fault else None
                if answer is None and len(body) > backend.max_body:
                    answer = (413, {}, b"")
                if answer is None:
                    if self.headers.get("content-encoding") == "gzip":
                        body = gzip.decompress(body)
                    with backend.lock:
                        backend.authorizations.add(self.headers.get("authorization", ""))
                        answer = backend.take(self.command, self.path.partition("?")[0], body)
                self.send_response(answer[0])
                for name, value in answer[1].items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(answer[2])))
                self.end_headers()
                self.wfile.write(answer[2])

            do_GET = do_PUT = do_POST = do

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, method: str, path: str, body: bytes) -> tuple[int, dict, bytes]:
        if path.startswith("/_index_template/"):
            name = path.rpartition("/")[2]
            if method == "PUT":
                self.templates[name] = json.loads(body)
            return (200, {}, b"{}") if name in self.templates else (404, {}, b"{}")
        if path == "/v1/logs":
            self.otlp.append(json.loads(body))
            return 200, {}, b'{"partialSuccess":{}}'
        assert path == "/_bulk", path
        rows = body.split(b"\n")
        assert rows.pop() == b""
        items = []
        for action, document in zip(map(json.loads, rows[::2]), map(json.loads, rows[1::2]), strict=True):
            key = (action["create"]["_index"], action["create"]["_id"])
            status = self.refuse_item(document) or (409 if key in self.documents else 201)
            if status == 201:
                self.documents[key] = document
            error = {} if status == 201 else {"error": {"type": "some_exception", "reason": "because"}}
            items.append({"create": {"status": status, **error}})
        errors = any(item["create"]["status"] != 201 for item in items)
        return 200, {}, json.dumps({"errors": errors, "items": items}).encode()

    @property
    def otlp_records(self) -> list[tuple[dict, str, dict]]:
        """Resource attributes, scope and record of each."""
        return [
            (flat(resource["resource"]["attributes"]), scope["scope"]["name"], record)
            for body in self.otlp
            for resource in body["resourceLogs"]
            for scope in resource["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def flat(attributes: list[dict]) -> dict:
    return {a["key"]: next(iter(a["value"].values())) for a in attributes}


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    yield backend
    backend.stop()


@pytest.fixture
def use(tmp_path, monkeypatch):
    """Build a runtime from settings, in place until the test ends."""
    monkeypatch.setattr(batching, "FIRST_DELAY", 0.05)
    monkeypatch.setattr(batching, "LONGEST_DELAY", 0.2)
    befores = []

    def build(**settings):
        chosen = Settings(
            **{"service": "Shop API", "console": False, "spill_dir": str(tmp_path / "spill"), "otlp_logs": True}
            | settings
        )
        new = runtime.build(chosen)
        befores.append(runtime.replace(new))
        return new

    yield build
    for before in reversed(befores):
        runtime.replace(before).close(0.2)


def lost(start):
    return sum(
        n for (signal_, reason), n in dropped_data.snapshot().items() if signal_ == "log" and reason.startswith(start)
    )


def until(condition, seconds=8.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


class TestElasticsearch:
    def test_records_arrive_under_the_seeds_mappings_and_names(self, backend, use):
        now = use(elasticsearch_url=backend.url, elasticsearch_user="elastic", elasticsearch_password="pä:ss")
        LOG.info("order placed", order_id=42, user_id=7)
        LOG.error("failed", exception=ValueError("no"), code="E1")
        assert now.flush(5)
        first, second = backend.documents.values()
        index = {key[0] for key in backend.documents}
        assert len(index) == 1
        assert re.fullmatch(r"eldonia-logs-shop-api-\d{4}\.\d\d\.\d\d", index.pop())
        assert first["@timestamp"] == first["timestamp"]
        assert (first["message"], first["userId"], first["metadata"]) == ("order placed", "7", {"order_id": 42})
        assert second["error"]["code"] == "E1"
        template = backend.templates["eldonia-logs"]
        assert template["index_patterns"] == ["eldonia-logs-*"]
        assert "number_of_replicas" not in template["template"]["settings"]  # one node or ten: the cluster knows
        properties = template["template"]["mappings"]["properties"]
        assert properties["message"] == {"type": "text"}
        assert properties["userId"] == {"type": "keyword"}
        assert properties["metadata"] == {"type": "object", "dynamic": True}
        assert set(first) | set(second) <= set(properties)
        basic = base64.b64encode("elastic:pä:ss".encode()).decode()
        assert backend.authorizations == {f"Basic {basic}"}

    def test_a_template_that_is_there_stays(self, backend, use):
        backend.templates["own-logs"] = {"mine": True}
        now = use(elasticsearch_url=backend.url, elasticsearch_prefix="own-logs", elasticsearch_api_key="id:key")
        LOG.info("x")
        assert now.flush(5)
        assert backend.templates == {"own-logs": {"mine": True}}
        assert backend.authorizations == {f"ApiKey {base64.b64encode(b'id:key').decode()}"}

    def test_credentials_in_the_address_and_a_prefix_path(self, backend, use, capsys):
        url = backend.url.replace("http://", "http://u%40x:p%2Fw@")
        now = use(elasticsearch_url=url)
        LOG.info("x")
        assert now.flush(5)
        assert backend.authorizations == {f"Basic {base64.b64encode(b'u@x:p/w').decode()}"}
        assert "p/w" not in repr(now.settings) + capsys.readouterr().err

    def test_a_key_that_may_not_see_templates_still_writes(self, backend, use):
        backend.faults = [lambda request: (403, {}, b"{}")]
        now = use(elasticsearch_url=backend.url)
        LOG.info("x")
        assert now.flush(5)
        assert len(backend.documents) == 1
        assert backend.templates == {}

    def test_what_was_stored_but_not_answered_is_not_stored_twice(self, backend, use):
        now = use(elasticsearch_url=backend.url)
        LOG.info("first")
        assert now.flush(5)

        def store_then_hang_up(request):
            request.connection.shutdown(socket.SHUT_RDWR)
            return

        backend.faults = [store_then_hang_up] * 2
        for n in range(100):
            LOG.info("x", n=n)
        now.flush(5)
        until(lambda: len(backend.documents) == 101)
        assert sorted(d["metadata"]["n"] for d in list(backend.documents.values())[1:]) == list(range(100))

    def test_busy_items_are_sent_again_refused_ones_are_counted(self, backend, use):
        now = use(elasticsearch_url=backend.url)
        busy = {"3", "4"}

        def judge(document):
            name = document["message"]
            if name in busy:
                busy.discard(name)
                return 429
            return 403 if name == "7" else 0

        backend.refuse_item = judge
        before = lost("elasticsearch: record refused with 403")
        for n in range(10):
            LOG.info(str(n))
        now.flush(5)
        until(lambda: len(backend.documents) == 9)
        assert {d["message"] for d in backend.documents.values()} == set("012345689")
        assert lost("elasticsearch: record refused with 403") == before + 1

    def test_metadata_that_the_mappings_refuse_arrives_as_text(self, backend, use):
        now = use(elasticsearch_url=backend.url)
        backend.refuse_item = lambda document: 400 if "shape" in (document.get("metadata") or {}) else 0
        before = lost("elasticsearch")
        LOG.info("fits", other=1)
        LOG.info("does not", shape={"a": 1})
        assert now.flush(5)
        assert [d["metadata"] for d in backend.documents.values()] == [
            {"other": 1},
            {"unmapped": '{"shape":{"a":1}}'},
        ]
        assert lost("elasticsearch") == before

    def test_a_batch_that_is_too_large_goes_in_parts(self, backend, use):
        now = use(elasticsearch_url=backend.url)
        backend.max_body = 8000
        for n in range(300):
            LOG.info("x", n=n, text=os.urandom(100).hex())
        assert now.flush(10)
        assert len(backend.documents) == 300

    def test_something_else_than_elasticsearch_is_not_taken_for_it(self, backend, use, capsys):
        now = use(elasticsearch_url=backend.url)
        page = b"<html>please sign in</html>"
        backend.faults = [lambda request: None, lambda request: None, *[lambda request: (200, {}, page)] * 2]
        LOG.info("x")
        now.flush(0.3)
        until(lambda: len(backend.documents) == 1)

    @pytest.mark.parametrize("url", ["ftp://x", "http://", "http://h:port", "http://[::1"])
    def test_an_address_that_is_none_is_said_and_left_out(self, url, use, capsys):
        assert use(elasticsearch_url=url).sinks == ()


class TestOtlp:
    def test_records_arrive_with_their_fields(self, backend, use):
        from eldonia_telemetry import bind, traces

        now = use(otlp_endpoint=backend.url + "/v1/traces", ingest_token="t0ken", trace_ratio=0.0)
        with bind(user_id=7, request_id="r1", ip_address="192.0.2.1", tenant="a"), traces.span("work") as span:
            LOG.warn("slow", exception=TimeoutError("late"), operation="pay", n=3, ratio=0.5, flag=True, none=None)
        get_logger(component="other", service="worker").performance("job", 12.5)
        assert now.flush(5)
        assert backend.authorizations == {"Bearer t0ken"}
        (resource, scope, record), (resource2, scope2, record2) = backend.otlp_records
        assert (resource["service.name"], scope) == ("Shop API", "orders")
        assert (resource2["service.name"], scope2) == ("worker", "other")
        assert record["body"] == {"stringValue": "slow"}
        assert (record["severityNumber"], record["severityText"]) == (13, "warn")
        assert abs(int(record["timeUnixNano"]) - time.time_ns()) < 60e9
        assert (record["traceId"], record["spanId"]) == (span.trace_id, span.span_id)
        attributes = flat(record["attributes"])
        assert attributes.pop("exception.stacktrace")
        assert attributes == {
            "user.id": "7",
            "http.request.id": "r1",
            "client.address": "192.0.2.1",
            "operation": "pay",
            "exception.type": "TimeoutError",
            "exception.message": "late",
            "tenant": "a",
            "n": "3",
            "ratio": 0.5,
            "flag": True,
        }
        assert flat(record2["attributes"])["performance.duration"] == 12.5

    def test_retry_after_is_kept(self, backend, use):
        backend.faults = [lambda request: (429, {"retry-after": "1"}, b"")]
        now = use(otlp_endpoint=backend.url)
        LOG.info("x")
        began = time.monotonic()
        now.flush(5)
        until(lambda: backend.otlp)
        assert time.monotonic() - began >= 0.9

    def test_what_it_calls_bad_is_counted_and_what_it_rejects_too(self, backend, use):
        partial = json.dumps({"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "too old"}}).encode()
        backend.faults = [lambda request: (400, {}, b"no"), lambda request: (200, {}, partial)]
        now = use(otlp_endpoint=backend.url)
        bad, rejected = lost("otlp: answers HTTP 400"), lost("otlp: rejected")
        LOG.info("a")
        assert now.flush(5)
        LOG.info("b")
        assert now.flush(5)
        assert lost("otlp: answers HTTP 400") == bad + 1
        assert lost("otlp: rejected") == rejected + 2

    def test_a_backend_that_does_not_unpack_gets_it_plain(self, backend, use):
        def only_plain(request):
            return (415, {}, b"") if request.headers.get("content-encoding") else None

        backend.faults = [only_plain]
        now = use(otlp_endpoint=backend.url)
        LOG.info("x" * 10_000)
        assert now.flush(5)
        assert len(backend.otlp_records) == 1

    def test_headers_that_a_backend_asks_for_go_with_every_signal(self, collector, use):
        from eldonia_telemetry import traces

        headers = {"X-Api-Key": "k", "authorization": "Token own"}
        now = use(
            otlp_endpoint=collector.url, otlp_headers=headers, otlp_logs=True, otlp_metrics=True, ingest_token="t0ken"
        )
        with traces.span("work"):
            LOG.info("hello")
        assert now.flush(5)
        assert set(collector.bodies) == {"/v1/logs", "/v1/metrics", "/v1/traces"}
        assert {each["x-api-key"] for each in collector.headers} == {"k"}
        assert collector.authorizations == {"Token own"}

    def test_a_wrong_token_loses_nothing_until_it_is_mended(self, backend, use, tmp_path):
        backend.faults = [lambda request: (401, {}, b"who?")] * 3
        now = use(otlp_endpoint=backend.url, ingest_token="s3cret")
        for n in range(50):
            LOG.info("x", n=n)
        now.flush(0.2)
        until(lambda: len(backend.otlp_records) == 50)

    def test_a_server_that_hangs_does_not_hold_up_anybody(self, use, tmp_path, monkeypatch):
        silent = socket.create_server(("127.0.0.1", 0))
        now = use(otlp_endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        for n in range(5000):
            LOG.info("x", n=n)
        assert time.monotonic() - began < 3
        began = time.monotonic()
        now.close(0.3)
        assert time.monotonic() - began < 1.5
        assert list((tmp_path / "spill").rglob("*.spill"))
        silent.close()


class TestTls:
    def test_an_authority_of_ones_own(self, certificate, use):
        context, path = certificate
        backend = Backend(context)
        url = backend.url.replace("http:", "https:")
        now = use(elasticsearch_url=url, otlp_endpoint=url, tls_ca=path, trace_ratio=0.0)
        LOG.info("x")
        assert now.flush(5)
        assert len(backend.documents) == len(backend.otlp_records) == 1
        backend.stop()

    def test_a_certificate_that_no_authority_signed_gets_nothing(self, certificate, use, tmp_path):
        backend = Backend(certificate[0])
        now = use(elasticsearch_url=backend.url.replace("http:", "https:"))
        LOG.info("x")
        assert not now.flush(0.5)
        assert backend.requests == []
        assert list((tmp_path / "spill").rglob("*.spill"))
        backend.stop()

    def test_a_file_that_holds_no_certificate_is_said(self, use, tmp_path, capsys):
        (tmp_path / "ca.pem").write_text("not a certificate")
        assert use(elasticsearch_url="https://h", tls_ca=str(tmp_path / "ca.pem")).sinks == ()


def python(code: str, *arguments: str, **more) -> subprocess.Popen:
    env = {k: v for k, v in os.environ.items() if not k.startswith("ELDONIA_")}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env | more.pop("env", {}),
        **more,
    )


def finish(process: subprocess.Popen, seconds: float = 60) -> tuple[str, str]:
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, err
    return out, err


class TestProcesses:
    def test_what_is_queued_leaves_at_exit_in_forked_workers_too(self, backend, tmp_path):
        code = """
            import multiprocessing, os, sys, eldonia_telemetry as telemetry
            telemetry.init(service="s", elasticsearch_url=sys.argv[1], console=False, spill_dir=sys.argv[2])
            log = telemetry.get_logger()
            def work(n):
                log.info("from a worker", n=n)
            log.info("before the fork")
            fork = multiprocessing.get_context("fork")
            workers = [fork.Process(target=work, args=(n,)) for n in range(4)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
            workers.clear()
            child = os.fork()  # as gunicorn does it
            if child == 0:
                log.info("from a child")
                sys.exit(0)
            os.waitpid(child, 0)
            log.info("at the end")
        """
        assert finish(python(code, backend.url, str(tmp_path)))[1] == ""
        messages = sorted((d["message"], (d.get("metadata") or {}).get("n")) for d in backend.documents.values())
        assert messages == [
            ("at the end", None),
            ("before the fork", None),
            ("from a child", None),
            *(("from a worker", n) for n in range(4)),
        ]

    def test_a_killed_process_has_left_its_records_to_the_next(self, backend, tmp_path):
        code = """
            import sys, time, eldonia_telemetry as telemetry
            telemetry.init(service="s", elasticsearch_url=sys.argv[1], console=False, spill_dir=sys.argv[2])
            for n in range(int(sys.argv[3]), int(sys.argv[4])):
                telemetry.get_logger().info("x", n=n)
            print(telemetry.flush(5), flush=True)
            if sys.argv[5] == "wait":
                time.sleep(60)
        """
        spill = tmp_path / "spill"
        backend.stop()
        first = python(code, backend.url, str(spill), "0", "3000", "wait")
        assert first.stdout.readline() == "False\n"
        first.send_signal(signal.SIGKILL)
        first.communicate()
        assert list(spill.rglob("*.spill"))
        revived = Backend(port=backend.port)
        try:
            out, _ = finish(python(code, revived.url, str(spill), "3000", "3010", "go"))
            assert out == "True\n"
            until(lambda: len(revived.documents) >= 10)
            finish(python(code, revived.url, str(spill), "3010", "3011", "go"))
            assert sorted(d["metadata"]["n"] for d in revived.documents.values()) == list(range(3011))
        finally:
            revived.stop()

    def test_an_address_without_a_server_does_not_delay_the_exit(self, tmp_path):
        code = """
            import sys, eldonia_telemetry as telemetry
            telemetry.init(service="s", otlp_endpoint="http://127.0.0.1:1", console=False, spill_max_bytes=0)
            for n in range(20_000):
                telemetry.get_logger().info("x", n=n)
        """
        began = time.monotonic()
        _, err = finish(python(code), seconds=20)
        assert time.monotonic() - began < 8
        assert "otlp: not delivered before exit" in err
        assert len(err.splitlines()) <= 4

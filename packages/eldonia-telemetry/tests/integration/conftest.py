"""These tests use real sockets, files and processes."""

import gzip
import json
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_socket import enable_socket
from required_tools import tool


@pytest.fixture(autouse=True)
def _sockets() -> None:
    enable_socket()


class Collector:
    """Takes OTLP/JSON; ``answers`` are the statuses of the next requests, ``delay`` seconds before each.

    ``bodies`` are those that were answered with 200, by path; ``headers`` the names and values that came with them.
    """

    def __init__(self) -> None:
        self.bodies: dict[str, list[dict]] = {}
        self.headers: list[Message] = []
        self.answers: list[int] = []
        self.requests = 0
        self.delay = 0.0
        self.said = b"{}"
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                body = json.loads(gzip.decompress(raw) if self.headers.get("content-encoding") == "gzip" else raw)
                time.sleep(collector.delay)
                collector.requests += 1
                known = self.path in {"/v1/logs", "/v1/metrics", "/v1/traces"}
                status = 404 if not known else collector.answers.pop(0) if collector.answers else 200
                if status == 200:
                    collector.headers.append(self.headers)
                    collector.bodies.setdefault(self.path, []).append(body)
                self.send_response(status)
                self.send_header("content-length", str(len(collector.said)))
                self.end_headers()
                self.wfile.write(collector.said)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # of its own 5 the children of one test are too many: connections are reset

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Clients that left while we slept are no fault.
        self.server.handle_error = lambda request, client_address: None
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def authorizations(self) -> set[str]:
        """Those that have come so far; '' for none."""
        return {headers.get("authorization", "") for headers in list(self.headers)}

    @property
    def resources(self) -> list[dict]:
        """Those of the spans."""
        return [group["resource"] for body in self._of("traces") for group in body["resourceSpans"]]

    @property
    def spans(self) -> list[dict]:
        """All, in the order of their coming."""
        groups = (group for body in self._of("traces") for group in body["resourceSpans"])
        return [span for group in groups for scope in group["scopeSpans"] for span in scope["spans"]]

    def messages(self) -> list[str]:
        """Of the records, sorted."""
        groups = (group for body in self._of("logs") for group in body["resourceLogs"])
        records = (record for group in groups for scope in group["scopeLogs"] for record in scope["logRecords"])
        return sorted(record["body"]["stringValue"] for record in records)

    def points(self, name: str) -> list[tuple[str, dict]]:
        """Instance and data point of a counter or gauge, in the order of their coming."""
        found = []
        for group in (group for body in self._of("metrics") for group in body["resourceMetrics"]):
            who = {one["key"]: next(iter(one["value"].values())) for one in group["resource"]["attributes"]}
            for metric in group["scopeMetrics"][0]["metrics"]:
                if metric["name"] == name:
                    data = metric.get("sum") or metric["gauge"]
                    found += [(who["service.instance.id"], point) for point in data["dataPoints"]]
        return found

    def _of(self, signal: str) -> list[dict]:
        return list(self.bodies.get(f"/v1/{signal}", ()))


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def certificate(tmp_path) -> tuple[ssl.SSLContext, str]:
    """What a server on loopback needs for TLS, and the file that makes clients trust it."""
    openssl = tool("openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, str(cert)

"""These tests use real sockets, files and processes."""

import gzip
import json
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pytest_socket import enable_socket


@pytest.fixture(autouse=True)
def _sockets() -> None:
    enable_socket()


class Collector:
    """Takes OTLP/JSON; ``answers`` are the statuses of the next requests, ``delay`` seconds before each."""

    def __init__(self) -> None:
        self.spans: list[dict] = []
        self.resources: list[dict] = []
        self.authorizations: set[str] = set()
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
                assert self.path == "/v1/traces"
                time.sleep(collector.delay)
                collector.requests += 1
                status = collector.answers.pop(0) if collector.answers else 200
                if status == 200:
                    collector.authorizations.add(self.headers.get("authorization", ""))
                    for resource in body["resourceSpans"]:
                        collector.resources.append(resource["resource"])
                        for scope in resource["scopeSpans"]:
                            collector.spans += scope["spans"]
                self.send_response(status)
                self.send_header("content-length", str(len(collector.said)))
                self.end_headers()
                self.wfile.write(collector.said)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that left while we slept
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()


@pytest.fixture
def certificate(tmp_path) -> tuple[ssl.SSLContext, str]:
    """What a server on loopback needs for TLS, and the file that makes clients trust it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
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

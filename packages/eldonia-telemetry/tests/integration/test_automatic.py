"""Libraries that are connected by themselves, each making real calls over sockets.

They run in processes of their own: what ``init`` connects stays connected.
"""

import json
import subprocess
import sys
import textwrap

PRELUDE = """
import asyncio, json, socketserver, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import eldonia_telemetry as telemetry
from eldonia_telemetry import performance, traces
from eldonia_telemetry.testing import capture

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503 if self.path.startswith("/bad") else 200)
        self.send_header("content-length", "0")
        self.send_header("x-seen", self.headers.get("traceparent", ""))
        self.end_headers()
    def log_message(self, *args):
        pass

class Redis(socketserver.StreamRequestHandler):
    '''Enough of the protocol (RESP2) for SET, GET, MGET, HGET and MULTI-less pipelines.'''
    data = {}
    def handle(self):
        while True:
            head = self.rfile.readline()
            if not head:
                return
            words = []
            for _ in range(int(head[1:])):
                size = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(size + 2)[:-2])
            self.wfile.write(self.answer(words[0].upper(), words[1:]))
    def bulk(self, value):
        return b"$-1\\r\\n" if value is None else b"$%d\\r\\n%s\\r\\n" % (len(value), value)
    def answer(self, command, words):
        if command == b"SET":
            self.data[words[0]] = words[1]
            return b"+OK\\r\\n"
        if command in (b"GET", b"HGET"):
            return self.bulk(self.data.get(words[0]))
        if command == b"MGET":
            return b"*%d\\r\\n" % len(words) + b"".join(self.bulk(self.data.get(word)) for word in words)
        return b"-ERR unknown command\\r\\n"

def serve(kind, handler):
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]

def counts_of(measured):
    return measured.counts()
"""


def run(code: str) -> dict:
    script = textwrap.dedent(PRELUDE) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_http_clients_propagate_and_count():
    found = run("""
        import httpx
        telemetry.init(service="x", console=False)
        import requests
        port = serve(ThreadingHTTPServer, Handler)
        url = f"http://127.0.0.1:{port}"
        async def ask():
            async with httpx.AsyncClient() as client:
                return (await client.get(url + "/ok")).headers["x-seen"]
        with capture() as seen, traces.span("parent") as parent, performance.timer("work") as measured:
            sent = [httpx.get(url + "/ok?token=s").headers["x-seen"], asyncio.run(ask()),
                    requests.get(url + "/ok").headers["x-seen"]]
            requests.get(url + "/bad")
            try:
                requests.get("http://127.0.0.1:1/")
            except requests.ConnectionError:
                pass
        spans = [s for s in seen.spans if s.kind == 3]
        print(json.dumps({
            "counts": counts_of(measured),
            "sent": [s == f"00-{parent.trace_id}-{span.span_id}-01" for s, span in zip(sent, spans)],
            "urls": [s.attributes["url.full"].replace(str(port), "PORT") for s in spans],
            "status": [s.status for s in spans],
        }))
    """)
    assert found == {
        "counts": {"externalApiCalls": 5, "errors": 2},
        "sent": [True, True, True],
        "urls": [*(["http://127.0.0.1:PORT/ok"] * 3), "http://127.0.0.1:PORT/bad", "http://127.0.0.1:1/"],
        "status": [0, 0, 0, 2, 2],
    }


def test_a_transport_that_is_wrapped_by_hand_counts_once():
    found = run("""
        import httpx
        telemetry.init(service="x", console=False)
        from eldonia_telemetry.integrations.httpx import TelemetryTransport
        url = f"http://127.0.0.1:{serve(ThreadingHTTPServer, Handler)}/ok"
        with capture() as seen, performance.timer("work") as measured:
            with httpx.Client(transport=TelemetryTransport()) as client:
                client.get(url)
        print(json.dumps([counts_of(measured), len(seen.spans)]))
    """)
    assert found == [{"externalApiCalls": 1}, 1]


def test_redis_hits_and_misses():
    found = run("""
        telemetry.init(service="x", console=False)
        import redis, redis.asyncio
        port = serve(socketserver.ThreadingTCPServer, Redis)
        options = dict(host="127.0.0.1", port=port, protocol=2, driver_info=None)
        async def ask():
            async with redis.asyncio.Redis(**options) as client:
                await client.get("a")
                async with client.pipeline(transaction=False) as pipeline:
                    await pipeline.get("a").get("none").execute()
        with capture() as seen, traces.span("parent"), performance.timer("work") as measured:
            client = redis.Redis(**options)
            client.set("a", "1")
            assert client.get("a") == b"1"
            client.get("none")
            client.mget("a", "none", "none")
            with client.pipeline(transaction=False) as pipeline:
                assert pipeline.get("a").set("b", 2).get("none").execute() == [b"1", True, None]
            asyncio.run(ask())
            try:
                client.execute_command("NONSENSE x")
            except redis.ResponseError:
                pass
        spans = [s for s in seen.spans if s.kind == 3]
        print(json.dumps({
            "counts": counts_of(measured),
            "names": [s.name for s in spans],
            "system": list({s.attributes["db.system.name"] for s in spans}),
            "values": [v for s in spans for v in s.attributes.values() if v in ("a", "none")],
            "observed": seen.increase("db_client_operation_duration_seconds_count", system="redis", operation="GET"),
        }))
    """)
    assert found == {
        "counts": {"cacheHits": 5, "cacheMisses": 5, "errors": 1},
        "names": ["SET", "GET", "GET", "MGET", "PIPELINE", "GET", "PIPELINE", "NONSENSE"],
        "system": ["redis"],
        "values": [],
        "observed": 3,
    }


def test_every_engine_of_sqlalchemy_counts_once():
    found = run("""
        import sqlalchemy as sa
        from eldonia_telemetry.integrations.sqlalchemy import instrument
        before = sa.create_engine("sqlite://")
        instrument(before)
        telemetry.init(service="x", console=False)
        after = sa.create_engine("sqlite://")
        result = []
        for engine in (before, after):
            with capture() as seen, traces.span("parent"), performance.timer("work") as measured:
                with engine.connect() as connection:
                    connection.execute(sa.text("SELECT 1"))
                    try:
                        connection.execute(sa.text("SELECT nothing FROM nowhere"))
                    except sa.exc.OperationalError:
                        pass
            result.append([counts_of(measured), len([s for s in seen.spans if s.kind == 3])])
        print(json.dumps(result))
    """)
    assert found == [[{"databaseQueries": 2, "errors": 1}, 2]] * 2


def test_nothing_is_imported_that_the_application_does_not_import_and_it_can_be_turned_off():
    found = run("""
        telemetry.init(service="x", console=False)
        libraries = ("httpx", "requests", "redis", "sqlalchemy", "django", "flask")
        absent = [name for name in libraries if name in sys.modules]
        import httpx
        print(json.dumps([absent, hasattr(httpx.HTTPTransport.handle_request, "eldonia_telemetry"),
                          type(httpx.__spec__.loader).__name__]))
    """)
    assert found == [[], True, "SourceFileLoader"]
    off = run("""
        telemetry.init(service="x", console=False, instrument=False)
        import httpx
        print(json.dumps(hasattr(httpx.HTTPTransport.handle_request, "eldonia_telemetry")))
    """)
    assert off is False


def test_statements_of_django_are_counted_timed_and_traced():
    found = run("""
        telemetry.init(service="x", console=False)
        from django.conf import settings
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
        import django
        django.setup()
        from django.db import connection, utils
        def use():
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE works (title text)")
                cursor.execute("INSERT INTO works VALUES (%s)", ["s3cret"])
                cursor.executemany("INSERT INTO works VALUES (%s)", [["a"], ["b"]])
                cursor.execute("SELECT title FROM works")
                assert len(cursor.fetchall()) == 3
                try:
                    cursor.execute("SELECT nothing FROM nowhere")
                except utils.OperationalError:
                    pass
        with capture() as seen, traces.span("parent") as parent, performance.timer("work") as measured:
            use()
        spans = [span for span in seen.spans if span.kind == 3]
        labels = {"system": "sqlite", "operation": "SELECT"}
        with capture() as alone:  # a statement outside of any span makes no trace
            with connection.cursor() as cursor:
                cursor.execute("SELECT title FROM works")
        print(json.dumps({
            "counts": counts_of(measured),
            "names": [span.name for span in spans],
            "children": all(span.parent_span_id == parent.span_id for span in spans),
            "texts": [span.attributes["db.query.text"] for span in spans][1:3],
            "status": [span.status for span in spans],
            "system": list({span.attributes["db.system.name"] for span in spans}),
            "timed": seen.increase("db_client_operation_duration_seconds_count", **labels),
            "alone": [len(alone.spans), alone.increase("db_client_operation_duration_seconds_count", **labels)],
        }))
    """)
    assert found == {
        "counts": {"databaseQueries": 5, "errors": 1},
        "names": ["CREATE :memory:", "INSERT :memory:", "INSERT :memory:", "SELECT :memory:", "SELECT :memory:"],
        "children": True,
        "texts": ["INSERT INTO works VALUES (%s)"] * 2,
        "status": [0, 0, 0, 0, 2],
        "system": ["sqlite"],
        "timed": 3,
        "alone": [0, 1],
    }


def test_connections_of_django_that_are_open_already():
    found = run("""
        from django.conf import settings
        settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
        import django
        django.setup()
        from django.db import connection
        connection.ensure_connection()
        telemetry.init(service="x", console=False)
        with performance.timer("work") as measured, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        print(json.dumps(counts_of(measured)))
    """)
    assert found == {"databaseQueries": 1}

"""A telemetry store on each engine: chDB itself, and ClickHouse's HTTP interface with chDB behind it.

A process can have one chDB directory open, so all tests of a session share one and each has a database of its own.
"""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from eldonia_ops.storage.clickhouse.engines import chdb as chdb_engine
from eldonia_ops.storage.clickhouse.engines import chdb_settings
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine, memory_file
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.engines.server import ServerEngine

_databases = itertools.count()
CLUSTER = """
  <tcp_port>9</tcp_port>
  <remote_servers><ops><shard><replica><host>127.0.0.1</host><port>9</port></replica></shard></ops></remote_servers>
"""
"""A cluster of one shard, which is this very process: nothing listens, and nothing is sent."""


class StandIn(ThreadingHTTPServer):
    """The part of ClickHouse's HTTP interface that the platform uses, answered by chDB."""

    daemon_threads = True

    def __init__(self, connect: Callable[[], Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connect = connect
        self.lock = threading.Lock()
        self.connections: dict[str, Any] = {}
        self.requests: list[tuple[dict[str, str], dict[str, str]]] = []

    def connection(self, database: str) -> Any:
        if database not in self.connections:
            connection = self.connect()
            connection.query(f"USE {database}")
            self.connections[database] = connection
        return self.connections[database]


class _Handler(BaseHTTPRequestHandler):
    server: StandIn  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((parameters, dict(self.headers)))
        values = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        own = ("query", "default_format", "wait_end_of_query")
        settings = {key: value for key, value in parameters.items() if key not in own and not key.startswith("param_")}
        try:
            with self.server.lock:
                connection = self.server.connection(self.headers["X-ClickHouse-Database"])
                for name, value in settings.items():
                    connection.query(f"SET {name} = '{value}'")
                if "query" in parameters:
                    statement, _, format = parameters["query"].rpartition(" FORMAT ")
                    head, _, dedup = statement.partition(" SETTINGS ")
                    with memory_file(body) as path:
                        source = f"FROM INFILE '{path}' COMPRESSION 'none'"
                        connection.query(f"{head} {source} SETTINGS {dedup} FORMAT {format}", "Null")
                    answer = b""
                else:
                    format = parameters.get("default_format", "TabSeparated")
                    answer = connection.query(body.decode(), format, params=values).bytes()
        except Exception as error:  # noqa: BLE001  chDB has several
            text = str(error).encode()
            self.send_response(500)
            self.send_header("X-ClickHouse-Exception-Code", text.partition(b"Code: ")[2].partition(b".")[0].decode())
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The one directory of this session, kept open so that tests need not start the engine again."""
    path = tmp_path_factory.mktemp("telemetry")
    engine = ChdbEngine(path, readers=1)
    with pytest.MonkeyPatch.context() as patch:
        plain = chdb_settings.configuration_xml
        patch.setattr(
            chdb_engine, "configuration_xml", lambda: plain().replace("<clickhouse>", f"<clickhouse>{CLUSTER}")
        )
        asyncio.run(engine.open())
    yield path
    asyncio.run(engine.close())


@pytest.fixture(scope="session")
def stand_in(directory: Path) -> Iterator[StandIn]:
    import chdb

    where = f"{directory / 'data'}?config-file={directory / 'engine.xml'}"
    server = StandIn(lambda: chdb.connect(where))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    for connection in server.connections.values():
        connection.close()


@pytest.fixture(params=["chdb", "server"])
async def engine_factory(
    request: pytest.FixtureRequest, directory: Path
) -> AsyncIterator[Callable[[], Awaitable[Engine]]]:
    """Opens engines on one fresh database."""
    name = f"test_{next(_databases)}"
    opened: list[Engine] = []

    async def open_engine() -> Engine:
        engine: Engine
        if request.param == "chdb":
            engine = ChdbEngine(directory, database=name)
            await engine.open()
        else:
            server: StandIn = request.getfixturevalue("stand_in")
            with server.lock:
                if name not in server.connections:
                    connection = server.connect()
                    connection.query(f"CREATE DATABASE IF NOT EXISTS {name}")
                    connection.query(f"USE {name}")
                    server.connections[name] = connection
            engine = ServerEngine(f"http://reader:se%20cret@127.0.0.1:{server.server_port}/{name}")
        opened.append(engine)
        return engine

    yield open_engine
    for engine in opened:
        await engine.close()
    # Tables of earlier tests would be looked after in the background, and be found in the system's tables, to the end.
    cleaner = ChdbEngine(directory)
    await cleaner.open()
    try:
        await cleaner.execute(f"DROP DATABASE IF EXISTS {name} SYNC")
    finally:
        await cleaner.close()

"""The engines themselves: limits, failures, shutting down."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from eldonia_ops.ports import QueryTooComplexError, TelemetryError, TelemetryLimitError
from eldonia_ops.storage.clickhouse import Retention, open_on_engine, open_telemetry_store
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine
from eldonia_ops.storage.clickhouse.engines.engine import Engine, EngineUnavailableError
from eldonia_ops.storage.clickhouse.engines.server import ServerEngine
from eldonia_ops.storage.clickhouse.schema import rows


async def test_parameters_are_data(engine: Engine) -> None:
    texts = [
        "",
        "'",
        "\\",
        "\\'",
        "\t\n\r\0\b\f",
        "{x:String}",
        "日本\U0001f600",
        "\\N",
        "[1]",
        "a\\tb",
        "%27",
        "\x7f\x1b",
    ]
    for text in texts:
        (found,) = await rows(engine, "SELECT {x:String} AS x, {y:Array(String)} AS y", {"x": text, "y": [text, "z"]})
        assert found == {"x": text, "y": [text, "z"]}
    (found,) = await rows(engine, "SELECT {x:UInt64} AS x, {y:Array(UInt64)} AS y", {"x": 2**64 - 1, "y": [1, 2**63]})
    assert found == {"x": 2**64 - 1, "y": [1, 2**63]}


async def test_a_question_that_takes_too_much_is_refused(engine: Engine) -> None:
    with pytest.raises(TelemetryLimitError):
        await engine.query("SELECT groupArray(number) FROM numbers(1000000000)")
    with pytest.raises(TelemetryLimitError):
        await engine.query(
            "SELECT sleepEachRow(0.1) FROM numbers(100) SETTINGS max_execution_time=0.3, max_block_size=1"
        )
    with pytest.raises(TelemetryError, match="no_such_table") as caught:
        await engine.query("SELECT * FROM no_such_table")
    assert not isinstance(caught.value, TelemetryLimitError)
    with pytest.raises(QueryTooComplexError, match="too many parts within each other"):
        await engine.query(f"SELECT {'not(' * 1_500}1{')' * 1_500}")
    assert await engine.query("SELECT 1 AS x") == b'{"x":1}\n'


@pytest.mark.parametrize("format", ["JSONEachRow", "RowBinary"])
@pytest.mark.parametrize(
    "hindrance",
    [
        "ALTER TABLE points MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000",
        "ALTER TABLE points ADD CONSTRAINT small CHECK x < 7",
        "DROP TABLE points",
    ],
)
async def test_an_insert_that_is_refused_is_no_success(engine: Engine, format: str, hindrance: str) -> None:
    # Not so by chDB's insert streams: they end with success all the same.
    await engine.execute("CREATE TABLE points (x UInt32) ENGINE=MergeTree ORDER BY x")
    await engine.execute("CREATE TABLE others (x UInt32) ENGINE=MergeTree ORDER BY x")
    await engine.execute(hindrance)
    body = {"JSONEachRow": b'{"x":7}', "RowBinary": (7).to_bytes(4, "little")}[format]
    with pytest.raises(TelemetryError):
        await engine.insert("points", ("x",), format, body)
    await engine.insert("others", ("x",), format, body)
    assert await engine.query("SELECT x FROM others") == b'{"x":7}\n'


@pytest.mark.parametrize(("format", "body"), [("RowBinary", bytes(4) + b"\1"), ("JSONEachRow", b'{"x":1}\n{"x":"a"}')])
async def test_of_data_that_cannot_be_read_to_its_end_nothing_is_stored(
    engine: Engine, format: str, body: bytes
) -> None:
    await engine.execute("CREATE TABLE points (x UInt32) ENGINE=MergeTree ORDER BY x")
    with pytest.raises(TelemetryError, match="row 2"):
        await engine.insert("points", ("x",), format, body)
    assert await engine.query("SELECT x FROM points") == b""


async def test_a_process_with_too_many_open_files_refuses_an_insert(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ChdbEngine(directory)
    await engine.open()

    def refuse(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "memfd_create", refuse)
    try:
        with pytest.raises(TelemetryError, match="Too many open files"):
            await engine.insert("points", ("x",), "RowBinary", bytes(4))
    finally:
        await engine.close()


async def test_a_kernel_that_knows_less_about_memory_files_takes_inserts(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = os.memfd_create

    def older(name: str, flags: int = os.MFD_CLOEXEC) -> int:
        if flags != os.MFD_CLOEXEC:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return create(name, flags)

    monkeypatch.setattr(os, "memfd_create", older)
    engine = ChdbEngine(directory)
    await engine.open()
    try:
        await engine.execute("CREATE TABLE points (x UInt32) ENGINE=MergeTree ORDER BY x")
        await engine.insert("points", ("x",), "RowBinary", (7).to_bytes(4, "little"))
        assert await engine.query("SELECT x FROM points") == b'{"x":7}\n'
    finally:
        await engine.close()


async def test_binary_data_is_data(engine: Engine) -> None:
    await engine.execute("CREATE TABLE points (x UInt32) ENGINE=MergeTree ORDER BY x")
    await engine.insert("points", ("x",), "RowBinary", b"\n\n\n\n\n\n;\n")
    assert await engine.query("SELECT x FROM points ORDER BY x") == b'{"x":168430090}\n{"x":171641354}\n'


@pytest.mark.parametrize("text", [";\n\n", "; SELECT 1", "--", "/*", "{x:String}", "\0", "$$", "}\n\n{", "\u2028", ""])
async def test_data_never_ends_its_statement(engine: Engine, text: str) -> None:
    await engine.execute("CREATE TABLE texts (x String) ENGINE=MergeTree ORDER BY x")
    lines = [msgspec.json.encode({"x": text}), msgspec.json.encode({"x": "after"})]
    await engine.insert("texts", ("x",), "JSONEachRow", b"\n".join(lines))
    assert {row["x"] for row in await rows(engine, "SELECT x FROM texts")} == {text, "after"}


async def test_a_repeated_token_stores_nothing(engine: Engine) -> None:
    await engine.execute(
        "CREATE TABLE t (d Date, x UInt32) ENGINE=MergeTree PARTITION BY d ORDER BY x "
        "SETTINGS non_replicated_deduplication_window=100"
    )
    body = b'{"d":"2026-01-01","x":1}\n{"d":"2026-01-02","x":1}'
    for token in ("a", "a", "b", "", "", "a"):
        await engine.insert("t", ("d", "x"), "JSONEachRow", body, token=token)
    assert (await rows(engine, "SELECT count() AS n FROM t"))[0]["n"] == 8


async def test_retention_can_be_changed(engine_factory: Callable[[], Awaitable[Engine]]) -> None:
    for days in (3, 3, 7):
        engine = await engine_factory()
        store = await open_on_engine(engine, retention=Retention(logs_days=days))
        sql = "SELECT create_table_query AS q FROM system.tables WHERE database = currentDatabase() AND name = 'logs'"
        assert f"toIntervalDay({days})" in (await rows(engine, sql))[0]["q"]
        await store.close()


async def test_tables_of_a_newer_platform_are_left_alone(engine_factory: Callable[[], Awaitable[Engine]]) -> None:
    engine = await engine_factory()
    await (await open_on_engine(engine)).close()
    engine = await engine_factory()
    await engine.insert("schema_versions", ("version",), "JSONEachRow", b'{"version":99}')
    with pytest.raises(TelemetryError, match="upgrade"):
        await open_on_engine(engine)


async def test_a_second_directory_is_refused_by_name(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(TelemetryError, match="one directory open"):
        await open_telemetry_store(tmp_path / "other")


async def test_one_of_path_and_url_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either"):
        await open_telemetry_store(None)
    with pytest.raises(ValueError, match="either"):
        await open_telemetry_store(tmp_path, url="http://127.0.0.1:1")


async def test_settings_are_in_force(directory: Path) -> None:
    engine = ChdbEngine(directory)
    await engine.open()
    try:
        assert engine.facts()["settings_ignored"] == []
        settings = await rows(engine, "SELECT name, value FROM system.settings WHERE name LIKE 'max_%'")
        values = {row["name"]: row["value"] for row in settings}
        assert values["max_threads"] == "1"
        assert values["max_execution_time"] == "15"
    finally:
        await engine.close()


async def test_a_part_is_one_file(directory: Path) -> None:
    engine = ChdbEngine(directory)
    await engine.open()
    try:
        await _is_one_file(engine)
    finally:
        await engine.close()


async def _is_one_file(engine: Engine) -> None:
    await open_on_engine(engine)
    # JSON with many paths, and more than the 10 MiB from which the engine keeps each column in files of its own.
    await engine.execute(
        "INSERT INTO logs (timestamp, id, message, details, metadata) SELECT "
        "toDateTime64('2026-11-24 10:00:00', 9), number, hex(rand64()), repeat('x', 400), "
        """'{"key' || toString(number % 40) || '": ' || toString(number) || '}' FROM numbers(25000)"""
    )
    parts = await rows(
        engine,
        "SELECT path, part_type FROM system.parts WHERE database = currentDatabase() AND table = 'logs' AND active",
    )
    assert "Wide" in {part["part_type"] for part in parts}
    assert {len(os.listdir(part["path"])) for part in parts} == {1}


async def test_reads_run_side_by_side_and_closing_cancels_them(directory: Path) -> None:
    engine = ChdbEngine(directory, readers=2)
    await engine.open()
    slow = [
        asyncio.ensure_future(
            engine.query("SELECT sum(sleepEachRow(0.05)) FROM numbers(1000) SETTINGS max_block_size=1")
        )
        for _ in range(3)
    ]
    await asyncio.sleep(0.3)
    await engine.execute("SELECT 1")  # the writer is not held up
    began = asyncio.get_running_loop().time()
    await engine.close()
    assert asyncio.get_running_loop().time() - began < 12  # left alone, the reads end at their limit of 15 s
    results = await asyncio.gather(*slow, return_exceptions=True)
    assert all(isinstance(result, TelemetryError | asyncio.CancelledError) for result in results)
    with pytest.raises(TelemetryError, match="closed"):
        await engine.query("SELECT 1")


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    engine = ServerEngine("http://me:pa55word@127.0.0.1:1/db")
    with pytest.raises(EngineUnavailableError, match=r"127\.0\.0\.1:1") as caught:
        await engine.query("SELECT 1")
    assert "pa55word" not in str(caught.value)
    await engine.close()
    with pytest.raises(TelemetryError, match="must look like"):
        ServerEngine("clickhouse://x")


async def test_a_proxy_of_the_environment_is_not_asked(
    engine_factory: Callable[[], Awaitable[Engine]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert await (await engine_factory()).query("SELECT 1 AS x") == b'{"x":1}\n'


async def test_what_goes_to_a_server() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"")

    engine = ServerEngine("https://me:p%40ss@db.example/ops", transport=httpx.MockTransport(answer))
    await engine.query("SELECT {x:String}", {"x": "a\\'\n"}, format="RowBinary")
    await engine.insert("logs", ("a", "b"), "JSONEachRow", b"{}", token="k'")
    await engine.close()
    read, write = seen
    assert read.content == b"SELECT {x:String}"
    assert (read.url.host, read.url.scheme, read.url.username) == ("db.example", "https", "")
    assert read.url.params["param_x"] == "a\\\\'\\n"
    assert read.url.params["default_format"] == "RowBinary"
    assert read.url.params["max_execution_time"] == "15"
    headers: Any = read.headers
    assert (headers["X-ClickHouse-User"], headers["X-ClickHouse-Key"]) == ("me", "p@ss")
    assert headers["X-ClickHouse-Database"] == "ops"
    assert write.content == b"{}"
    assert write.url.params["query"] == (
        "INSERT INTO logs (a, b) SETTINGS insert_deduplicate=1, insert_deduplication_token='k\\'' FORMAT JSONEachRow"
    )

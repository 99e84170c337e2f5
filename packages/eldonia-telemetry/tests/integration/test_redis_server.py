"""Commands to a real server of redis, where one is installed."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from required_tools import requires_module, tool

redis = requires_module("redis")

from eldonia_telemetry import performance, traces  # noqa: E402
from eldonia_telemetry.integrations import redis as integration  # noqa: E402
from eldonia_telemetry.testing import capture  # noqa: E402


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Path of the socket that it listens on."""
    program = tool("redis-server")
    folder = tmp_path_factory.mktemp("redis")
    path = str(folder / "s")
    command = [program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
                probe.connect(path)
                break
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        integration.connect()
        yield path
    finally:
        process.terminate()
        process.wait(20)


def test_hits_misses_pipelines_and_errors(server: str) -> None:
    with capture() as seen, traces.span("work"), performance.timer("work") as measured:
        client = redis.Redis(unix_socket_path=server)
        client.mset({"a": 1, "b": 2})
        client.get("a")
        client.get("none")
        client.mget("a", "b", "none")
        client.hget("none", "field")
        client.hset("h", "field", "x")
        client.hgetall("h")
        with client.pipeline() as pipeline:
            pipeline.get("a").get("none").set("c", 3)
            pipeline.execute()
        assert list(client.scan_iter())
        with pytest.raises(redis.ResponseError):
            client.execute_command("NONSENSE")
        client.close()
    assert measured.counts() == {"cacheHits": 5, "cacheMisses": 4, "errors": 1}
    names = [span.name for span in seen.spans]
    assert names == [
        *("MSET", "GET", "GET", "MGET", "HGET", "HSET", "HGETALL", "PIPELINE", "SCAN", "NONSENSE", "work"),
    ]
    assert [span.name for span in seen.spans if span.status] == ["NONSENSE"]
    assert seen.increase("db_client_operation_duration_seconds_count", system="redis", operation="GET") == 2


async def test_the_asynchronous_client(server: str) -> None:
    import redis.asyncio

    with capture(), performance.timer("work") as measured:
        async with redis.asyncio.Redis(unix_socket_path=server) as client:
            await client.set("x", 1)
            await client.get("x")
            async with client.pipeline() as pipeline:
                pipeline.get("x").get("nothing")
                await pipeline.execute()
    assert measured.counts() == {"cacheHits": 2, "cacheMisses": 1}

"""Downloads of logs over a real connection: all that is there comes, and one that fails on the way is seen to."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from fake_platform import FakePlatform
from local_server import free_port

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import TelemetryUnavailableError
from eldonia_ops.web.app import create_app

RECORDS = 3_000


@contextlib.asynccontextmanager
async def served(platform: FakePlatform) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(platform), host="127.0.0.1", port=port, log_level="critical"))
    task = asyncio.create_task(server.serve())
    headers = {"Authorization": f"Bearer {platform.secrets[Role.VIEWER]}", "Accept-Encoding": "identity"}
    try:
        async with asyncio.timeout(20):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        url = f"http://127.0.0.1:{port}/api/ops/v1"
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as http:
            yield http
    finally:
        server.should_exit = True
        await task


async def platform_with_records(fails_at: int = 0) -> FakePlatform:
    """A platform whose store is away at one page of a download."""
    platform = FakePlatform()
    logs = platform.telemetry.logs
    logs.records.clear()
    at = platform.now() * 10**6
    await logs.insert_logs([LogRecord(timestamp_ns=at - n, message=f"m{n}", service="shop") for n in range(RECORDS)])
    search, items, asked = logs.search_logs, logs.log_items, 0

    def count() -> None:
        nonlocal asked
        asked += 1
        if asked == fails_at:
            raise TelemetryUnavailableError("away")

    async def search_logs(*arguments, **named):  # type: ignore[no-untyped-def]
        count()
        return await search(*arguments, **named)

    async def log_items(*arguments, **named):  # type: ignore[no-untyped-def]
        count()
        return await items(*arguments, **named)

    logs.search_logs, logs.log_items = search_logs, log_items  # type: ignore[method-assign]
    return platform


async def read(http: httpx.AsyncClient, format: str, query: str) -> tuple[list[str], Exception | None]:
    """The lines that came, and what ended them too early."""
    body = b""
    failure = None
    async with http.stream("GET", f"/logs/export.{format}", params={"query": query, "since": "-1h"}) as answer:
        assert answer.status_code == 200
        try:
            async for chunk in answer.aiter_raw():
                body += chunk
        except httpx.HTTPError as error:
            failure = error
    return body.decode().splitlines(), failure


@pytest.mark.parametrize("query", ["service:shop", "service:shop | where message:*"])
@pytest.mark.parametrize("format", ["ndjson", "csv"])
async def test_all_records_come(format: str, query: str) -> None:
    async with served(await platform_with_records()) as http:
        lines, failure = await read(http, format, query)
    assert failure is None
    assert len(lines) == RECORDS + (format == "csv")


@pytest.mark.parametrize("query", ["service:shop", "service:shop | where message:*"])
@pytest.mark.parametrize("format", ["ndjson", "csv"])
async def test_a_download_that_fails_on_the_way_is_not_taken_for_whole(format: str, query: str) -> None:
    async with served(await platform_with_records(fails_at=3)) as http:
        lines, failure = await read(http, format, query)
    assert isinstance(failure, httpx.RemoteProtocolError), failure
    assert 0 < len(lines) < RECORDS
    if format == "ndjson":
        assert all("message" in json.loads(line) for line in lines[:-1])
        error = json.loads(lines[-1])["error"]
        assert (error["code"], error["message"]) == ("unavailable", "the telemetry store cannot be reached")


async def test_what_fails_at_once_is_an_error() -> None:
    async with served(await platform_with_records(fails_at=1)) as http:
        answer = await http.get("/logs/export.ndjson", params={"query": "service:shop", "since": "-1h"})
    assert answer.status_code == 503

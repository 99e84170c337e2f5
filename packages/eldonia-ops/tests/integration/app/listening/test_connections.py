"""Connections that want nothing are ended."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from eldonia_ops.app.listening import connections
from eldonia_ops.app.listening.connections import PatientProtocol
from eldonia_ops.protocols.packed_body import BadEncodingError
from eldonia_ops.web import limits
from eldonia_ops.web.limits import read_raw


class Impatient(PatientProtocol):
    head_seconds = 0.3
    head_bytes = 10_000


async def _echo(request: Request) -> Response:
    try:
        length = len(await read_raw(request, 1 << 20, seconds=float(request.query_params.get("patience", "0.5"))))
        await asyncio.sleep(float(request.query_params.get("sleep", "0")))
        return PlainTextResponse(str(length))
    except BadEncodingError as error:
        return PlainTextResponse(str(error), 400)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/", _echo, methods=["POST"])])
    config = uvicorn.Config(app, port=0, http=Impatient, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def _said(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(5):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n"


@pytest.mark.parametrize("parts", [(), (b"POST / HT",), (HEAD,), (HEAD, *[b"a: b\r\n"] * 20)])
async def test_half_a_head_is_not_waited_for(port: int, parts: tuple[bytes, ...]) -> None:
    assert await _said(port, *parts, pause=0.05) == b""


async def test_a_head_of_any_size_is_not_taken(port: int) -> None:
    assert await _said(port, HEAD, *[b"x: " + b"y" * 5_000 + b"\r\n"] * 10) == b""


async def test_a_second_request_has_no_more_time_than_the_first(port: int) -> None:
    first = HEAD.replace(b"Connection: close\r\n", b"") + b"\r\nhello"
    answer = await _said(port, first, b"POST / HT")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_body_that_does_not_come_is_given_up(port: int) -> None:
    answer = await _said(port, HEAD + b"\r\nhel")
    assert b"did not arrive in time: 3 bytes" in answer


async def test_an_answer_may_take_its_time(port: int) -> None:
    answer = await _said(port, HEAD.replace(b"/ ", b"/?sleep=1 ") + b"\r\nhello")
    assert answer.endswith(b"5")


async def test_slow_but_whole_requests_are_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Impatient, "head_seconds", 60.0)
    head = HEAD.replace(b"/ ", b"/?patience=60 ")
    answer = await _said(port, head, b"\r\n", b"hel", b"lo", pause=0.1)
    assert answer.endswith(b"5")


async def test_slow_requests_on_all_places_lock_no_other_client_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 5)
    monkeypatch.setattr(Impatient, "head_seconds", 60.0)
    head = HEAD.replace(b"/ ", b"/?patience=60 ")
    opened = []
    for index in range(15):
        opened.append(await asyncio.open_connection("127.0.0.1", port))
        # Some wait in their heads, some in their bodies.
        opened[-1][1].write(head if index % 2 else head + b"\r\nhel")
        await opened[-1][1].drain()
        await asyncio.sleep(0.02)
    assert (await _said(port, HEAD + b"\r\nhello")).endswith(b"5")
    # The oldest have made room for the younger ones.
    assert [await _ended(reader) for reader, _ in opened] == [True] * 11 + [False] * 4
    for _, writer in opened:
        writer.close()


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.05):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_a_request_that_is_being_answered_makes_no_room(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 3)
    slow = [asyncio.create_task(_said(port, HEAD.replace(b"/ ", b"/?sleep=1 ") + b"\r\nhello")) for _ in range(3)]
    await asyncio.sleep(0.4)
    assert await _said(port, HEAD + b"\r\nhello") == b""
    assert [answer[-1:] for answer in await asyncio.gather(*slow)] == [b"5"] * 3
    assert (await _said(port, HEAD + b"\r\nhello")).endswith(b"5")


async def test_a_body_has_to_come_at_a_rate(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "GRACE_SECONDS", 0.3)
    head = HEAD.replace(b"/ ", b"/?patience=60 ").replace(b"Length: 5", b"Length: 5000")
    answer = await _said(port, head + b"\r\n", *[b"a"] * 5, pause=0.02)
    assert re.search(rb"did not arrive in time: [1-5] bytes", answer)
    # Each part is worth so many seconds that a busy machine does not matter.
    head = head.replace(b"Length: 5000", b"Length: 100000")
    steady = await _said(port, head + b"\r\n" + b"a" * 10_000, *[b"a" * 10_000] * 9, pause=0.05)
    assert steady.endswith(b"100000")

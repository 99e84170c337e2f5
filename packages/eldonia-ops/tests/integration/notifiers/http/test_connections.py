"""Connections to receivers over real sockets: used again, given up, and closed when an answer is left unread."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from eldonia_ops.http_client.connections import HttpTransport


class Receiver:
    def __init__(self) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self.answer: Callable[[], bytes] = lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.hang_up = False
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                writer.write(self.answer())
                await writer.drain()
                if self.hang_up:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def talking() -> AsyncIterator[tuple[Receiver, httpx.AsyncClient, str]]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(trust_env=False, transport=HttpTransport()) as client:
        yield receiver, client, f"http://127.0.0.1:{port}/hook?a=b"
    server.close()


async def test_a_connection_is_used_again_and_a_new_one_made_when_it_is_gone() -> None:
    async with talking() as (receiver, client, url):
        for number in range(3):
            assert (await client.post(url, content=b"%d" % number)).text == "ok"
        assert (receiver.connections, receiver.bodies) == (1, [b"0", b"1", b"2"])
        receiver.hang_up = True
        await client.post(url, content=b"3")
        await asyncio.sleep(0.05)
        assert (await client.post(url, content=b"4")).status_code == 200
        assert receiver.connections == 2


async def test_messages_side_by_side_have_a_connection_each() -> None:
    async with talking() as (receiver, client, url):
        answers = await asyncio.gather(*(client.post(url, content=b"%d" % number) for number in range(5)))
        assert [answer.status_code for answer in answers] == [200] * 5
        assert receiver.connections == 5
        await asyncio.gather(*(client.post(url, content=b"x") for _ in range(5)))
        assert receiver.connections == 5


async def test_an_answer_that_is_left_unread_or_broken_costs_its_connection_only() -> None:
    async with talking() as (receiver, client, url):
        receiver.answer = lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000
        async with client.stream("POST", url, content=b"1") as answer:
            async for _ in answer.aiter_bytes():
                break
        receiver.answer = lambda: b"this is not HTTP\r\n\r\n"
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(url, content=b"2")
        receiver.answer = Receiver().answer
        assert (await client.post(url, content=b"3")).text == "ok"
        assert receiver.connections == 3


async def test_who_cannot_be_reached_or_does_not_answer_is_an_error_of_httpx() -> None:
    async with talking() as (receiver, client, url):
        receiver.answer = lambda: b""
        with pytest.raises(httpx.TimeoutException):
            await client.post(url, content=b"1", timeout=0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.post(url, content=b"1")
        with pytest.raises(httpx.ConnectError):
            await client.post("http://127.0.0.1:1/", content=b"1")

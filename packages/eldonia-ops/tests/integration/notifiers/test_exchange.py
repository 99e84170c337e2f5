"""The short way to a receiver over real sockets: what comes back, what is used again, what is closed."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
import uvloop

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.http_client.endpoint import Answer, classify, post
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import Delivery, DeliveryResult


class Receiver:
    """Answers each request with the next of ``answers`` (the last again and again), and keeps what it was sent."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.answers = list(answers)
        self.connections = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.hang_up = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self.requests.append((head, await reader.readexactly(length)))
                writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
                await writer.drain()
                if self.hang_up:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def talking(*answers: bytes) -> AsyncIterator[tuple[Receiver, HttpClient, str]]:
    receiver = Receiver(answers or (OK,))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    async with HttpClient() as client:
        yield receiver, client, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=b%20c"
    server.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def send(client: HttpClient, url: str, body: object = "x", **settings: object) -> Answer | Delivery:
    return await post(client, url, body, what="the hook", http=HttpConfig(**settings), timeout_seconds=0.5)  # type: ignore[arg-type]


async def answer(client: HttpClient, url: str, body: object = "x") -> Answer:
    found = await send(client, url, body)
    assert isinstance(found, Answer), found
    return found


async def test_the_request_is_complete_and_its_connection_is_used_again():
    async with talking() as (receiver, client, url):
        for number in range(3):
            assert (await answer(client, url, {"n": number})).text == "ok"
        assert receiver.connections == 1
        assert [body for _, body in receiver.requests] == [b'{"n":0}', b'{"n":1}', b'{"n":2}']
        head = receiver.requests[0][0]
        assert head.startswith(b"POST /hook?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1:")
        assert b"\r\nContent-Type: application/json\r\n" in head


async def test_headers_of_the_configuration_are_sent_and_may_be_repeated():
    async with talking() as (receiver, client, url):
        headers = (
            ("X-Team", Credential(Secret("a"))),
            ("X-Team", Credential(Secret("b"))),
            ("content-type", Credential(Secret("text/x"))),
        )
        assert isinstance(await send(client, url, headers=headers), Answer)
        head = receiver.requests[0][0]
        assert head.count(b"X-Team: ") == 2
        assert b"content-type: text/x\r\n" in head
        assert b"application/json" not in head


@pytest.mark.parametrize(
    ("raw", "status", "text"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n", 200, "ok!"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\ny", 201, "y"),
        (
            b"HTTP/1.1 503 Busy\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
            % len(gzip.compress(b"later", mtime=0))
            + gzip.compress(b"later", mtime=0),
            503,
            "later",
        ),
    ],
    ids=["chunked", "no body", "interim answer", "compressed"],
)
async def test_forms_of_answers(raw: bytes, status: int, text: str):
    async with talking(raw) as (receiver, client, url):
        for _ in range(2):
            found = await answer(client, url)
            assert (found.status, found.text) == (status, text)
        assert receiver.connections == 1


async def test_an_answer_that_ends_with_its_connection():
    async with talking(b"HTTP/1.1 200 OK\r\n\r\nall of it") as (receiver, client, url):
        receiver.hang_up = True
        assert (await answer(client, url)).text == "all of it"
        assert (await answer(client, url)).text == "all of it"
        assert receiver.connections == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"this is not HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"y" * 200_000,
    ],
    ids=["nothing", "half", "another protocol", "endless head"],
)
async def test_a_broken_answer_is_tried_again_over_another_connection(raw: bytes):
    async with talking(raw, OK) as (receiver, client, url):
        receiver.hang_up = True
        found = await send(client, url)
        assert isinstance(found, Delivery)
        assert found.result is DeliveryResult.RETRY
        assert (await answer(client, url)).text == "ok"
        assert receiver.connections == 2


async def test_what_is_said_without_being_asked_is_never_taken_for_the_next_answer():
    async with talking(OK + b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", OK) as (receiver, client, url):
        assert (await answer(client, url)).status == 200
        await asyncio.sleep(0.02)
        assert (await answer(client, url)).status == 200
        assert receiver.connections == 2


async def test_an_answer_without_end_is_cut_off():
    endless = b"HTTP/1.1 500 No\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1_000_000
    async with talking(endless, OK) as (receiver, client, url):
        found = await answer(client, url)
        assert (found.status, len(found.text)) == (500, 64 * 1024)
        assert (await answer(client, url)).text == "ok"
        assert receiver.connections == 2


async def test_no_answer_and_no_listener():
    async with talking(b"HTTP/1.1 200 OK\r\n") as (_, client, url):
        found = await send(client, url)
        assert found == Delivery(DeliveryResult.RETRY, "the hook did not answer within 0.5 s")
        found = await send(client, "http://127.0.0.1:1/secret-path")
        assert isinstance(found, Delivery)
        assert found.result is DeliveryResult.RETRY
        assert found.detail.startswith("cannot reach the hook")
        assert "secret-path" not in found.detail


async def test_redirects_are_followed_or_not_as_configured():
    async with talking() as (_, client, url):
        moved = b"HTTP/1.1 307 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % url.encode()
        async with talking(moved) as (first, _, old):
            assert (await answer(client, old)).text == "ok"
            assert len(first.requests) == 2
            found = await send(client, old, follow_redirects=False)
            assert isinstance(found, Answer)
            assert classify(found, "the hook").result is DeliveryResult.REJECTED


async def test_a_host_with_several_addresses_is_reached_by_the_one_that_answers(monkeypatch: pytest.MonkeyPatch):
    async with talking() as (_, client, url):
        port = httpx.URL(url).port
        loop = asyncio.get_running_loop()

        async def resolve(host: object, *_: object, **__: object) -> list[tuple[object, ...]]:
            assert host == "hook.example"
            return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        assert (await answer(client, f"http://hook.example:{port}/")).text == "ok"


def test_the_loop_that_serves_can_be_used():
    async def story() -> None:
        async with talking() as (receiver, client, url):
            for _ in range(3):
                assert (await answer(client, url)).text == "ok"
            assert receiver.connections == 1
            found = await send(client, "http://127.0.0.1:1/")
            assert isinstance(found, Delivery)

    uvloop.run(story())

"""One connection, without a socket: receipts come when the events are stored, and what is wrong ends it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgpack
import pytest
from intake_platform import NOW, ListPlatform

from eldonia_ops.intake import StreamCredentials
from eldonia_ops.intake.fluent_forward import large as large_module
from eldonia_ops.intake.fluent_forward.serve import ForwardServer, heartbeats
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.fluent_forward import (
    Helo,
    check_pong,
    encode_event,
    encode_forward,
    encode_message,
    encode_packed,
    encode_ping,
    read_helo,
)
from eldonia_ops.sinks import Receipt


class Logs:
    """Keeps what is stored once for each key; ``failures`` are to come first."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.keys: list[str] = []
        self.failures = 0
        self.hold = asyncio.Event()
        self.hold.set()

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        await self.hold.wait()
        if self.failures:
            self.failures -= 1
            raise TelemetryError("the disk is full")
        if batch_key not in self.keys:
            self.records += records
        if batch_key:
            self.keys.append(batch_key)
        return Receipt(len(records))


class Platform(ListPlatform):
    """One whose sink may fail, or wait."""

    logs: Logs

    def __init__(self, longest: int = 1 << 20) -> None:
        super().__init__(longest)
        self.logs = Logs()

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        assert sender == "forward (192.0.2.7)"
        super().refused(signal, sender, reasons)


class Connection:
    """Gives the parts one after another, then its end; a function is asked for what was written so far."""

    sender = "forward (192.0.2.7)"

    def __init__(self, *parts: bytes | Callable[[bytes], bytes], credentials: StreamCredentials | None = None) -> None:
        self._parts = list(parts)
        self.credentials = credentials or StreamCredentials()
        self.written = b""

    async def read(self, most: int) -> bytes:
        await asyncio.sleep(0)
        if not self._parts:
            return b""
        part = self._parts.pop(0)
        return part(self.written) if callable(part) else part

    async def write(self, data: bytes) -> None:
        self.written += data

    def answers(self) -> list[Any]:
        unpacker = msgpack.Unpacker()
        unpacker.feed(self.written)
        return list(unpacker)


@pytest.fixture
def platform() -> Platform:
    return Platform()


def one(name: str, chunk: str = "") -> bytes:
    return encode_message("t", NOW, {"message": name}, chunk=chunk)


async def test_receipts_come_in_order_and_once_for_each_chunk(platform: Platform) -> None:
    body = b"".join(encode_event(NOW, {"message": f"b{n}"}) for n in range(3))
    stream = one("a", "c1") + one("x") + encode_packed("t", body, count=3, chunk="c2") + one("a", "c1")
    connection = Connection(stream[:50], stream[50:])
    await ForwardServer()(platform, connection)
    assert connection.answers() == [{"ack": "c1"}, {"ack": "c2"}, {"ack": "c1"}]
    assert sorted(platform.messages) == ["a", "b0", "b1", "b2", "x"]
    assert platform.counted == {}


async def test_no_receipt_before_it_is_stored(platform: Platform) -> None:
    platform.logs.hold.clear()
    connection = Connection(one("a", "c1"))
    serving = asyncio.create_task(ForwardServer()(platform, connection))
    for _ in range(20):
        await asyncio.sleep(0)
    assert connection.written == b""
    platform.logs.hold.set()
    await serving
    assert connection.answers() == [{"ack": "c1"}]


async def test_what_cannot_be_stored_now_is_offered_again(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    platform.logs.failures = 6
    monkeypatch.setattr(asyncio, "sleep", sleep)
    connection = Connection(one("a"))
    connection.read = _reads(connection)  # type: ignore[method-assign]
    await ForwardServer()(platform, connection)
    assert platform.messages == ["a"]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def _reads(connection: Connection) -> Any:
    parts: list[Any] = connection._parts

    async def read(_most: int) -> bytes:
        return parts.pop(0) if parts else b""

    return read


async def test_a_chunk_that_cannot_be_stored_is_left_to_its_sender(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_seconds: float) -> None:
        pass

    platform.logs.failures = 1_000
    monkeypatch.setattr(asyncio, "sleep", sleep)
    connection = Connection(one("a", "c1"))
    connection.read = _reads(connection)  # type: ignore[method-assign]
    with pytest.raises(ConnectionError, match="its sender keeps it"):
        await ForwardServer()(platform, connection)
    assert connection.written == b""


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01",
        b"\x91\x01",
        b"\x92\xa1t" + b"\x91" * 2_000,
        b"\x92\xa1t\xc6\xff\xff\xff\xff",
    ],
)
async def test_garbage_ends_the_connection_and_is_counted(
    platform: Platform, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    connection = Connection(one("before", "c") + garbage, one("behind"))
    await ForwardServer()(platform, connection)
    assert platform.messages == ["before"]
    assert connection.answers() == [{"ack": "c"}]
    assert platform.counted == {"a connection that was closed, for what it sent cannot be read": 1}
    assert "forward (192.0.2.7): the connection is closed: a message" in caplog.text


async def test_a_bomb_ends_the_connection(platform: Platform) -> None:
    import zlib

    bomb = msgpack.packb(["t", zlib.compress(b"\0" * (8 << 20), wbits=31), {"compressed": "gzip"}])
    assert bomb is not None
    await ForwardServer()(platform, Connection(one("before") + bomb))
    assert platform.messages == ["before"]
    assert len(platform.counted) == 1


async def test_half_a_message_at_the_end_is_left_out(platform: Platform) -> None:
    await ForwardServer()(platform, Connection(one("whole") + one("half")[:-1]))
    assert (platform.messages, platform.counted) == (["whole"], {})


async def test_large_messages_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_module, "PLACES", 1)
    platform, server = Platform(longest=8 << 20), ForwardServer()
    message = encode_forward("t", [(NOW, {"message": "x" * 60_000})] * 20)
    parts = [message[at : at + 200_000] for at in range(0, len(message), 200_000)]
    await asyncio.gather(*(server(platform, Connection(*parts)) for _ in range(5)))
    assert len(platform.messages) == 100


async def test_a_large_message_that_stops_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_module, "_PAUSE_SECONDS", 0.01)
    platform, server = Platform(longest=8 << 20), ForwardServer()
    connection = Connection(b"\x92\xa1t\xc6\x00\x40\x00\x00" + b"\0" * 300_000)
    read = connection.read

    async def stuck(most: int) -> bytes:
        return await read(most) or await asyncio.sleep(60, b"")

    connection.read = stuck  # type: ignore[method-assign]
    await server(platform, connection)
    assert server._large._taken == 0
    assert len(platform.counted) == 1


async def test_with_a_key_nothing_is_taken_before_the_handshake(platform: Platform) -> None:
    credentials = StreamCredentials(Secret("sesame"), {"web": Secret("swordfish")})
    salt = b"s" * 16
    said: list[Helo] = []

    def ping(written: bytes) -> bytes:
        said.append(read_helo(written))
        return encode_ping(said[0], "web-1", "sesame", salt, "web", "swordfish") + one("with the PING", "c1")

    connection = Connection(ping, one("behind"), credentials=credentials)
    await ForwardServer()(platform, connection)
    assert platform.messages == ["with the PING", "behind"]
    _, pong, ack = connection.answers()
    assert check_pong(msgpack.packb(pong) or b"", said[0], "web-1", "sesame", salt) == ""
    assert ack == {"ack": "c1"}


@pytest.mark.parametrize(
    ("key", "password"), [("guess", "swordfish"), ("sesame", "guess")], ids=["wrong key", "wrong password"]
)
async def test_who_does_not_know_it_is_refused(
    platform: Platform, key: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    credentials = StreamCredentials(Secret("sesame"), {"web": Secret("swordfish")})
    connection = Connection(
        lambda written: encode_ping(read_helo(written), "web-1", key, b"s" * 16, "web", password) + one("a"),
        one("b"),
        credentials=credentials,
    )
    await ForwardServer()(platform, connection)
    assert platform.messages == []
    assert connection.answers()[1][1] is False
    assert "the handshake failed" in caplog.text
    assert "sesame" not in caplog.text


async def test_messages_instead_of_a_ping_are_refused(platform: Platform) -> None:
    connection = Connection(one("a"), one("b"), credentials=StreamCredentials(Secret("sesame")))
    await ForwardServer()(platform, connection)
    assert (platform.messages, len(platform.counted)) == ([], 1)


async def test_heartbeats_are_answered() -> None:
    from eldonia_ops.intake import Datagram

    class Datagrams:
        def __init__(self) -> None:
            self.left = [[Datagram(b"\0", "forward", ("192.0.2.7", n)) for n in range(3)]]
            self.sent: list[tuple[tuple[str, int], bytes]] = []

        async def receive(self) -> Sequence[Datagram]:
            return self.left.pop() if self.left else []

        def reply(self, address: tuple[str, int], data: bytes) -> None:
            self.sent.append((address, data))

    datagrams = Datagrams()
    await heartbeats(Platform(), datagrams)
    assert datagrams.sent == [(("192.0.2.7", n), b"\0") for n in range(3)]

"""A receiver of notifications: an HTTP server on loopback that gives set answers and keeps what it was sent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Received:
    """One request. Names of headers are in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class HttpReceiver:
    """``answers`` are given in turn, the last of them again and again: status, body, headers."""

    answers: list[tuple[int, str, Mapping[str, str]]] = field(default_factory=lambda: [(200, "ok", {})])
    received: list[Received] = field(default_factory=list)
    url: str = ""

    def answer(self, status: int, body: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Answer so from now on."""
        self.answers = [(status, body, headers or {})]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {
                    name.lower(): value.strip()
                    for name, _, value in (line.partition(":") for line in lines[1:] if line)
                }
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, path, _ = lines[0].split(" ")
                self.received.append(Received(method, path, headers, body))
                status, text, more = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                sent = {"Content-Type": "text/plain", **more, "Content-Length": str(len(text.encode()))}
                head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
                writer.write(f"HTTP/1.1 {status} x\r\n{head}\r\n{text}".encode())
                await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def http_receiver() -> AsyncIterator[HttpReceiver]:
    """A receiver that listens while the context lasts; ``url`` ends with a slash."""
    receiver = HttpReceiver()
    server = await asyncio.start_server(receiver._serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    yield receiver
    server.close()

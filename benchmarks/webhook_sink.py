"""``python -m benchmarks.webhook_sink PORT``: takes webhooks, answers at once, and remembers which alerts it was sent.

``GET /stat`` answers ``{"seen": distinct alerts, "messages": requests, "at": {id: seconds since the epoch}}`` for the
ids in its query (``?id=…``); an alert is known by its label ``id``.
"""

import asyncio
import sys
import time
from collections import Counter
from urllib.parse import parse_qs, urlsplit

import httptools
import msgspec


class _Alert(msgspec.Struct):
    status: str
    labels: dict[str, str]


class _Message(msgspec.Struct):
    alerts: list[_Alert]


_messages = msgspec.json.Decoder(_Message)
_first: dict[str, float] = {}
_counts: Counter[str] = Counter()


class _Protocol(asyncio.Protocol):
    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._url = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        answer = self._stat() if self._parser.get_method() == b"GET" else self._take()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        self._transport.write(head.encode() + answer)
        self._body, self._url = [], b""

    def _take(self) -> bytes:
        _counts["messages"] += 1
        now = time.time()
        for alert in _messages.decode(b"".join(self._body)).alerts:
            if alert.status == "firing":
                _first.setdefault(alert.labels["id"], now)
        return b"{}"

    def _stat(self) -> bytes:
        asked = parse_qs(urlsplit(self._url.decode()).query).get("id", [])
        at = {id: _first[id] for id in asked if id in _first}
        return msgspec.json.encode({"seen": len(_first), "messages": _counts["messages"], "at": at})


async def _main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_main(int(sys.argv[1])))

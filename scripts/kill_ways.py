"""The ways in which :mod:`kills` sends lines to a platform, and what each of them promises.

A line has a name, ``WAY-SENDER-TURN-LINE``, and is sent until it is acknowledged.
"""

import contextlib
import json
import os
import random
import shutil
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from eldonia_ops.protocols.fluent_forward import (
    Compression,
    ForwardError,
    ForwardFrames,
    decode_events,
    decode_message,
    encode_ack,
    encode_event,
    encode_packed,
    pieces,
)

SENDERS: Final = 2
EVENTS: Final = 100
_LONGEST: Final = 64 << 20
_MOST_EVENTS: Final = 5_000
_TAIL: Final = """
<source>
  @type tail
  @label @{way}
  path {folder}/{way}/*.log
  pos_file {folder}/{way}.pos
  tag {way}.*
  read_from_head true
  <parse>
    @type json
  </parse>
</source>
"""
_FORWARD: Final = """
<source>
  @type forward
  @label @{way}
  bind 127.0.0.1
  port {port}
</source>
"""
_HTTP: Final = """
<source>
  @type http
  @label @{way}
  bind 127.0.0.1
  port {port}
</source>
"""
_LABEL: Final = """
<label @{way}>
  <filter **>
    @type record_transformer
    <record>
      via ${{tag}}
    </record>
  </filter>
  {filters}
  <match **>
    {output}
  </match>
</label>
"""
_STORE: Final = "@type eldonia"
_FILES: Final = """@type eldonia
    <buffer>
      @type file
      path {folder}/buffer
      flush_interval 1s
      chunk_limit_size 1m
    </buffer>"""
_SERVER: Final = """@type forward
    require_ack_response true
    <server>
      host 127.0.0.1
      port {receiver}
    </server>
    <buffer>
      flush_interval 2s
      chunk_limit_size 1m
    </buffer>"""
_CONCAT: Final = """<filter **>
    @type concat
    key message
    multiline_start_regexp /^begin /
    flush_interval 1s
  </filter>"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a way sends to. ``main`` is the port of the platform, ``port`` the way's own, ``pause`` the seconds that a
    sender rests after each turn."""

    way: str
    folder: Path
    main: int
    port: int
    token: Callable[[], str]
    pause: float


class Load:
    """Sends lines by some threads until it is stopped. ``names`` are the lines that have to be there."""

    def __init__(self, work: Callable[["Load", int], None]) -> None:
        self.stopped = threading.Event()
        self.followed = threading.Event()
        self.names: list[list[str]] = [[] for _ in range(SENDERS)]
        self.again = 0
        self._threads = [threading.Thread(target=work, args=(self, number), daemon=True) for number in range(SENDERS)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[str]:
        """End, and wait until all that was begun is acknowledged. The names."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(180)
            if thread.is_alive():
                raise RuntimeError("a sender does not come to its end")
        return [name for some in self.names for name in some]


Work = Callable[[Load, int], None]


@dataclass(frozen=True, slots=True)
class Way:
    """``source``, ``filters`` and ``output`` are what it adds to ``fluent.conf``; ``listener`` is one of the settings.
    ``may_lose``: the protocol has no receipts. ``elsewhere``: its lines go on to another server."""

    load: Callable[[Place], Work]
    source: str = ""
    filters: str = ""
    output: str = _STORE
    listener: str = ""
    may_lose: bool = False
    elsewhere: bool = False

    def conf(self, values: Mapping[str, Any]) -> str:
        """Its part of ``fluent.conf``."""
        if not self.source:
            return ""
        label = _LABEL.format(way=values["way"], filters=self.filters, output=self.output.format(**values))
        return self.source.format(**values) + label


def _names(place: Place, number: int, turn: int, count: int = EVENTS) -> list[str]:
    return [f"{place.way}-{number}-{turn}-{event}" for event in range(count)]


def _document(place: Place, message: str) -> dict[str, Any]:
    return {"time": time.time_ns() / 1e9, "level": "info", "service": place.way, "message": message}


def write_files(place: Place) -> Work:
    """Appends to files at some thousand lines a second. One is rotated by its name, the other copied and cut."""

    def work(load: Load, number: int) -> None:
        chance = random.Random(number)
        path = place.folder / place.way / f"app{number}.log"
        path.parent.mkdir(exist_ok=True)
        turn = 0
        while not load.stopped.is_set():
            names = _names(place, number, turn, chance.randrange(1, 60))
            _append(path, [json.dumps(_document(place, name)) for name in names], chance)
            load.names[number] += names
            turn += 1
            # What is rotated away before anybody followed the file is left alone, as it should be.
            if path.stat().st_size > 400_000 and load.followed.is_set():
                _rotate(path, copied=number % 2 == 1)
            time.sleep(place.pause or 0.02)

    return work


def write_texts(place: Place) -> Work:
    """Appends lines that ``concat`` puts together. Now and then the end of a text comes later than that waits for."""

    def work(load: Load, number: int) -> None:
        chance = random.Random(number)
        path = place.folder / place.way / f"app{number}.log"
        path.parent.mkdir(exist_ok=True)
        turn = 0
        while not load.stopped.is_set():
            names = _names(place, number, turn, chance.randrange(1, 40))
            messages = [f"{'begin' if chance.random() < 0.3 else 'more'} {name}" for name in names]
            _append(path, [json.dumps(_document(place, message)) for message in messages], chance)
            load.names[number] += names
            turn += 1
            time.sleep(chance.choice((place.pause or 0.02, 0.3, 1.3)))

    return work


def _append(path: Path, lines: list[str], chance: random.Random) -> None:
    """A writer that is cut off in the middle of a line goes on with it."""
    data = "".join(f"{line}\n" for line in lines).encode()
    cut = chance.randrange(len(data))
    with path.open("ab", buffering=0) as file:
        file.write(data[:cut])
        file.write(data[cut:])


def _rotate(path: Path, *, copied: bool) -> None:
    for number in range(len(list(path.parent.glob(f"{path.name}.*"))), 0, -1):
        os.rename(f"{path}.{number}", f"{path}.{number + 1}")
    if copied:
        shutil.copy(path, f"{path}.1")
        os.truncate(path, 0)
    else:
        os.rename(path, f"{path}.1")


def send_chunks(place: Place, *, texts: bool = False) -> Work:
    """Sends chunks of Fluentd's forward protocol one behind another, each until it is acknowledged."""

    def work(load: Load, number: int) -> None:
        chance = random.Random(number)
        connection: socket.socket | None = None
        turn = 0
        while not load.stopped.is_set():
            names = _names(place, number, turn)
            chunk = uuid.uuid4().hex
            body = b"".join(
                encode_event(time.time_ns(), _document(place, f"{'begin' if at % 7 == 3 else 'more'} {name}"))
                if texts
                else encode_event(time.time_ns(), _document(place, name))
                for at, name in enumerate(names)
            )
            compression = Compression.GZIP if turn % 2 else Compression.NONE
            tag = f"{place.way}.{number}"
            message = encode_packed(tag, body, count=EVENTS, chunk=chunk, compression=compression)
            while True:
                try:
                    if connection is None:
                        connection = socket.create_connection(("127.0.0.1", place.port), 2)
                        connection.settimeout(20)
                    connection.sendall(message)
                    received = b""
                    while not received.endswith(chunk.encode()):
                        data = connection.recv(1_000)
                        if not data:
                            raise ConnectionError
                        received += data
                    break
                except OSError:
                    load.again += 1
                    if connection is not None:
                        connection.close()
                        connection = None
                    time.sleep(0.05)
            load.names[number] += names
            turn += 1
            time.sleep(chance.choice((0.0, 0.3, 1.3)) if texts else place.pause)

    return work


def send_texts(place: Place) -> Work:
    """Sends chunks whose lines ``concat`` puts together: what is acknowledged may be held back."""
    return send_chunks(place, texts=True)


def send_lines(place: Place) -> Work:
    """Sends counted messages of syslog over TCP. There are no receipts: what was sent to a socket counts."""

    def work(load: Load, number: int) -> None:
        connection: socket.socket | None = None
        turn = 0
        while not load.stopped.is_set():
            names = _names(place, number, turn)
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            lines = [f"<14>1 {at} host {place.way} - - - {name}".encode() for name in names]
            try:
                if connection is None:
                    connection = socket.create_connection(("127.0.0.1", place.port), 2)
                    connection.settimeout(20)
                connection.sendall(b"".join(b"%d %b" % (len(line), line) for line in lines))
            except OSError:
                if connection is not None:
                    connection.close()
                    connection = None
                time.sleep(0.05)
                continue
            load.names[number] += names
            turn += 1
            time.sleep(place.pause)

    return work


@dataclass(frozen=True, slots=True)
class _Request:
    """A request, which is the same however often it is sent."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    accepted: Callable[[httpx.Response], bool]


def _send_requests(place: Place, port: int, request_of: Callable[[list[str]], _Request]) -> Work:
    """Sends requests one behind another, each until it is answered."""

    def work(load: Load, number: int) -> None:
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
        turn = 0
        while not load.stopped.is_set():
            names = _names(place, number, turn)
            request = request_of(names)
            while True:
                with contextlib.suppress(httpx.HTTPError, OSError):
                    headers = {"Authorization": f"Bearer {place.token()}", **request.headers}
                    if request.accepted(http.post(request.path, content=request.body, headers=headers)):
                        break
                load.again += 1
                time.sleep(0.05)
            load.names[number] += names
            turn += 1
            time.sleep(place.pause)

    return work


def _good(answer: httpx.Response) -> bool:
    return answer.status_code in (200, 204)


def send_bulk(place: Place) -> Work:
    """Creates documents with ids; one that is there already was created before."""

    def accepted(answer: httpx.Response) -> bool:
        return _good(answer) and {one["create"]["status"] for one in answer.json()["items"]} <= {201, 409}

    def request(names: list[str]) -> _Request:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        parts = [
            part
            for name in names
            for part in (
                {"create": {"_index": "kill", "_id": name}},
                {"@timestamp": at, "message": name, "service": place.way},
            )
        ]
        body = b"".join(json.dumps(part).encode() + b"\n" for part in parts)
        return _Request("/_bulk", body, {"Content-Type": "application/x-ndjson"}, accepted)

    return _send_requests(place, place.port, request)


def send_events(place: Place) -> Work:
    """Sends events as to Fluentd's ``in_http``, each request with a key by which it is known again."""

    def request(names: list[str]) -> _Request:
        body = json.dumps([_document(place, name) for name in names]).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        return _Request("/kill.http", body, headers, _good)

    return _send_requests(place, place.port, request)


def send_otlp(place: Place) -> Work:
    """Exports log records as OTLP in JSON."""

    def request(names: list[str]) -> _Request:
        records = [{"timeUnixNano": str(time.time_ns()), "body": {"stringValue": name}} for name in names]
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": place.way}}]}
        body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}
        return _Request("/v1/logs", json.dumps(body).encode(), {"Content-Type": "application/json"}, _good)

    return _send_requests(place, place.main, request)


def push_loki(place: Place) -> Work:
    """Pushes lines as Loki's clients do."""

    def request(names: list[str]) -> _Request:
        values = [[str(time.time_ns()), name] for name in names]
        body = {"streams": [{"stream": {"service_name": place.way}, "values": values}]}
        headers = {"Content-Type": "application/json"}
        return _Request("/loki/api/v1/push", json.dumps(body).encode(), headers, _good)

    return _send_requests(place, place.main, request)


@dataclass
class Receiver:
    """Another server: takes chunks of the forward protocol, each of them once by its id."""

    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    found: Counter[str] = field(default_factory=Counter)
    _chunks: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def start(self) -> None:
        """Listen until the process ends."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        frames = ForwardFrames(_LONGEST)
        # Others on this machine look at open ports, and send what is no message.
        with contextlib.suppress(OSError, ForwardError), connection:
            while data := connection.recv(1 << 16):
                for frame in frames.feed(data):
                    message = decode_message(frame, _LONGEST)
                    some = [decode_events(piece).records for piece in pieces(message.events, _MOST_EVENTS)]
                    with self._lock:
                        if message.chunk not in self._chunks:
                            self._chunks.add(message.chunk)
                            self.found.update(record["message"] for records in some for record in records)
                    connection.sendall(encode_ack(message.chunk))


WAYS: Final[Mapping[str, Way]] = {
    "tail": Way(write_files, _TAIL),
    "buffered": Way(write_files, _TAIL, output=_FILES),
    "memory": Way(write_files, _TAIL, output=_SERVER, elsewhere=True),
    "concat": Way(write_texts, _TAIL, _CONCAT),
    "source": Way(send_chunks, _FORWARD),
    "held": Way(send_texts, _FORWARD, _CONCAT),
    "http": Way(send_events, _HTTP),
    "forward": Way(send_chunks, listener="forward"),
    "bulk": Way(send_bulk, listener="elasticsearch"),
    "events": Way(send_events, listener="http_input"),
    "syslog": Way(send_lines, listener="syslog", may_lose=True),
    "otlp": Way(send_otlp),
    "loki": Way(push_loki),
}

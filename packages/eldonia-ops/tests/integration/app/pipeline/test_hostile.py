"""What no sender should send, between what is in order: nothing of the latter is lost or there twice, nothing falls
over, and the platform says what happened."""

import asyncio
import gzip
import json
import socket
import struct
import time
from collections import Counter
from pathlib import Path

import httpx
import msgpack
from local_server import free_port
from serving import Serving, serving

CONF = """
<source>
  @type tail
  path {folder}/logs/*.log
  tag file
  read_from_head true
  <parse>
    @type json
    time_key at
  </parse>
</source>
<source>
  @type forward
  bind 127.0.0.1
  port {forward}
</source>
<source>
  @type http
  bind 127.0.0.1
  port {http}
</source>
<filter **>
  @type record_transformer
  <record>
    via ${{tag}}
  </record>
</filter>
<match **>
  @type eldonia
</match>
"""
DEEP = 1_000
MEGABYTES_10 = 10 * 1024 * 1024


def neighbour(name: str, **more: object) -> dict[str, object]:
    return {"message": name, "service": "hostile", **more}


def lines() -> list[bytes]:
    """Lines of a file. Each of them is stored, and has a neighbour behind it."""
    deep = "[" * DEEP + "]" * DEEP
    fields = {f"field{number}": number for number in range(10_000)}
    now = time.time()
    local = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
    hostile = [
        b'{"message": "long ' + b"x" * MEGABYTES_10 + b'", "service": "hostile"}',
        b'{"message": "no \xff\xfe UTF-8", "service": "hostile"}',
        b'{"message": "a NUL \x00 in it", "service": "hostile"}',
        b'{"message": "a NUL \\u0000 written", "service": "hostile"}',
        f'{{"message": "deep", "service": "hostile", "a": {deep}}}'.encode(),
        json.dumps(neighbour("many fields", **fields)).encode(),
        json.dumps(neighbour("a number", size=5)).encode(),
        json.dumps(neighbour("a text", size="five")).encode(),
        json.dumps(neighbour("an object", size={"of": "it"})).encode(),
        json.dumps(neighbour("future", at=now + 40 * 365 * 86_400)).encode(),
        json.dumps(neighbour("no zone", at=local)).encode(),
        json.dumps(neighbour("no time", at="yesterday, I think")).encode(),
        b'{"message": "first", "message": "the last of two", "service": "hostile"}',
        b"",
        b"{",
        b"\x00" * 100,
        b'{"message": "half surrogate \\ud800", "service": "hostile"}',
        b'{"message": 1e400, "service": "hostile"}',
    ]
    found: list[bytes] = []
    for number, line in enumerate(hostile):
        found += [line, json.dumps(neighbour(f"behind line {number}")).encode()]
    return found


def events() -> list[dict[str, object]]:
    deep: object = "end"
    for _ in range(DEEP):
        deep = {"a": deep}
    return [
        neighbour("f long", text="x" * MEGABYTES_10),
        neighbour("f many fields", **{f"field{number}": number for number in range(10_000)}),
        neighbour("f NUL \x00"),
        neighbour("f number", size=5),
        neighbour("f text", size="five"),
        neighbour("f bytes", size=b"\xff\xfe"),
        neighbour("f large", size=2**64 - 1),
        neighbour("f nan", size=float("nan")),
    ]


def records(platform: Serving) -> list[dict]:
    with platform.client() as http:
        answer = http.get("/api/ops/v1/logs/export.ndjson", params={"since": "-1d"})
    return [
        one
        for line in answer.text.splitlines()
        if (one := json.loads(line)).get("metadata", {}).get("via") or one["tag"]
    ]


def forward(port: int, messages: list[bytes], chunk: str = "") -> bytes:
    """Send messages in a connection; what is answered, b"" when it was closed."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.settimeout(60)
        try:
            for message in messages:
                connection.sendall(message)
            return connection.recv(1_000) if chunk else b""
        except ConnectionError:
            return b""


def chunk_of(some: list[dict[str, object]], chunk: str) -> bytes:
    now = int(time.time())
    return msgpack.packb(["forward", [[now, one] for one in some], {"chunk": chunk}])


BOMBS = [
    b"\x93\xa1t\xdd\xff\xff\xff\xff",  # an array that says that it has 4 billion items
    b"\x93\xa1t\x92\x00\xdf\xff\xff\xff\xff",  # a map of as many
    b"\x93\xa1t\xc6\xff\xff\xff\xff",  # bytes of 4 GiB
    b"\x93\xa1t" + b"\x91" * 100_000 + b"\x00",  # nesting
    b"\x93\xa1t\xc6" + struct.pack(">I", 200_000) + b"\x91" * 200_000 + b"\x80",  # the same in packed events
    msgpack.packb(["t", gzip.compress(b"\x92\x00\x80" * 30_000_000), {"compressed": "gzip"}]),  # 90 MB of 90 kB
    b"\xc1" * 1_000,
]


def test_everything_hostile_between_what_is_in_order(tmp_path: Path) -> None:
    logs, forward_port, http_port = tmp_path / "logs", free_port(), free_port()
    logs.mkdir()
    conf = CONF.format(folder=tmp_path, forward=forward_port, http=http_port)
    (tmp_path / "fluent.conf").write_text(conf)
    written = lines()
    (logs / "app.log").write_bytes(b"".join(line + b"\n" for line in written))
    wanted = [f"behind line {number}" for number in range(len(written) // 2)]
    settings = {"rules": {"defaults": False}, "pipeline": {"file": "fluent.conf"}}
    with serving(tmp_path, settings) as platform:
        asyncio.run(_until_open(forward_port, http_port))
        for number, event in enumerate(events()):
            some = [neighbour(f"before event {number}"), event, neighbour(f"behind event {number}")]
            wanted += [f"before event {number}", f"behind event {number}"]
            message = chunk_of(some, f"c{number}")
            if number % 2:  # a client that dies before it hears of its chunk, and sends it again
                forward(forward_port, [message])
            assert f"c{number}".encode() in forward(forward_port, [message], f"c{number}"), number
        for number, bomb in enumerate(BOMBS):
            forward(forward_port, [bomb])
            message = chunk_of([neighbour(f"behind bomb {number}")], f"b{number}")
            assert b"b" in forward(forward_port, [message], f"b{number}")
            wanted.append(f"behind bomb {number}")
        with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", trust_env=False, timeout=60) as http:
            deep = "[" * DEEP + "]" * DEEP
            bomb = gzip.compress(b"[" + b"{}," * 20_000_000 + b"{}]")
            packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
            assert http.post("/h", content=bomb, headers=packed).status_code == 413
            kind = {"Content-Type": "application/json"}
            assert http.post("/h", content=f'{{"a": {deep}}}', headers=kind).status_code == 400
            long = neighbour("h long", text="y" * MEGABYTES_10)
            assert http.post("/h", json=[neighbour("before h"), long, neighbour("behind h")]).status_code == 200
            assert http.post("/h?time=99999999999999999999", json={}).status_code == 400
            assert http.post("/h?time=1", json=neighbour("ancient")).status_code == 200
            assert http.post("/h", json=neighbour("at last")).status_code == 200
            wanted += ["before h", "behind h", "at last"]
        end = time.monotonic() + 60
        while True:
            found = Counter(one["message"] for one in records(platform))
            if set(wanted) <= set(found) or time.monotonic() > end:
                break
            time.sleep(0.5)
        with platform.client() as http:
            health = http.get("/api/ops/v1/platform").json()
    assert [name for name in wanted if found[name] != 1] == []
    # What could be read of the others is there, too, once each.
    for name in (
        "a number", "a text", "an object", "future", "no zone", "the last of two", "many fields", "f long",
        "f many fields",
        "f number", "f text", "f bytes", "f large", "f nan", "h long",
    ):  # fmt: skip
        assert found[name] == 1, name
    assert sum(count for name, count in found.items() if "yesterday, I think" in name or name == "no time") == 1
    assert found["ancient"] == 0, "it is older than records are kept"
    assert health["resident_bytes"] < 1_200_000_000
    pipeline = health["pipeline"]
    sources = {one["type"]: one for one in pipeline["sources"]}
    assert {one["health"] for one in pipeline["sources"]} == {"up"}
    assert sources["tail"]["unread"] > 0
    assert sources["tail"]["fault"]
    assert pipeline["lost"] > 0
    assert pipeline["lost_reason"]


async def _until_open(*ports: int) -> None:
    async with asyncio.timeout(30):
        for port in ports:
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    break

"""Pushes in both encodings become the same records, and each request is stored once."""

import contextlib
import gzip
import json
import zlib
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_platform import NOW, ListPlatform, posted

from eldonia_ops.intake import Fault, IntakeAnswer, IntakeError, TooMuchError
from eldonia_ops.intake.loki import INTAKE
from eldonia_ops.intake.loki.decode import Entry, Stream, decode_push_json, decode_push_protobuf
from eldonia_ops.intake.loki.labels import read_labels
from eldonia_ops.intake.loki.messages import PushRequest
from eldonia_ops.intake.loki.records import push_records
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError

PATH = "/loki/api/v1/push"
names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
pairs = st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=4)
entries = st.lists(
    st.tuples(st.integers(0, 2**62), st.text(st.characters(exclude_categories=["Cs"]), max_size=20), pairs), max_size=4
)
pushes = st.lists(st.tuples(pairs, entries), max_size=3)
Push = list[tuple[dict[str, str], list[tuple[int, str, dict[str, str]]]]]


def as_json(push: Push) -> bytes:
    streams = [
        {"stream": labels, "values": [[str(at), line, metadata] for at, line, metadata in some]}
        for labels, some in push
    ]
    return json.dumps({"streams": streams}).encode()


def as_protobuf(push: Push) -> bytes:
    request = PushRequest()
    for labels, some in push:
        text = ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items())
        stream = request.streams.add(labels=f"{{{text}}}".encode())
        for at, line, metadata in some:
            entry = stream.entries.add(line=line.encode())
            entry.timestamp.seconds, entry.timestamp.nanos = divmod(at, 10**9)
            for name, value in metadata.items():
                entry.structured_metadata.add(name=name.encode(), value=value.encode())
    return request.SerializeToString()


def snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


async def push(platform: ListPlatform, body: bytes, path: str = PATH, **headers: str) -> IntakeAnswer:
    (route,) = [one for one in INTAKE.routes if one.path == path]
    return await route.accept(platform, posted(path, body, None, **headers))


def record(labels: dict[str, str], line: str, **metadata: str) -> LogRecord:
    (found,) = push_records([Stream(labels, [Entry(NOW, line, metadata)])], "loki")
    return found


@given(pushes)
def test_both_encodings_say_the_same(some: Push) -> None:
    expected = [
        Stream(labels, [Entry(at, line, metadata) for at, line, metadata in entries]) for labels, entries in some
    ]
    assert decode_push_json(as_json(some)) == expected
    assert decode_push_protobuf(as_protobuf(some)) == expected


@given(pushes)
def test_every_line_is_a_record_at_its_time(some: Push) -> None:
    found = push_records(decode_push_json(as_json(some)), "loki")
    assert [one.timestamp_ns for one in found] == [at for _, lines in some for at, _, _ in lines]


async def test_a_push_is_stored_once_and_answered_204() -> None:
    platform = ListPlatform()
    body = as_json([({"job": "shop"}, [(NOW, "one", {}), (NOW + 1, "two", {})])])
    for _ in range(2):
        answer = await push(platform, body, content_type="application/json; charset=utf-8")
        assert (answer.status, answer.body) == (204, b"")
    assert platform.messages == ["one", "two"]


@pytest.mark.parametrize(
    ("pack", "headers"),
    [
        (lambda body: body, {"content_type": "application/json"}),
        (gzip.compress, {"content_type": "application/json", "content_encoding": "gzip"}),
        (zlib.compress, {"content_type": "application/json", "content_encoding": "deflate"}),
    ],
)
async def test_json_may_be_packed(pack: Any, headers: dict[str, str]) -> None:
    platform = ListPlatform()
    assert (await push(platform, pack(as_json([({}, [(NOW, "m", {})])])), **headers)).status == 204
    assert platform.messages == ["m"]


@pytest.mark.parametrize("headers", [{}, {"content_type": "application/x-protobuf"}, {"content_encoding": "snappy"}])
async def test_protobuf_is_in_snappy_whatever_the_headers_say(headers: dict[str, str]) -> None:
    platform = ListPlatform()
    assert (await push(platform, snappy(as_protobuf([({"a": "b"}, [(NOW, "m", {})])])), **headers)).status == 204
    assert platform.messages == ["m"]


async def test_the_older_address_and_form_are_taken() -> None:
    platform = ListPlatform()
    body = {
        "streams": [{"labels": '{app="shop"}', "entries": [{"ts": "2026-11-18T08:28:06.801064-04:00", "line": "baz"}]}]
    }
    answer = await push(platform, json.dumps(body).encode(), "/api/prom/push", content_type="application/json")
    assert answer.status == 204
    (found,) = platform.logs.records
    assert (found.message, found.service, found.timestamp_ns % 10**9) == ("baz", "shop", 801_064_000)


async def test_lines_that_are_refused_are_counted_and_the_others_are_stored() -> None:
    platform = ListPlatform()
    body = as_json([({}, [(NOW, "old", {}), (NOW, "new", {}), (NOW, "old", {})])])
    answer = await push(platform, body, content_type="application/json")
    assert (answer.status, answer.body) == (400, b"too old (2 lines refused, 1 stored)\n")
    assert answer.media_type.startswith("text/plain")
    assert platform.counted == {"too old": 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"streams": 1}',
        b'{"streams": [{"stream": {}, "values": [["1"]]}]}',
        b'{"streams": [{"stream": {}, "values": [["x", "m"]]}]}',
        b'{"streams": [{"stream": {}, "values": [["-1", "m"]]}]}',
        b'{"streams": [{"stream": {}, "values": [[true, "m"]]}]}',
        b'{"streams": [{"stream": {}, "values": [["1", "m", []]]}]}',
        b'{"streams": [{"stream": {}, "values": [["' + b"9" * 6_000 + b'", "m"]]}]}',
        b'{"streams": [{"labels": "{a=b}", "entries": []}]}',
        b'{"streams": [{"labels": "{}", "entries": [{"ts": "now", "line": "m"}]}]}',
        b'{"streams": ' + b"[" * 3_000,
        json.dumps({"streams": [{"stream": {f"l{n}": "" for n in range(65)}}]}).encode(),
    ],
)
def test_what_is_no_push_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(IntakeError):
        decode_push_json(body)


async def test_bodies_that_cannot_be_unpacked_are_refused() -> None:
    platform = ListPlatform(unpacked=1_000)
    with pytest.raises(BadEncodingError):
        await push(platform, b"no snappy")
    with pytest.raises(TooLargeError):
        await push(platform, snappy(b"\0" * 100_000))
    with pytest.raises(IntakeError):
        await push(platform, snappy(b"\xff\xff\xff"))
    with pytest.raises(TooMuchError):
        decode_push_protobuf(b"\x0a\x00" * 600_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_push_or_are_refused(body: bytes) -> None:
    for decode in (decode_push_json, decode_push_protobuf):
        with contextlib.suppress(IntakeError):
            push_records(decode(body), "loki")


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("{}", {}),
        (' { a = "b" , c="d" } ', {"a": "b", "c": "d"}),
        (r'{a="q\"\\\n", b=`raw\`}', {"a": 'q"\\\n', "b": "raw\\"}),
        (r'{a="\x41"}', {"a": r"\x41"}),
        ('{__meta.x="}", y="{"}', {"__meta.x": "}", "y": "{"}),
    ],
)
def test_labels(text: str, labels: dict[str, str]) -> None:
    assert read_labels(text) == labels


@pytest.mark.parametrize(
    "text", ["", "{", "a=b", '{a="b"', '{a="b}', '{"a"="b"}', '{a!="b"}', '{a="b" c="d"}', '{a="b"}x']
)
def test_no_labels(text: str) -> None:
    with pytest.raises(IntakeError):
        read_labels(text)


def test_labels_and_metadata_are_fields() -> None:
    found = record(
        {"service_name": "shop", "host": "web-1", "level": "warn", "pod": "a-1", "env": "x"},
        "out of stock",
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    )
    assert (found.service, found.hostname, found.level, found.message) == (
        "shop",
        "web-1",
        LogLevel.WARN,
        "out of stock",
    )
    assert found.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert found.metadata == {"pod": "a-1", "env": "x"}
    assert found.parse_error == ""


@pytest.mark.parametrize("name", ["app", "job", "container", "app_kubernetes_io_name"])
def test_the_service_is_found_where_loki_looks_for_it(name: str) -> None:
    assert record({name: "shop"}, "m").service == "shop"


def test_a_line_in_json_is_read_and_knows_better_than_its_labels() -> None:
    found = record({"job": "shop", "level": "info"}, '{"level":"error","msg":"no","ts":"2020-01-01T00:00:00Z","n":1}')
    assert (found.message, found.level, found.metadata["n"]) == ("no", LogLevel.ERROR, 1)
    assert found.timestamp_ns == NOW


def test_labels_that_would_mean_something_around_a_line_do_not() -> None:
    found = record({"log": "a", "message": "b", "stream": "stderr"}, "the line")
    assert found.message == "the line"
    assert found.metadata == {"label.log": "a", "label.message": "b", "stream": "stderr"}


def test_an_empty_line_is_one() -> None:
    assert record({"job": "a"}, "").message == ""


def test_a_fault_is_a_line_of_text() -> None:
    assert INTAKE.fault({}, Fault(503, "later")).body == b"later\n"

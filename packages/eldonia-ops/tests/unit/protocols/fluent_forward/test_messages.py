"""All modes of messages, written by us and by MessagePack's own library."""

import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import cramjam
import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.fluent_forward import (
    Compression,
    ForwardError,
    ForwardFrames,
    ForwardMessage,
    ForwardTooLargeError,
    Frame,
    decode_ack,
    decode_events,
    decode_message,
    encode_ack,
    encode_event,
    encode_forward,
    encode_message,
    encode_packed,
    pieces,
    plain_record,
)
from eldonia_ops.protocols.fluent_forward.events import time_ns

LONGEST = 1 << 20
NS = 1_000_000_000
RECORD = {"message": "order placed", "n": 7, "deep": {"list": [1, None, True, 1.5]}}
TIMES = st.integers(0, (2**32 - 1) * NS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
EVENTS = st.lists(st.tuples(TIMES, st.dictionaries(st.text(max_size=6), VALUES, max_size=5)), max_size=12)


def pack(value: Any, **options: Any) -> bytes:
    return bytes(msgpack.packb(value, **options))  # pyright: ignore[reportArgumentType]


def message(packed: Any, longest: int = LONGEST) -> ForwardMessage:
    return decode_message(Frame(packed if isinstance(packed, bytes) else pack(packed)), longest)


def events(found: ForwardMessage, most: int = 5_000) -> list[tuple[int, dict[str, Any]]]:
    read = [decode_events(piece) for piece in pieces(found.events, most)]
    return [one for some in read for one in zip(some.times_ns, some.records, strict=True)]


@given(EVENTS, st.text(min_size=1, max_size=20), st.sampled_from(list(Compression)), st.integers(1, 5))
def test_packed_messages_come_back(
    some: list[tuple[int, dict[str, Any]]], tag: str, compression: Compression, most: int
) -> None:
    body = b"".join(encode_event(*one) for one in some)
    found = message(encode_packed(tag, body, count=len(some), chunk="c1", compression=compression))
    assert (found.chunk, found.size) == ("c1", len(some))
    assert events(found, most) == some


@given(EVENTS)
def test_messages_in_forward_mode_come_back(some: list[tuple[int, dict[str, Any]]]) -> None:
    found = message(encode_forward("shop.orders", some, chunk="c2"))
    assert (found.tag, found.chunk, found.size) == ("shop.orders", "c2", len(some))
    assert events(found) == some


@given(TIMES)
def test_messages_in_message_mode_come_back(at: int) -> None:
    found = message(encode_message("a.b", at, RECORD, chunk="c3"))
    assert (found.tag, found.chunk) == ("a.b", "c3")
    assert events(found) == [(at, RECORD)]


def test_a_message_without_options_has_none() -> None:
    assert message(["t", 1, {}]).chunk == ""
    assert message(["t", 1, {}, None]).chunk == ""
    assert message(["t", [[1, {}]]]).size is None


def test_old_clients_pack_events_as_a_text() -> None:
    body = pack([1, {"a": b"\xff"}], use_bin_type=False)
    found = message(pack([b"t", body, {b"chunk": b"x"}], use_bin_type=False))
    assert (found.tag, found.chunk) == ("t", "x")
    assert events(found) == [(NS, {"a": "\ufffd"})]


@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda body: bytes(cramjam.zstd.compress(body))], ids=["gzip", "zstd"]
)
def test_a_chunk_that_is_compressed_as_it_grows_has_many_members(compress: Any) -> None:
    members = b"".join(compress(encode_event(n * NS, {"n": n})) for n in range(2_000))
    name = "gzip" if compress is gzip.compress else "zstd"
    found = message(["t", members, {"compressed": name}])
    assert [record["n"] for _, record in events(found)] == list(range(2_000))


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_what_unpacks_to_too_much_is_refused(name: str) -> None:
    zeros = b"\0" * (64 << 20)
    bomb = zlib.compress(zeros, wbits=31) if name == "gzip" else bytes(cramjam.zstd.compress(zeros))
    with pytest.raises(ForwardTooLargeError):
        message(["t", bomb, {"compressed": name}])


@pytest.mark.parametrize(
    "packed",
    [
        pytest.param([], id="empty"),
        pytest.param(["t"], id="a tag alone"),
        pytest.param([7, 1, {}], id="the tag is a number"),
        pytest.param(["t", 7], id="a time alone"),
        pytest.param(["t", b"", 5], id="the option is no map"),
        pytest.param(["t", b"", {"chunk": ["x"]}], id="the chunk is no text"),
        pytest.param(["t", b"", {"chunk": "x" * 1_000}], id="the chunk is long"),
        pytest.param(["t", b"abc", {"compressed": "gzip"}], id="no gzip"),
        pytest.param(["t", b"abc", {"compressed": "zstd"}], id="no zstd"),
        pytest.param(["t", gzip.compress(b"abc" * 99)[:-9], {"compressed": "gzip"}], id="half a gzip"),
        pytest.param(["t", b"abc", {"compressed": "lz4"}], id="compressed in another way"),
    ],
)
def test_what_is_no_message_is_refused_in_a_sentence_of_ours(packed: Any) -> None:
    with pytest.raises(ForwardError, match="message"):
        message(packed)


@given(st.binary(max_size=200), st.integers(1, 5))
def test_any_events_are_read_as_far_as_they_go(garbage: bytes, most: int) -> None:
    good = encode_event(5 * NS, RECORD)
    found = list(pieces(good + garbage, most))
    read = [decode_events(piece) for piece in found]
    assert events(ForwardMessage("t", good + garbage), most)[0] == (5 * NS, RECORD)
    assert sum(piece.count for piece in found) == sum(len(one.records) + one.refused for one in read)
    assert all(not piece.broken for piece in found[:-1])
    if not found[-1].broken:
        assert b"".join(piece.events for piece in found) == good + garbage


@pytest.mark.parametrize(
    ("bad", "kept"),
    [
        pytest.param(b"\x92\x01\x81\xa1a\xa2\xff\xfe", {"a": "\ufffd\ufffd"}, id="invalid UTF-8"),
        pytest.param(b"\x92\x01\x81\x01\x02", {"1": 2}, id="a key that is a number"),
        pytest.param(b"\x92\x01\x81\xc4\x01a\x02", {"a": 2}, id="a key that is bytes"),
        pytest.param(b"\x92\x01\x05", None, id="a record that is a number"),
        pytest.param(b"\x05", None, id="no pair"),
    ],
)
def test_a_bad_event_does_not_touch_its_neighbours(bad: bytes, kept: Any) -> None:
    good = encode_event(NS, RECORD)
    (piece,) = pieces(good + bad + good, 10)
    found = decode_events(piece)
    assert list(found.records) == [RECORD, *([] if kept is None else [kept]), RECORD]
    assert found.refused == (kept is None)


@pytest.mark.parametrize("depth", [40, 500, 990, 1_010])
def test_a_deep_record_is_cut_off_and_does_not_touch_its_neighbours(depth: int) -> None:
    good = encode_event(NS, {"a": 1})
    bad = b"\x92\x01\x82\xa1a" + b"\x91" * depth + b"\xc0" + b"\xa1b\x05"
    (piece,) = pieces(good + bad + good, 10)
    found = decode_events(piece)
    assert [found.records[0], found.records[2]] == [{"a": 1}] * 2
    assert found.records[1]["b"] == 5


@pytest.mark.parametrize(
    ("stated", "ns"),
    [
        (1_700_000_000, 1_700_000_000 * NS),
        (1_700_000_000.5, 1_700_000_000 * NS + NS // 2),
        (msgspec.msgpack.Ext(0, b"\0\0\0\x01\0\0\0\x02"), NS + 2),
        (msgspec.msgpack.Ext(1, b"\0\0\0\x01\0\0\0\x02"), 0),
        (msgspec.msgpack.Ext(0, b"\0"), 0),
        ([msgspec.msgpack.Ext(0, b"\0\0\0\x01\0\0\0\x02"), {"meta": 1}], NS + 2),
        (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), NS),
        (True, 0),
        ("now", 0),
        (-1, 0),
        (2**63, 0),
        (float("nan"), 0),
        (float("inf"), 0),
        ([[[1]]], 0),
        (None, 0),
    ],
)
def test_times(stated: Any, ns: int) -> None:
    assert time_ns(stated) == ns


def test_a_record_becomes_one_of_json() -> None:
    record = {
        "bytes": b"a\xff",
        "event time": msgspec.msgpack.Ext(0, b"\0\0\0\x01\0\0\0\0"),
        "extension": msgspec.msgpack.Ext(7, b"\x01\x02"),
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "inner": [{b"k": b"v", 1: (2,)}],
    }
    plain = plain_record(record)
    assert plain == {
        "bytes": "a\ufffd",
        "event time": 1.0,
        "extension": "0102",
        "time": "2026-01-01T00:00:00+00:00",
        "inner": [{"k": "v", "1": [2]}],
    }
    json.dumps(plain)


def test_messages_in_json_are_read_like_the_others() -> None:
    stream = b'["t",1700000000,{"a":[1,"\\ud83d\\ude00"]},{"chunk":"c"}]\n["t",[[1,{"a":1}],[2,{"a":2}]]]'
    first, second = [decode_message(frame, LONGEST) for frame in ForwardFrames(LONGEST).feed(stream)]
    assert (first.chunk, first.text, events(first)) == ("c", True, [(1_700_000_000 * NS, {"a": [1, "😀"]})])
    assert events(second) == [(NS, {"a": 1}), (2 * NS, {"a": 2})]


@pytest.mark.parametrize(
    "text", [b'["t",1,{"a":}]', b"[" * 100 + b"]" * 100, b'["t",1,{"a":1e999999}]', b'["t",1,{"a":%s}]' % (b"9" * 400)]
)
def test_a_message_that_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ForwardError, match="JSON"):
        decode_message(Frame(text, text=True), LONGEST)


@pytest.mark.parametrize("text", [b'["t",1,{"a":"\\ud800"}]', b'["t",1,{"a":"\xff"}]'])
def test_what_is_no_text_in_json_is_replaced(text: bytes) -> None:
    assert events(decode_message(Frame(text, text=True), LONGEST)) == [(NS, {"a": "\ufffd"})]


def test_receipts() -> None:
    assert msgpack.unpackb(encode_ack("p8n9gmxTQVC8/nh2wlKKeQ==")) == {"ack": "p8n9gmxTQVC8/nh2wlKKeQ=="}
    assert json.loads(encode_ack("x", text=True)) == {"ack": "x"}
    assert decode_ack(encode_ack("x")) == "x"
    for wrong in (b"", b"\x01", b"\x80", b"\xc1"):
        with pytest.raises(ForwardError):
            decode_ack(wrong)


@pytest.mark.parametrize("item", [b"\x80", b"\x90", b"\xa2ab"])
def test_an_event_in_which_each_byte_is_a_value_is_refused_before_it_is_built(item: bytes) -> None:
    # 29 kB packed were 4.3 GB in memory.
    bomb = b"\x92\x01\x81\xa1a\xdd" + (200_000).to_bytes(4, "big") + item * 200_000
    good = encode_event(1, RECORD)
    (piece,) = pieces(good + bomb + good, 5_000)
    found = decode_events(piece)
    assert found.refused == 1
    assert list(found.records) == [RECORD, RECORD]


def test_an_event_with_a_long_text_and_one_with_ten_thousand_fields_are_read() -> None:
    wide: dict[str, Any] = {f"field{n}": n for n in range(10_000)}
    (piece,) = pieces(encode_event(1, {"log": "x" * (1 << 20)}) + encode_event(1, wide), 5_000)
    found = decode_events(piece)
    assert not found.refused
    assert found.records[1] == wide


def test_a_piece_of_large_events_is_no_longer_than_memory_is_had_for() -> None:
    event = encode_event(1, {"log": "x" * 90_000})
    found = list(pieces(event * 100, 5_000))
    assert sum(piece.count for piece in found) == 100
    assert max(len(piece.events) for piece in found) <= (2 << 20) + len(event)


def test_a_long_option_is_refused_before_it_is_built() -> None:
    option = b"\x81\xa1a\xdd" + (70_000).to_bytes(4, "big") + b"\x80" * 70_000
    with pytest.raises(ForwardError, match="option"):
        decode_message(Frame(b"\x93\xa1t\x90" + option), LONGEST)

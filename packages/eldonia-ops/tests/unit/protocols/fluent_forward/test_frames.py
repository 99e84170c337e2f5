"""Messages come out of a stream however it is cut, and what is none ends it."""

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.fluent_forward.errors import ForwardError, ForwardTooLargeError
from eldonia_ops.protocols.fluent_forward.frames import ForwardFrames, Frame

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
MESSAGES = st.lists(st.lists(VALUES, min_size=1, max_size=20), max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=50)


def pack(value: Any, **options: Any) -> bytes:
    return bytes(msgpack.packb(value, **options))  # pyright: ignore[reportArgumentType]


def cut(stream: bytes, sizes: list[int]) -> list[bytes]:
    parts: list[bytes] = []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        parts.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    return parts


def fed(parts: list[bytes], longest: int = 1 << 20) -> list[Frame]:
    frames = ForwardFrames(longest)
    return [one for part in parts for one in frames.feed(part)]


@given(MESSAGES, CUTS)
def test_messages_in_messagepack_come_out_however_the_stream_is_cut(messages: list[Any], sizes: list[int]) -> None:
    packed = [pack(one) for one in messages]
    assert fed(cut(b"".join(packed), sizes)) == [Frame(one) for one in packed]


@given(MESSAGES, CUTS)
def test_heartbeats_between_messages_are_passed_over(messages: list[Any], sizes: list[int]) -> None:
    packed = [pack(one) for one in messages]
    assert fed(cut(b"\xc0".join([b"", *packed, b""]), sizes)) == [Frame(one) for one in packed]


@given(st.lists(st.lists(JSON_VALUES, min_size=1, max_size=5), max_size=6), CUTS, st.sampled_from(["", "\n", " \r\n"]))
def test_messages_in_json_come_out_however_the_stream_is_cut(
    messages: list[Any], sizes: list[int], between: str
) -> None:
    texts = [json.dumps(one, ensure_ascii=False).encode() for one in messages]
    assert fed(cut(between.encode().join(texts), sizes)) == [Frame(one, text=True) for one in texts]


@given(st.binary(max_size=400), CUTS)
def test_any_bytes_end_in_frames_or_in_an_error(garbage: bytes, sizes: list[int]) -> None:
    try:
        found = fed(cut(garbage, sizes), longest=200)
    except ForwardError:
        return
    assert all(len(one.body) <= 200 for one in found)


def test_messages_before_garbage_come_out() -> None:
    good = pack(["a", 1, {}])
    found: list[Frame] = []
    with pytest.raises(ForwardError, match="no array"):
        found.extend(ForwardFrames(1 << 20).feed(good + b"\x01"))
    assert found == [Frame(good)]


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(b"\x92\xa1t\xc6\xff\xff\xff\xff", id="4 GiB of events"),
        pytest.param(b"\x92\xdb\xff\xff\xff\xff", id="4 GiB of tag"),
        pytest.param(b"\x92\xa1t\xdd\xff\xff\xff\xff" + b"\xc0" * 2_000, id="4 billion events"),
        pytest.param(b"\x92\xa1t" + b"\x91" * 100_000, id="nesting"),
        pytest.param(b"\xdd\xff\xff\xff\xff" * 2_000, id="arrays of arrays"),
        pytest.param(b"\x91\xc1", id="a byte that is never used"),
        pytest.param(b'["t",' + b"[" * 2_000, id="nesting in JSON"),
        pytest.param(b'["t",1,{"a":"' + b"\\" * 4_000, id="a text in JSON that does not end"),
    ],
)
def test_a_bomb_is_refused_before_it_is_built(bomb: bytes) -> None:
    with pytest.raises(ForwardError):
        fed([bomb], longest=1_000)


def test_a_message_may_be_as_long_as_it_may_be_and_no_longer() -> None:
    message = pack(["t", b"x" * 1_000, {}])
    assert fed([message], longest=len(message)) == [Frame(message)]
    with pytest.raises(ForwardTooLargeError):
        fed(cut(message, [50]), longest=len(message) - 1)


def test_a_text_in_json_with_brackets_and_escapes_is_one() -> None:
    text = rb'["t",1,{"a":"]}\\\"[{","b":["\\"]}]'
    for size in range(1, len(text)):
        assert fed(cut(text * 3, [size])) == [Frame(text, text=True)] * 3

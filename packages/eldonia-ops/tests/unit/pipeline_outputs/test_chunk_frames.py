"""The bytes of chunk files: what is torn or broken takes nothing else along."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.chunk_keys import ChunkKey
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline_outputs.chunk_frames import (
    BrokenChunkError,
    encode_events,
    events_of,
    frame,
    head_frame,
    payload_of,
    read_frames,
)

CHUNK = Chunk("0" * 32, ChunkKey(60, "t", ("x",)), 5)
PAYLOADS = st.lists(
    st.integers(1, 5).map(lambda n: payload_of("t", encode_events([Event(n, {"n": n})] * n))), max_size=5
)


def file_of(payloads: list[bytes]) -> bytes:
    return head_frame(CHUNK) + b"".join(frame(payload, 1) for payload in payloads)


@given(PAYLOADS)
def test_what_was_written_is_read(payloads: list[bytes]) -> None:
    found = read_frames(file_of(payloads))
    assert list(found.payloads) == payloads
    assert (found.chunk.id, found.chunk.key, found.chunk.created_ms) == (CHUNK.id, CHUNK.key, 5)
    assert (found.broken, found.good_end) == (0, len(file_of(payloads)))


@given(PAYLOADS, st.data())
def test_a_torn_end_is_left_out(payloads: list[bytes], data: st.DataObject) -> None:
    whole = file_of(payloads)
    end = data.draw(st.integers(len(head_frame(CHUNK)), len(whole)))
    found = read_frames(whole[:end])
    kept = len(found.payloads)
    assert list(found.payloads) == payloads[:kept]
    assert found.good_end == len(file_of(payloads[:kept])) <= end
    assert kept == len(payloads) or len(file_of(payloads[: kept + 1])) > end
    # What the file system did not write yet may be zeros.
    assert read_frames(whole[:end] + b"\0" * 50).payloads == found.payloads


@given(st.integers(2, 5), st.data())
def test_one_broken_frame_leaves_the_others(count: int, data: st.DataObject) -> None:
    payloads = [payload_of("t", encode_events([Event(n, {"n": n})])) for n in range(count)]
    whole = bytearray(file_of(payloads))
    broken = data.draw(st.integers(0, count - 2))  # not the last: that would be a torn end
    begin = len(file_of(payloads[:broken]))
    at = data.draw(st.integers(begin, len(file_of(payloads[: broken + 1])) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    found = read_frames(bytes(whole))
    assert [payload for payload in payloads if payload in found.payloads] == payloads[:broken] + payloads[broken + 1 :]
    assert found.broken >= 1


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"x" * 100, head_frame(CHUNK)[:-1], frame(b'{"version":9}', 0), frame(b"[]", 0)]
)
def test_a_broken_head_is_said(data: bytes) -> None:
    with pytest.raises(BrokenChunkError):
        read_frames(data)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        read_frames(head_frame(CHUNK) + data)
        read_frames(data)
    except BrokenChunkError:
        pass


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text(),
    st.lists(st.builds(Event, st.integers(0, 2**62), st.dictionaries(st.text(), VALUES, max_size=3)), max_size=20),
)
def test_events_come_back(tag: str, events: list[Event]) -> None:
    assert events_of(payload_of(tag, encode_events(events))) == Batch(tag, tuple(events))


def test_what_messagepack_lacks_becomes_text() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"a": deep}
    odd = {"big": 2**80, "half": "\ud800", "deep": deep, "set": {1}}
    (event,) = events_of(payload_of("t", encode_events([Event(1, odd)]))).events
    assert event.record["big"] == str(2**80)
    assert event.record["half"] == "?"

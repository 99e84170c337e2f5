"""Which chunk an event belongs to, and placeholders."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import (
    ChunkKey,
    ChunkKeys,
    Placeholders,
    key_document,
    key_of_document,
    pieces_of,
    unknown_placeholders,
)
from eldonia_ops.pipeline.event import Batch, Event

NS = 1_000_000_000
DAY = BufferSettings(chunk_keys=("tag", "time", "$.k.app"), timekey_ms=86_400_000, timekey_zone="Asia/Tokyo")


def test_events_are_grouped_by_tag_time_and_fields() -> None:
    events = [
        Event(at * NS, {"k": {"app": app}}) for at, app in ((54_000, "x"), (53_999, "x"), (54_001, "y"), (54_002, "x"))
    ]
    groups = ChunkKeys(DAY).group(Batch("t.a", tuple(events)))
    assert groups == {
        ChunkKey(54_000, "t.a", ("x",)): [events[0], events[3]],
        ChunkKey(54_000 - 86_400, "t.a", ("x",)): [events[1]],
        ChunkKey(54_000, "t.a", ("y",)): [events[2]],
    }


def test_placeholders() -> None:
    key = ChunkKey(54_000, "t.a.b", ("shop",))
    text = Placeholders("/x/${tag}/${tag[0]}/${tag[-1]}/${tag[9]}/${$.k.app}/%Y%m%d/${chunk_id}/${other}", DAY)
    assert text.expand(key, "c0") == "/x/t.a.b/t/b//shop/19700102/c0/${other}"
    assert Placeholders("100%", DAY).expand(key) == "100%"


def test_placeholders_need_their_chunk_keys() -> None:
    assert unknown_placeholders("${tag}.${$.k.app}.%Y", DAY) == []
    plain = BufferSettings()
    assert unknown_placeholders("${tag[1]}", plain) == ["${tag[1]} needs tag as a chunk key: <buffer tag>"]
    assert unknown_placeholders("%Y", plain) == ["%Y needs time as a chunk key: <buffer time> and timekey"]
    assert unknown_placeholders("${app}", DAY)[0].startswith(
        "${app} needs app as a chunk key: <buffer tag,time,$.k.app,app>"
    )


@given(st.lists(st.integers(0, 50), max_size=30), st.integers(1, 100))
def test_pieces_are_within_their_bound_and_leave_nothing_out(sizes: list[int], most: int) -> None:
    pieces = pieces_of(sizes, most)
    assert [size for first, end in pieces for size in sizes[first:end]] == sizes
    assert all(sum(sizes[first:end]) <= most or end == first + 1 for first, end in pieces)


@given(st.builds(ChunkKey, st.integers(-1, 2**40), st.text(), st.lists(st.text()).map(tuple)))
def test_keys_are_documents(key: ChunkKey) -> None:
    assert key_of_document(key_document(key)) == key

"""Points in time and scrolls alone: what their ids say, when they expire, and what is none."""

import base64
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.query.cursors import (
    Scroll,
    keep_alive,
    opened,
    read_point,
    read_scroll,
    scroll_id,
)
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.meant import EVERYTHING, Meant

NOW = 1_795_478_400 * 10**9
MS = NOW // 1_000_000


@pytest.mark.parametrize(
    ("text", "ms"), [("5m", 300_000), ("1s", 1_000), ("30ms", 30), ("1d", 86_400_000), ("9nanos", 0)]
)
def test_how_long_it_is_kept(text: str, ms: int) -> None:
    assert keep_alive(text) == ms


@pytest.mark.parametrize("text", ["", "5", "m", "-1m", "1.5h", "2d", "9999999999s", None, {}, "٣m"])
def test_what_is_no_duration(text: Any) -> None:
    with pytest.raises(DslError):
        keep_alive(text)


NAMES = st.lists(st.text(max_size=9), min_size=1, max_size=3).map(tuple)
FILTERS = st.lists(st.dictionaries(st.text(max_size=5), st.integers()), max_size=2).map(tuple)
MEANT = st.builds(Meant, st.none() | st.lists(st.tuples(NAMES, FILTERS), max_size=3).map(tuple), st.text(max_size=5))


@given(MEANT, st.integers(0, 2**63 - 1), st.integers(0, 86_400_000))
def test_a_point_says_everything_itself(meant: Meant, last: int, keep: int) -> None:
    point = opened(meant, last, keep, NOW)
    assert read_point({"id": point.id}, NOW) == point
    assert (point.meant, point.last_id, point.until_ms) == (meant, last, MS + keep)


def test_a_point_expires_and_is_kept_longer() -> None:
    point = opened(EVERYTHING, 5, 1_000, NOW)
    later = NOW + 2 * 10**9
    with pytest.raises(DslError) as error:
        read_point({"id": point.id}, later)
    assert (error.value.status, error.value.type) == (404, "search_context_missing_exception")
    longer = read_point({"id": point.id, "keep_alive": "1m"}, NOW + 10**9)
    assert (longer.last_id, longer.until_ms) == (5, MS + 61_000)
    assert read_point({"id": longer.id}, later) == longer


@given(
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5)),
    st.lists(st.integers() | st.text(max_size=5)),
)
def test_a_scroll_says_everything_itself(body: dict[str, Any], after: list[Any]) -> None:
    scroll = Scroll(Meant(((("a", "b"), ()),)), body, {"size": "5"}, 7, 60_000, MS + 60_000, after, 12)
    assert read_scroll(scroll_id(scroll), NOW) == scroll
    with pytest.raises(DslError, match="No search context"):
        read_scroll(scroll_id(scroll), NOW + 61 * 10**9)


def packed(value: Any) -> str:
    return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(value))).decode()


@pytest.mark.parametrize(
    "id",
    [
        "",
        "x",
        "===",
        "e30=",
        packed({}),
        packed(["p", 1, 2, 3]),
        packed(["s", "a"]),
        packed(["p", "a", 1, 2]),
        packed(["p", [None, "logs"], 1, "x"]),
        packed(["p", [[["a"]], "logs"], 1, 2]),
        packed(["p", [[[["a"], 5]], "logs"], 1, 2]),
        packed(["s", "a", {}, {}, 1, 2, 2**60, None, 0]),
        packed("p" * 2_000_000),
    ],
)
def test_what_is_no_cursor(id: str) -> None:
    for read in (lambda: read_point({"id": id}, NOW), lambda: read_scroll(id, NOW)):
        with pytest.raises(DslError, match="invalid id"):
            read()


@given(st.text(max_size=50) | st.binary(max_size=50).map(lambda data: base64.urlsafe_b64encode(data).decode()))
def test_no_text_breaks_it(id: str) -> None:
    with pytest.raises(DslError):
        read_scroll(id, NOW)

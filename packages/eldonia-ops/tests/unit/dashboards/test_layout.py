"""Panels on the grid: they flow, never overlap, and close gaps upwards."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.dashboards.document import Grid
from eldonia_ops.dashboards.layout import Box, flowed, moved, overlapping, packed

widths = st.integers(1, 24)
boxes = st.lists(
    st.builds(
        lambda w, x, y, h: Box(min(x, 24 - w), y, w, h),
        widths,
        st.integers(0, 23),
        st.integers(0, 30),
        st.integers(1, 9),
    ),
    max_size=12,
)


@given(boxes)
@settings(max_examples=60, deadline=None)
def test_packed_boxes_touch_what_is_above_and_overlap_nothing(given_boxes: list[Box]) -> None:
    found = packed(given_boxes)
    assert not overlapping(found)
    assert [(one.x, one.w, one.h) for one in found] == [(one.x, one.w, one.h) for one in given_boxes]
    for one in found:
        above = Box(one.x, one.y - 1, one.w, 1)
        assert one.y == 0 or any(above.overlaps(other) for other in found)
    assert packed(found) == found


@given(boxes.filter(bool), st.data())
@settings(max_examples=60, deadline=None)
def test_a_moved_box_goes_before_others_at_its_height(given_boxes: list[Box], data: st.DataObject) -> None:
    start = packed(given_boxes)
    index = data.draw(st.integers(0, len(start) - 1))
    target = Box(data.draw(st.integers(-3, 30)), data.draw(st.integers(-3, 40)), start[index].w, start[index].h)
    found = moved(start, index, target)
    assert not overlapping(found)
    assert found[index].x == max(0, min(target.x, 24 - target.w))
    assert found[index].y == 0 or target.y > 0


@given(st.lists(st.builds(Grid, x=st.none(), y=st.none(), w=widths, h=st.integers(1, 9)), max_size=12))
@settings(max_examples=60, deadline=None)
def test_panels_without_a_place_flow_without_overlaps(sizes: list[Grid]) -> None:
    found = flowed(sizes)
    assert not overlapping(found)
    assert all(one.x + one.w <= 24 for one in found)


def test_panels_flow_from_left_to_right_around_those_that_have_a_place() -> None:
    sizes = [Grid(w=8, h=4), Grid(w=8, h=6), Grid(w=12, h=4), Grid(x=0, y=0, w=4, h=2)]
    assert [(one.x, one.y) for one in flowed(sizes)] == [(4, 0), (12, 0), (0, 6), (0, 0)]


def test_overlaps_are_pairs() -> None:
    assert overlapping([Box(0, 0, 4, 4), Box(3, 3, 4, 4), Box(0, 4, 3, 4)]) == [(0, 1)]

"""Repeated panels and rows, as they are drawn."""

from eldonia_ops.dashboards.layout import box_of, overlapping
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.dashboards.repeat import sections
from eldonia_ops.dashboards.selection import Selection

THREE = {"v": Selection(values=("p", "q", "r"), several=True, text="P + Q + R")}


def drawn(panels: list, chosen: dict = THREE) -> list:
    found = sections(read_dashboard({"title": "t", "panels": panels}), chosen)
    for one in found:
        assert not overlapping([box_of(panel.grid) for panel in one.panels])
    return found


def test_copies_fill_the_width_and_push_down_what_is_below() -> None:
    (section,) = drawn(
        [
            {"id": 1, "grid": {"x": 0, "y": 0, "w": 24, "h": 4}, "repeat": {"variable": "v", "max_per_row": 2}},
            {"id": 2, "grid": {"x": 0, "y": 4, "w": 24, "h": 4}},
        ]
    )
    places = {one.key: (one.grid.x, one.grid.y, one.grid.w) for one in section.panels}
    assert places == {"1:p": (0, 0, 12), "1:q": (12, 0, 12), "1:r": (0, 4, 12), "2": (0, 8, 24)}
    assert section.panels[1].selections == {"v": Selection(values=("q",), several=True, text="Q")}


def test_copies_side_by_side_get_lines_of_their_own() -> None:
    (section,) = drawn(
        [
            {"id": 1, "grid": {"w": 8}},
            {"id": 2, "grid": {"w": 8}, "repeat": {"variable": "v"}},
            {"id": 3, "grid": {"w": 8}},
        ]
    )
    assert {one.grid.y for one in section.panels if one.id == 2} == {8}


def test_downwards() -> None:
    (section,) = drawn([{"id": 1, "grid": {"w": 6, "h": 3}, "repeat": {"variable": "v", "direction": "vertical"}}])
    assert [(one.grid.x, one.grid.y, one.grid.w) for one in section.panels] == [(0, 0, 6), (0, 3, 6), (0, 6, 6)]


def test_a_row_is_repeated_with_its_panels() -> None:
    found = drawn([{"id": 9, "type": "row", "repeat": {"variable": "v"}, "panels": [{"id": 1}, {"id": 2}]}])
    assert [one.row.key for one in found if one.row] == ["9:p", "9:q", "9:r"]
    assert [one.key for one in found[1].panels] == ["9:q/1", "9:q/2"]
    assert found[1].panels[0].selections["v"].values == ("q",)


def test_without_values_there_is_one() -> None:
    (section,) = drawn([{"id": 1, "repeat": {"variable": "v"}}], {})
    assert [one.key for one in section.panels] == ["1"]


def test_there_is_an_end_to_copies() -> None:
    many = dict.fromkeys("vw", Selection(values=tuple(map(str, range(5_000))), several=True))
    assert len(drawn([{"repeat": {"variable": "v"}}], many)[0].panels) == 100
    rows = drawn([{"type": "row", "repeat": {"variable": "v"}, "panels": [{"repeat": {"variable": "w"}}]}], many)
    assert sum(len(one.panels) for one in rows) == 1_000

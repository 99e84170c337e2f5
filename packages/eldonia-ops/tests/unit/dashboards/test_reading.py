"""Documents are read whole: what is wrong is named with its place, what is left out is filled in."""

import pytest
from dashboard_documents import documents
from hypothesis import given, settings

from eldonia_ops.dashboards.document import Annotation
from eldonia_ops.dashboards.faults import DashboardError
from eldonia_ops.dashboards.reading import Written, read_dashboard, read_leniently, read_part, to_plain


def faults(data: object) -> list[tuple[str, str]]:
    with pytest.raises(DashboardError) as caught:
        read_dashboard(data)
    return [(one.place, one.message) for one in caught.value.faults]


@given(documents())
@settings(max_examples=25, deadline=None)
def test_what_the_types_allow_is_read_and_written_again(data: dict) -> None:
    found = read_dashboard(data)
    assert read_dashboard(to_plain(found)) == found


def test_all_faults_are_found_in_one_reading() -> None:
    assert faults(
        {
            "uid": "a b",
            "titel": 1,
            "title": 5,
            "panels": [
                {
                    "type": "stats",
                    "grid": {"x": 30},
                    "queries": [{"exp": 1}],
                    "transformations": [{"type": "organise"}],
                },
                3,
                {"options": {"fill": 101, "legend": {"calcs": "max"}}, "decimals": 1.5, "min": True},
            ],
        }
    ) == [
        ("uid", "uid cannot be 'a b'"),
        ("titel", "unknown key 'titel' in a dashboard"),
        ("title", "title must be a text, not 5"),
        ("panels[0].type", "type cannot be 'stats'"),
        ("panels[0].grid.x", "x is out of bounds: 30"),
        ("panels[0].queries[0].exp", "unknown key 'exp' in queries[0]"),
        ("panels[0].transformations[0].type", "type cannot be 'organise'"),
        ("panels[1]", "panels[1] must be a mapping, not 3"),
        ("panels[2].options.fill", "fill is out of bounds: 101"),
        ("panels[2].options.legend.calcs", "calcs must be a list, not 'max'"),
        ("panels[2].decimals", "decimals must be a whole number, not 1.5"),
        ("panels[2].min", "min must be a number, not True"),
    ]


@pytest.mark.parametrize("data", [None, 3, "x", [], {}, {"panels": []}])
def test_what_is_no_dashboard_is_refused(data: object) -> None:
    assert faults(data)


@pytest.mark.parametrize(
    ("panels", "place"),
    [
        ([{"id": 1}, {"id": 1}], "panels[1].id"),
        ([{"type": "row"}, {}], "panels[1]"),
        ([{"type": "row", "panels": [{"type": "row"}]}], "panels[0].panels[0].type"),
        ([{"panels": [{}]}], "panels[0].panels"),
        ([{"queries": [{"ref": "A"}, {"ref": "A"}]}], "panels[0].queries[1].ref"),
        ([{"queries": [{"interval": "soon"}]}], "panels[0].queries[0].interval"),
        ([{"grid": {"x": 20, "w": 12}}], "panels[0].grid"),
    ],
)
def test_parts_have_to_go_together(panels: list, place: str) -> None:
    assert [one for one, _ in faults({"title": "t", "panels": panels})] == [place]


def test_what_is_left_out_is_filled_in() -> None:
    found = read_dashboard(
        {
            "title": "t",
            "panels": [
                {"id": 2, "queries": [{"expr": "a"}, {"ref": "A"}, {}], "grid": {"w": 16}},
                {"grid": {"w": 16}},
                {"type": "row", "panels": [{}]},
            ],
        },
        "file-name",
    )
    first, second, row = found.panels
    assert found.uid == "file-name"
    assert [first.id, second.id, row.id, row.panels[0].id] == [2, 1, 3, 4]
    assert [one.ref for one in first.queries] == ["B", "A", "C"]
    assert (second.grid.x, second.grid.y, row.panels[0].grid.y) == (0, 8, 0)


def test_a_word_of_the_api_is_no_uid() -> None:
    assert faults({"uid": "query", "title": "t"}) == [("uid", "uid cannot be 'query'")]


def test_numbers_of_a_file_are_texts_as_they_were_written() -> None:
    found = read_dashboard({"title": Written(1.1, "1.10"), "refresh": "30s", "tags": [Written(True, "yes")]})
    assert (found.title, found.tags) == ("1.10", ("yes",))


def test_reading_leniently_leaves_out_what_is_wrong() -> None:
    found, left_out = read_leniently({"title": "t", "panels": [{"unit": 3, "title": "x"}], "nope": 1})
    assert found is not None
    assert found.panels[0].title == "x"
    assert [one.place for one in left_out] == ["panels[0].unit", "nope"]


def test_hostile_depth_and_size_are_faults() -> None:
    deep: dict = {}
    for _ in range(40):
        deep = {"type": "row", "panels": [deep]}
    assert faults({"title": "t", "panels": [deep]})
    assert faults({"title": "t", "tags": ["x"] * 51})
    assert faults({"title": "t" * 300_000})
    assert len(faults({"title": "t", "panels": [{"unit": 1}] * 499})) == 200


def test_a_part_is_read_alone() -> None:
    assert read_part({"name": "d", "source": "deploys"}, Annotation).source == "deploys"
    with pytest.raises(DashboardError, match=r"annotations\[3\].source"):
        read_part({"name": "d", "source": "x"}, Annotation, ("annotations", 3))

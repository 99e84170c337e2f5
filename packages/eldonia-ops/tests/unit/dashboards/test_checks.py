"""What is doubtful is named with its place, and what is right is not."""

import pytest

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.model.errors import Level

VARIABLES = [
    {"name": "i", "query": "label_values(up, instance)", "multi": True},
    {"name": "n", "type": "custom", "options": ["5", "10"]},
    {"name": "m", "query": "metrics(x.*)"},
]


def found(panel: dict, **more: object) -> list[tuple[str, str, int]]:
    dashboard = read_dashboard({"title": "t", "variables": VARIABLES, "panels": [panel], **more})
    result = doubts(dashboard)
    assert all(one.level is Level.WARNING for one in result)
    return [(one.place, one.message, one.position) for one in result]


@pytest.mark.parametrize(
    "expr",
    [
        'rate(up{i=~"$i"}[$__rate_interval])',
        "topk($n, up)",
        "$m{a='b'} / ${m:raw}",
        "sum by ($i) (up)",
        "max_over_time(up[${n}m:])",
        "histogram_quantile($n / 100, sum by (le) (rate(${m}_bucket[5m])))",
        "up offset ${n}m",
    ],
)
def test_variables_may_be_anywhere(expr: str) -> None:
    assert found({"queries": [{"expr": expr}]}) == []


def test_faults_of_expressions_have_their_place_in_what_was_written() -> None:
    expr = 'sum(rate(up{i=~"$i"}[$__interval]) by (x)'
    assert found({"queries": [{"expr": expr}]}) == [
        (
            "panels[0].queries[0].expr",
            'this is not PromQL: unexpected identifier "by" in aggregation, expected "," or ")"',
            expr.index("by"),
        )
    ]


def test_other_doubts() -> None:
    assert [place for place, _, _ in found({"unit": "Bps", "title": "x"})] == ["panels[0].unit"]
    assert [place for place, _, _ in found({"repeat": {"variable": "x"}})] == ["panels[0].repeat.variable"]
    assert found({"queries": [{"expr": "up{a='$nope'}"}]})[0][1:] == ("there is no variable nope", 6)
    assert [place for place, _, _ in found({"thresholds": {"steps": [{"color": "greenish"}]}})] == [
        "panels[0].thresholds.steps[0].color"
    ]
    assert found({"queries": [{"expr": "a:(b", "language": "logs"}]})[0][0] == "panels[0].queries[0].expr"
    assert [place for place, _, _ in found({"overrides": [{"match": {"name": "a", "ref": "A"}}]})] == [
        "panels[0].overrides[0].match"
    ]


def test_doubts_about_variables() -> None:
    def places(*variables: dict) -> list[str]:
        dashboard = read_dashboard({"title": "t", "variables": list(variables)})
        return [f"{one.place}: {one.message}" for one in doubts(dashboard)]

    assert places({"name": "a", "query": "$b"}, {"name": "b", "query": "$a"})[0].startswith(
        "variables[0]: variables use"
    )
    assert places({"name": "a", "query": "label_values(up{, x)"})[0].startswith("variables[0].query: not a selector")
    assert places({"name": "a", "query": "label_values(x)", "regex": "/(?=a)/"})[0].startswith("variables[0].regex")
    assert places({"name": "a", "type": "custom"}) == ["variables[0].options: the variable a has no options"]


def test_panels_that_overlap() -> None:
    dashboard = read_dashboard(
        {
            "title": "t",
            "panels": [{"grid": {"x": 0, "y": 0}}, {"grid": {"x": 6, "y": 4}}, {"grid": {"x": 12, "y": 0, "h": 4}}],
        }
    )
    assert [one.place for one in doubts(dashboard)] == ["panels[1].grid"]

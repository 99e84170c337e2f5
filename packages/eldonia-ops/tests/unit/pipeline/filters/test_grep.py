"""Events that may pass."""

import pytest
from fluent_conf import filtered, made, texts

RECORDS = [
    {"m": "error x", "level": "error"},
    {"m": "fine", "level": "info"},
    {"level": "error"},
    {"m": {"deep": "error"}},
]


def regexp(key: str, pattern: str, name: str = "regexp") -> str:
    return f"<{name}>\nkey {key}\npattern {pattern}\n</{name}>\n"


@pytest.mark.parametrize(
    ("text", "passing"),
    [
        (regexp("m", "/error/"), [0, 3]),
        (regexp("$.m.deep", "/error/"), [3]),
        (regexp("m", "/error/") + regexp("level", "/error/"), [0]),
        (regexp("m", "/error/", "exclude"), [1, 2]),
        (regexp("m", "/fine/", "exclude") + regexp("level", "/info/", "exclude"), [0, 2, 3]),
        ("<or>\n" + regexp("m", "/fine/") + regexp("level", "/error/") + "</or>", [0, 1, 2]),
        ("<and>\n" + regexp("m", "/error/", "exclude") + regexp("level", "/error/", "exclude") + "</and>", [1, 2, 3]),
        ("<and>\n" + regexp("m", "/error/") + regexp("level", "/error/") + "</and>", [0]),
        ("regexp1 m error", [0, 3]),
        ("regexp1 m ^error\nexclude1 level info", [0]),
        ("exclude1 level /ERROR/i", [1, 3]),
        (regexp("gone", "/^$/"), [0, 1, 2, 3]),
    ],
)
def test_conditions(text: str, passing: list[int]):
    found = filtered(f"@type grep\n{text}", *RECORDS)
    assert found == [RECORDS[place] for place in passing]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "2: grep has no condition: it lets everything pass"),
        ("regexp1 m", "3: regexp1 needs a field and an expression"),
        (regexp("m", "/(?=x)/"), "5: pattern: looking ahead (?=…) is not supported: it takes more than linear time"),
        (
            regexp("m", r"/(a)\1/"),
            r"5: pattern: references back (\1) are not supported: they take more than linear time",
        ),
        (regexp("m", "/a/") + regexp("m", "/b/"), "9: the field m is named twice"),
        (
            "<and>\n" + regexp("m", "/a/") + regexp("n", "/b/", "exclude") + "</and>",
            "3: <and> has both <regexp> and <exclude>",
        ),
        (regexp("$.", "/a/"), "5: pattern: $. is no path of fields: write $.a.b or $['a']['b']"),
    ],
)
def test_faults(text: str, problem: str):
    found, problems = made(f"@type grep\n{text}")
    assert found is None
    assert problem.split(": ", 1)[1] in [one.split(": ", 1)[1] for one in texts(problems)]

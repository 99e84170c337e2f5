"""Typed access to sections."""

import pytest
from fluent_conf import read, texts

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.section import UNREADABLE, Parameter, Section, SectionReader


def reader(text: str) -> SectionReader:
    root, problems = read(f"<s>\n{text}\n</s>")
    return SectionReader(root.sections[0], problems)


def typed(**values: object) -> SectionReader:
    """A section as YAML gives it."""
    problems: list[Diagnostic] = []
    return SectionReader(Section("s", "", {key: Parameter(key, value) for key, value in values.items()}), problems)


@pytest.mark.parametrize(
    ("written", "value"),
    [("true", True), ("yes", True), ("", True), ("false", False), ("no", False), ("# x", True)],
)
def test_booleans(written: str, value: bool):
    assert reader(f"a {written}").boolean("a", not value) is value


@pytest.mark.parametrize(
    ("written", "value"),
    [("8", 8), ("8k", 8_192), ("8M", 8 << 20), ("32MB", 32 << 20), ("1g", 1 << 30), ("4KB", 4_096)],
)
def test_sizes(written: str, value: int):
    found = reader(f"a {written}")
    assert found.size("a", 1) == value
    assert found.problems == []


@pytest.mark.parametrize(("written", "value"), [("5", 5), ("5s", 5), ("1.5m", 90), ("2h", 7_200), ("1d", 86_400)])
def test_seconds(written: str, value: float):
    assert reader(f"a {written}").seconds("a", 1) == value


def test_lists_and_mappings():
    found = reader('a x, y\nb ["x", 1, true]\nc k:v, l:w\nd {"k": {"l": 1}}')
    assert found.texts("a") == ("x", "y")
    assert found.texts("b") == ("x", "1", "true")
    assert found.mapping("c") == {"k": "v", "l": "w"}
    assert found.mapping("d") == {"k": {"l": 1}}
    assert found.texts("e", ("z",)) == ("z",)
    assert found.mapping("f") == {}


def test_values_of_yaml_have_types():
    found = typed(a=True, b=5, c=["x", 1], d={"k": "v"}, e=1.5, f=["x"])
    assert found.boolean("a", False) is True
    assert (found.integer("b", 0), found.string("b")) == (5, "5")
    assert found.texts("c") == ("x", "1")
    assert found.mapping("d") == {"k": "v"}
    assert found.number("e", 0) == 1.5
    assert found.string("f") == '["x"]'


def test_a_mapping_that_yaml_made_a_section():
    section = Section("s", "", {}, (Section("headers", "", {"k": Parameter("k", "v")}),))
    found = SectionReader(section, [])
    assert found.mapping("headers") == {"k": "v"}
    found.finish()
    assert found.problems == []


def test_faults_have_their_lines_and_the_default_counts():
    found = reader("a maybe\nb x\nc -1\nd [1\ne z")
    assert found.boolean("a", True) is True
    assert found.integer("b", 3) == 3
    assert found.integer("c", 4, minimum=0) == 4
    assert found.choice("e", ("x", "y"), "x") == "x"
    assert found.string("gone", required=True) == ""
    assert texts(found.problems) == [
        "5: the JSON array that begins here has no end",
        "2: a must be true or false, not 'maybe'",
        "3: b must be a whole number, not 'x'",
        "4: c must be at least 0, not -1",
        "6: e must be one of x, y, not 'z'",
        "1: <s> of type ? needs gone",
    ]


def test_one_that_cannot_be_read_is_not_missing():
    found = typed(a=UNREADABLE)
    assert found.string("a", "x", required=True) == "x"
    assert found.problems == []


def test_what_nothing_asks_for_is_named():
    found = reader("pathh x\n<inner>\n</inner>\n<parse>\n</parse>")
    found.string("path")
    found.sections("parse")
    found.finish()
    assert [(one.message, one.level) for one in found.problems] == [
        ("s has no parameter pathh: it is ignored", Level.WARNING),
        ("s has no section <inner>: it is ignored", Level.WARNING),
    ]
    assert found.problems[0].hint == "did you mean 'path'?"


def test_the_last_of_several_sections_counts():
    found = reader("<parse>\na 1\n</parse>\n<parse>\na 2\n</parse>")
    section = found.one_section("parse")
    assert section is not None
    assert section.parameters["a"].value == "2"
    assert texts(found.problems) == ["5: <parse> is written 2 times: the last one counts"]

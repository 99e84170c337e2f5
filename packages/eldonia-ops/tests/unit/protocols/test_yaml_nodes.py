import contextlib
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.protocols import yaml_nodes
from eldonia_ops.protocols.yaml_document import MappingReader, Problems
from eldonia_ops.protocols.yaml_nodes import YamlNode, compose


def root(text: str) -> YamlNode:
    node, warnings = compose(text, "f.yml")
    assert node is not None
    assert warnings == []
    return node


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        compose(text, "f.yml")
    [item] = caught.value.diagnostics
    return str(item)


def test_plain_values_follow_yaml_1_1_where_prometheus_does() -> None:
    text = "{a: yes, b: 'yes', c: 0x10, d: 1.5, e: null, f: [on], g: !!str 5, h: 0123, i: ~, j: '', k: -.inf, l: 1_000}"
    assert root(text).plain() == {
        **{"a": True, "b": "yes", "c": 16, "d": 1.5, "e": None, "f": [True], "g": "5", "h": "0123"},
        **{"i": None, "j": "", "k": float("-inf"), "l": 1000},
    }
    assert root("a: " + "9" * 5_000).plain() == {"a": "9" * 5_000}  # more digits than Python makes a number of


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("- &a {x: 1, y: 2}\n- {<<: *a, y: 3}", [{"x": 1, "y": 2}, {"x": 1, "y": 3}]),
        ("- &a {x: 1}\n- &b {x: 2, z: 3}\n- {<<: [*a, *b]}", [{"x": 1}, {"x": 2, "z": 3}, {"x": 1, "z": 3}]),
        ("- &a {x: 1}\n- &b {<<: *a, y: 2}\n- <<: *b\n  z: 3", [{"x": 1}, {"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}]),
        ("{<<: {x: 1}, y: 2}", {"x": 1, "y": 2}),
        ("{'<<': 1}", {"<<": 1}),
    ],
)
def test_merge_keys_fill_in_what_a_mapping_lacks(text: str, plain: object) -> None:
    assert root(text).plain() == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x [*x]", "f.yml:1:8: error: the alias 'x' is inside what it names"),
        ("a: *b", "f.yml:1:4: error: not valid YAML: no anchor is called 'b'"),
        ("a: 1\n<<: 2", "f.yml:2:1: error: '<<' takes a mapping or a list of mappings, not '2'"),
        ("{<<: {}, <<: {}}", "f.yml:1:10: error: '<<' occurs twice in one mapping"),
        ("[" * 200, "f.yml:1:129: error: nested deeper than 128 levels"),
        ("\n".join(f"{'  ' * n}a:" for n in range(200)), "f.yml:129:257: error: nested deeper than 128 levels"),
        ("a: b\nc: \x00", "f.yml:2:4: error: not valid YAML: the character U+0000 is not allowed in it"),
        ("a: b\n\x1b", "f.yml:2:1: error: not valid YAML: the character U+001B is not allowed in it"),
        ("a:\n  'b': '" + "x" * 300_000 + "'", "f.yml:2:8: error: a text longer than 262,144 characters"),
        ("a:\n  ? " + "k" * 2_000 + "\n  : v", "f.yml:2:5: error: a key longer than 1,024 characters"),
        ("\ta: 1", "f.yml:1:1: error: not valid YAML: found character that cannot start any token (indent with spaces"),
        ('a: "\\ud800"', "f.yml:1:7: error: not valid YAML: found invalid Unicode character escape code"),
    ],
)
def test_what_is_refused_names_its_place(text: str, expected: str) -> None:
    assert fault(text).startswith(expected)


def test_the_sum_of_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_nodes, "MAX_NODES", 100)
    assert fault("a:\n" + "- x\n" * 200) == "f.yml:99:3: error: more than 100 values in one file"
    assert fault("x" * (yaml_nodes.MAX_BYTES + 1)) == f"f.yml: error: larger than {yaml_nodes.MAX_BYTES} bytes"


def test_aliases_that_multiply_are_refused_before_they_do() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    found = fault("\n".join(lines))
    assert found.startswith("f.yml:6:")
    assert "expand to more than 500,000 values" in found


def test_merges_that_multiply_are_refused_too() -> None:
    big = "a: &a {" + ", ".join(f"k{n}: x" for n in range(1_000)) + "}\n"
    assert "expand to more than 500,000" in fault(big + "b:\n" + "- {<<: *a}\n" * 600)


def test_aliases_cannot_pile_up_depth() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300)]
    assert "nested deeper than 128 levels" in fault("\n".join(lines))


def test_a_second_document_is_left_with_a_warning() -> None:
    for rest in ("---\nb: 2", "--- x", "---\n[broken"):
        node, warnings = compose(f"a: 1\n{rest}\n", "f.yml")
        assert node is not None
        assert node.plain() == {"a": 1}
        [warning] = warnings
        assert warning.level is Level.WARNING
        assert warning.line >= 2
    assert compose("---\n---\na: 1", "f.yml")[0] is None
    assert compose("--- {a: 1}\n...\n", "f.yml")[1] == []


@pytest.mark.parametrize("text", ["", "\n# only words\n", "---\n", "~", "\ufeff"])
def test_an_empty_document_is_none(text: str) -> None:
    assert compose(text, "f.yml") == (None, [])


def test_places_are_those_of_the_text_itself() -> None:
    node = root("a: &x 'one'\nb: !!str\n  two\nc: *x\nd: |\n  x\n  y\ne: é z  # end\n")
    places = {key.text: (value.line, value.column, value.end_line, value.end_column) for key, value in node.pairs}
    assert places == {
        "a": (1, 7, 1, 12),
        "b": (3, 3, 3, 6),
        "c": (1, 7, 1, 12),
        "d": (5, 4, 8, 1),
        "e": (8, 4, 8, 7),
    }


def test_the_parser_written_in_python_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x {b: 'c'}\nd: |\n  e\nf: [*x, ~, 5]\ng: >-\n  h\n  i\n"
    fast = [(item.line, item.column, item.end_line, item.text) for item in root(text).walk()]
    monkeypatch.setattr(yaml_nodes.yaml, "__with_libyaml__", False)
    assert [(item.line, item.column, item.end_line, item.text) for item in root(text).walk()] == fast


def test_a_nul_written_as_an_escape_reaches_no_label() -> None:
    problems = Problems("f.yml")
    reader = MappingReader(root(r'{a: "x\0y", b: ["\0"], c: {k: "\0"}}'), problems, "the file")
    assert (reader.string("a"), reader.strings("b"), reader.string_map("c")) == ("xy", ("",), {"k": ""})
    assert [item.message for item in problems.diagnostics] == [
        "a holds a NUL character",
        "b holds a NUL character",
        "c.k holds a NUL character",
    ]


def test_keys_that_stand_twice_or_are_no_texts() -> None:
    problems = Problems("f.yml")
    reader = MappingReader(root("labels: {a: 1, a: 2, [x]: 3}\n? {b: c}\n: d\n"), problems, "the file")
    reader.string_map("labels")
    reader.done()
    assert [item.message for item in problems.diagnostics] == [
        "a key of the file must be a text, not a mapping",
        "a occurs twice in labels",
        "a key of labels must be a text, not a list",
    ]


def calls(work: Callable[[], object]) -> int:
    """How many functions were called, of Python's and of C's: a measure that no busy machine changes."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "piece",
    [
        "- {{name: g{0}, rules: [{{record: a, expr: up}}]}}\n",
        "- &a{0} {{x: 1}}\n- {{<<: *a{0}, y: 2}}\n",
        "- a: &b{0} !!str x\n  c: *b{0}\n",
        "- |\n  text\n\n- 'quoted'\n",
    ],
)
def test_large_files_take_work_in_proportion(piece: str) -> None:
    def work(count: int) -> int:
        text = "groups:\n" + "".join(piece.format(number) for number in range(count))
        return calls(lambda: root(text))

    work(10)
    assert work(2_000) < 11 * work(200)  # quadratic work makes it 100


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!<>|%@`'\"#, \n\t\0~?x\ufeff\u2028é"), max_size=60))
def test_any_text_is_a_document_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        node, _ = compose(text, "f.yml")
        if node is not None:
            node.plain()

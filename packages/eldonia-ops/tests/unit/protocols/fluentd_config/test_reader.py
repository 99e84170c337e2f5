"""``fluent.conf`` to sections."""

import pytest
from fluent_conf import read, sections, texts, values
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.pipeline.section import UNREADABLE


def test_sections_arguments_parameters_and_their_lines():
    (source, match) = sections(
        """# a comment
<source> # top
  @type tail
  path /var/log/*.log   # with a comment
  read_from_head
  <parse>
    @type json
  </parse>
</source>

<match app.** {a,b}.c>
  @type null
</match>
"""
    )
    assert (source.name, source.type, source.place.line) == ("source", "tail", 2)
    assert values(source) == {"@type": "tail", "path": "/var/log/*.log", "read_from_head": ""}
    assert source.parameters["path"].place.line == 4
    assert (source.sections[0].name, source.sections[0].type, source.sections[0].place.line) == ("parse", "json", 6)
    assert (match.argument, match.place.line) == ("app.** {a,b}.c", 11)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("'text'     # text", "text"),
        (r"'\''", "'"),
        (r"'\\'", "\\"),
        (r"'\t'", r"\t"),
        ("'#t'", "#t"),
        ("'#{test}'", "#{test}"),
        (r'"\""', '"'),
        (r'"\t"', "\t"),
        (r'"\["', "["),
        (r'"\#{test}"', "#{test}"),
        ('"a # b" # c', "a # b"),
        ("a#b # c", "a#b"),
        ("#t    # a value that begins so is no comment", "#t"),
        (r"\\[", r"\\["),
        (r"\[(?<time>[^\]]*)\] (?<message>.*)    # x", r"\[(?<time>[^\]]*)\] (?<message>.*)"),
        ("/a  b/", "/a  b/"),
        ('["a", "b"]', '["a","b"]'),
        ('{"a": {"b": [1, 2]}} # c', '{"a":{"b":[1,2]}}'),
        ('["a", # first\n  "b" # second\n]', '["a","b"]'),
        ('"two\\\n  words"', "two  words"),
        ('"two\nlines"', "two\nlines"),
        ('{"a": "#{ENV[\'X\']}"}', '{"a":"x\\"y"}'),
    ],
)
def test_values(written: str, value: str):
    (section,) = sections(f"<s>\nkey {written}\nlast 1\n</s>\n", env={"X": 'x"y'})
    assert values(section) == {"key": value, "last": "1"}


def test_carriage_returns_and_a_byte_order_mark():
    (section,) = sections("\ufeff<s>\r\n  a 1\r\n  b 2 # c\r\n</s>\r\n")
    assert values(section) == {"a": "1", "b": "2"}


def test_every_fault_is_found_with_its_line():
    root, problems = read(
        """<source>
  a "no end
</source>
"""
    )
    assert texts(problems)[0] == '2: the text that begins with " has no " at its end'
    root, problems = read(
        """<source>
  a 'one
  b "\\q"
  c [1, 2
  d "#{Dir.pwd}"
  e good
  f "x" y
</source>
<match x
  @type null
</match>
</nothing>
"""
    )
    assert texts(problems) == [
        "2: the text that begins with ' has no ' at its end",
        '3: "…" has no escape \\q',
        "4: the JSON array that begins here has no end",
        "5: Ruby is not run here: #{Dir.pwd}",
        "7: the value of f has ended, and its line goes on",
        "9: <match has no >",
        "11: </match> ends nothing",
        "12: </nothing> ends nothing",
    ]
    assert all(one.file == "/etc/fluent.conf" for one in problems)
    assert root.sections[0].parameters["e"].value == "good"
    assert root.sections[0].parameters["a"].value is UNREADABLE


def test_end_tags_that_do_not_fit():
    _, problems = read("<a>\n<b>\nx 1\n</a>\n")
    assert texts(problems) == ["4: </a> comes before </b>"]
    _, problems = read("<a>\n<b>\n</b>\n")
    assert texts(problems) == ["1: <a> has no </a>"]


def test_a_parameter_twice_and_one_that_is_reserved():
    root, problems = read("<match **>\n@type null\n@foo 1\npath a\npath b\n</match>\n")
    assert texts(problems) == [
        "3: there is no parameter @foo: names with @ are reserved",
        "5: path is written twice: this one counts, not that of /etc/fluent.conf:4",
    ]
    assert root.sections[0].parameters["path"].value == "b"


def test_ruby_without_quotation_marks_is_named():
    _, problems = read("<match **>\nhost #{ENV['H']}\n</match>\n")
    assert texts(problems) == [
        "2: #{…} in host is taken as it is written: it has a meaning only between quotation marks"
    ]
    assert problems[0].hint == "write host \"#{ENV['H']}\""


def test_use_nil_and_use_default():
    (section,) = sections('<s>\na "#{ENV[\'X\'] || use_default}"\nb "#{use_nil}"\n</s>')
    assert values(section) == {"b": None}


def test_include():
    found = sections(
        "@include conf.d/*.conf\n<match **>\n  @include null.inc\n</match>\n",
        files={
            "/etc/conf.d/b.conf": "<source>\n@type b\n@include ../deep.conf\n</source>",
            "/etc/conf.d/a.conf": "<source>\n@type a\n</source>",
            "/etc/deep.conf": "x 1",
            "/etc/null.inc": "@type null\n",
        },
    )
    assert [(one.name, one.type, one.place.file) for one in found] == [
        ("source", "a", "/etc/conf.d/a.conf"),
        ("source", "b", "/etc/conf.d/b.conf"),
        ("match", "null", "/etc/fluent.conf"),
    ]
    assert found[1].parameters["x"].place.file == "/etc/deep.conf"


def test_include_of_itself_of_nothing_and_of_the_web():
    files = {"/etc/a.conf": "@include b.conf\n", "/etc/b.conf": "\n@include a.conf\n", "/etc/fluent.conf": ""}
    _, problems = read("@include a.conf\n@include gone.conf\n@include http://x/y\n@include\n", files=files)
    assert [(one.file, one.line, one.message) for one in problems] == [
        ("/etc/b.conf", 2, "@include a.conf: /etc/a.conf includes itself"),
        ("/etc/fluent.conf", 2, "@include gone.conf: there is no such file, so nothing is included"),
        ("/etc/fluent.conf", 3, "@include http://x/y: only files are read"),
        ("/etc/fluent.conf", 4, "@include needs the path of a file"),
    ]


def test_what_is_no_utf8_is_named_and_read():
    root, problems = read(b"<s>\nbad \xff\n</s>")
    assert texts(problems) == ["2: not UTF-8 from here on"]
    assert root.sections[0].parameters["bad"].value == "\ufffd"


def test_nesting_is_bounded():
    _, problems = read("<a>\n" * 60)
    assert "51: sections are nested deeper than 50 levels" in texts(problems)


_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=30)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("#{", "\\#{") + '"'


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> tuple[str, str, dict[str, str], list]:
    parameters = draw(st.dictionaries(_NAMES, _TEXTS, max_size=4))
    inner = draw(st.lists(trees(depth=depth - 1), max_size=2)) if depth else []
    return (
        draw(_NAMES),
        draw(st.from_regex(r"([a-z0-9.*{},]{1,12}( [a-z.]{1,5})?)?", fullmatch=True)),
        parameters,
        inner,
    )


def _written(tree, indent: str = "") -> str:
    name, argument, parameters, inner = tree
    lines = [f"{indent}<{name} {argument}>" if argument else f"{indent}<{name}>  # comment"]
    lines += [f"{indent}  {key} {_quoted(value)}   # {key}" for key, value in parameters.items()]
    lines += [_written(one, indent + "  ") for one in inner]
    return "\n".join([*lines, f"{indent}</{name}>"])


def _as_tree(section):
    return (section.name, section.argument, values(section), [_as_tree(one) for one in section.sections])


@given(st.lists(trees(), max_size=3))
def test_what_is_written_is_read(found):
    names = {key for tree in found for key in tree[2]}
    root, problems = read("\n".join(_written(tree) for tree in found))
    assert problems == [], names
    assert [_as_tree(section) for section in root.sections] == found


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_exception(text: str):
    read(text.encode("utf-8", "replace"))


@given(
    st.lists(st.sampled_from(["<a>", "</a>", "<b x>", "</b>", "k v", "k", '"', "'", "[", "#{", "}", "\n", " ", "\\"]))
)
def test_any_pieces_are_read_without_an_exception(pieces: list[str]):
    read("".join(pieces))


def test_variables_that_are_not_set_are_named():
    text = "<s>\na \"#{ENV['X']}\"\nb \"x#{ENV['X']}y\"\nc \"#{ENV['X'] || use_nil}\"\nd \"#{ENV['X'] || 'e'}\"\n</s>"
    root, problems = read(text.encode())
    assert values(root.sections[0]) == {"a": None, "b": "xy", "c": None, "d": "e"}
    assert texts(problems) == ["2: X is not set: a counts as not written"]

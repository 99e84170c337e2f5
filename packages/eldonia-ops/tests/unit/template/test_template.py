import contextlib
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eldonia_ops.template import QuerySample, RenderLimits, TemplateError, TemplateSet, literals, parse, rule_template

PIECES = st.sampled_from(
    ["{{", "}}", "{{- ", " -}}", ".", ".A", "$x", ":=", "=", "|", "(", ")", '"s"', "`r`", "'c'", "1", "-2.5", "if ",
     "else ", "end", "range ", "with ", "define ", "template ", "block ", "break", "/*", "*/", " ", "\n", "len", "nil",
     "true", ",", "é", "\\", '"', "$", "printf "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=25).map("".join))
@settings(max_examples=300, deadline=None)
@example("{{" * 500)
@example("{{" + "(" * 5_000)
@example("{{if 1}}" * 2_000)
@example("{{if 1}}" + "{{else if 1}}" * 2_000 + "{{end}}")
def test_any_text_parses_or_is_refused_with_a_place(text):
    try:
        template = parse(text)
    except TemplateError as error:
        if error.line < 1 or error.column < 1:
            pytest.fail("the error has no place")
        return
    with contextlib.suppress(TemplateError):
        template.execute({"A": [1, "x", None]}, limits=RenderLimits(output=10_000, steps=2_000, depth=10))


@given(st.text(max_size=80).filter(lambda text: "{{" not in text))
def test_text_without_actions_is_copied(text):
    assert parse(text).execute(None) == text


def test_error_names_line_and_column():
    with pytest.raises(TemplateError) as caught:
        parse("first\nsecond {{ .X | toUper }}", "file.tmpl")
    assert (caught.value.line, caught.value.column) == (2, 16)
    assert "did you mean 'toUpper'?" in caught.value.message
    assert str(caught.value).startswith("file.tmpl:2:16: ")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ('{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}', "deep"),
        ("{{ range 1000000000 }}{{ end }}", "steps"),
        ('{{ $x := "ab" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}', "longer"),
        ("{{ range 100000 }}xxxxxxxxxxxxxxx{{ end }}", "longer"),
        ('{{ printf "%999999999d" 1 }}', "width"),
        # What a function makes is paid for by all that it holds, and so is what is printed.
        ('{{ $x := list "a" }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}', "steps"),
        ('{{ $x := dict "a" "b" }}{{ range 60 }}{{ $x = dict "a" $x "b" $x }}{{ end }}{{ $x }}', "steps"),
        ('{{ $x := list "a" }}{{ range 100000 }}{{ $x = append $x "b" }}{{ end }}', "steps"),
        ('{{ $x := printf "%9999s" "a" }}{{ range 100000 }}{{ $y := toUpper $x }}{{ end }}', "steps"),
        (
            '{{ $x := list "a" }}{{ range 15 }}{{ $x = list $x $x }}{{ end }}{{ range 99 }}{{ toJson $x }}{{ end }}',
            "steps",
        ),
    ],
)
def test_limits_stop_runaway_templates(text, limit):
    with pytest.raises(TemplateError, match=limit):
        parse(text).execute({})


def test_only_declared_names_of_objects_are_reachable():
    sample = QuerySample({"a": "b"}, 1)
    assert parse("{{ .Value }}").execute(sample) == "1"
    for name in ("value", "__class__", "labels", "go_names"):
        with pytest.raises(TemplateError):
            parse("{{ ." + name + " }}").execute(sample)
    with pytest.raises(TemplateError):
        parse("{{ .upper }}").execute("text")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("{{ $value }}", 0.1 + 0.2, "0.30000000000000004"),
        ("{{ $value }}", 1e6, "1e+06"),
        ("{{ $value }}", float("nan"), "NaN"),
        ("{{ $value | humanize }}", 1_234_567, "1.235M"),
        ("{{ $value | humanize }}", 0.001234, "1.234m"),
        ("{{ $value | humanize }}", 0, "0"),
        ("{{ $value | humanize1024 }}", 1_048_576, "1Mi"),
        ("{{ $value | humanizeDuration }}", 93_784, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 59.5, "59.5s"),
        ("{{ $value | humanizeDuration }}", 0.0125, "12.5ms"),
        ("{{ $value | humanizeDuration }}", -61, "-1m 1s"),
        ("{{ $value | humanizePercentage }}", 0.1234567, "12.35%"),
        ("{{ $value | humanizeTimestamp }}", 1_767_323_045.678, "2026-01-02 03:04:05.678 +0000 UTC"),
        ('{{ printf "%.2f" $value }}', 12.345, "12.35"),
        ("{{ if gt $value 90.0 }}high{{ else }}low{{ end }}", 95, "high"),
        ("{{ $labels.instance | stripPort }}", 0, "web.example.org"),
        ("{{ $labels.instance | stripDomain }}", 0, "web:9100"),
        ("[{{ $labels.missing }}]", 0, "[]"),
        ("{{ .Labels.job }}={{ .Value }}", 2, "api=2"),
        ("{{ $externalLabels.site }}{{ $externalURL }}{{ externalURL }}", 0, "tokyohttp://x/ophttp://x/op"),
        ("{{ pathPrefix }}", 0, "/op"),
        ('{{ reReplaceAll "(.*):.*" "host=$1" $labels.instance }}', 0, "host=web.example.org"),
        ('{{ reReplaceAll "x*" "-" "abc" }}', 0, "-a-b-c-"),
        ('{{ match "^a.i$" $labels.job }}', 0, "true"),
        ('{{ title "hello big-world" }}', 0, "Hello Big-World"),
        ('{{ parseDuration "1h30m" }}', 0, "5400"),
        ('{{ tableLink "up == 0" }}', 0, "/graph?g0.expr=up+%3D%3D+0&g0.tab=1"),
        ('{{ with query "up" }}{{ . | first | value }}{{ end }}', 0, "2"),
        ('{{ range query "up" | sortByLabel "i" }}{{ .Labels.i }}{{ label "i" . }} {{ end }}', 0, "aa bb "),
    ],
)
def test_rule_templates(text, value, expected):
    rendered = rule_template(text).render(
        {"instance": "web.example.org:9100", "job": "api"},
        float(value),
        external_labels={"site": "tokyo"},
        external_url="http://x/op",
        query=lambda expression: [QuerySample({"i": "b"}, 2), QuerySample({"i": "a"}, 3)],
    )
    assert rendered == expected


def test_rule_template_refuses_unknown_variables_at_once():
    with pytest.raises(TemplateError, match=r"undefined variable '\$vale'.*did you mean '\$value'"):
        rule_template("{{ $vale }}")


def test_a_set_shares_definitions_and_the_last_one_wins():
    templates = TemplateSet()
    templates.add('{{ define "a" }}one{{ end }}{{ define "b" }}{{ template "a" . }}!{{ end }}', "1.tmpl")
    templates.add('{{ define "a" }}two {{ .x }}{{ end }}{{ define "b" }}  {{ end }}', "2.tmpl")
    assert templates.expand('{{ template "b" . }}', {"x": "y"}) == "two y!"
    assert templates.expand("plain", None) == "plain"


def test_a_set_reports_what_is_not_defined():
    templates = TemplateSet()
    templates.add('{{ define "slack.title" }}\n {{ template "nowhere" . }}{{ end }}', "t.tmpl")
    assert [(item.line, item.file) for item in templates.diagnostics()] == [(2, "t.tmpl")]
    [(message, line, column)] = templates.check('x {{ template "slack.titel" . }}')
    assert "did you mean 'slack.title'?" in message
    assert (line, column) == (1, 6)
    assert templates.check("{{ .x }") == [("unexpected character '}' in action", 1, 7)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('no {{ $value }} and "query"', []),
        ('{{ query "up" | first | value }}', ["up"]),
        (
            '{{ `a` | query }}{{ with query "b" }}{{ range query `c` }}{{ end }}{{ else }}{{ query "d" }}{{ end }}',
            list("abcd"),
        ),
        ('{{ if eq (query "a" | first | value) 1.0 }}{{ end }}{{ (query "b").X }}', ["a", "b"]),
        ('{{ define "x" }}{{ query "a" }}{{ end }}{{ template "x" (query "b") }}', ["a", "b"]),
        ('{{ printf "up{i=%q}" $labels.i | query | first | value }}', [None]),
        ('{{ query (printf "%s" .Labels.i) }}{{ first query }}{{ query "a" "b" }}', [None, None, None]),
    ],
)
def test_a_rule_template_knows_the_queries_that_it_asks(text, expected):
    calls = rule_template(text).queries
    assert [call.literal.value if call.literal else None for call in calls] == expected
    assert all(text[call.offset :].startswith("query") for call in calls)


@pytest.mark.parametrize("literal", ['"a\\"b\\u00e9c\\\\d"', "`a\\b\rc`", '"plain"', '""'])
def test_every_character_of_a_literal_has_its_place(literal):
    value = literals.unquote(literal)
    for position, character in enumerate(value):
        rest = literal[literals.place(literal, position) : -1]
        assert literals.unquote(literal[0] + rest + literal[-1])[0] == character
    assert literals.place(literal, len(value)) == len(literal) - 1


def doubled(text: str, times: int) -> str:
    return f'{{{{ $s := "{text}" }}}}' + "{{ $s = print $s $s }}" * times


@pytest.mark.parametrize(
    "text",
    [
        doubled("%[1]10000d", 14) + "{{ printf $s 1 }}",
        doubled("%[1]*d", 14) + "{{ printf $s 10000 1 }}",
        doubled("%s", 12) + doubled("x", 13).replace("$s", "$t") + "{{ printf $s " + "$t " * 200 + "}}",
        doubled("x", 18) + '{{ join $s (stringSlice "a" "a" "a" "a" "a" "a" "a") }}',
        doubled("$0", 12) + doubled("x", 18).replace("$s", "$t") + '{{ reReplaceAll "(?s).*" $s $t }}',
        doubled("x", 15) + doubled("y", 15).replace("$s", "$t") + '{{ reReplaceAll "" $s $t }}',
        '{{ printf "%10000v" (list ' + "1 " * 2_000 + ") }}",
    ],
)
def test_a_function_that_would_make_gigabytes_is_stopped_before_it_has(text: str) -> None:
    tracemalloc.start()
    with pytest.raises(TemplateError, match=r"would be longer than 1000000 characters|made a text longer than"):
        TemplateSet().expand(text, None)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 40 << 20


def test_variables_are_limited_since_each_use_looks_for_its_own() -> None:
    text = "".join(f"{{{{ $a{number} := 1 }}}}" for number in range(600))
    with pytest.raises(TemplateError, match="more than 500 variables"):
        parse(text)
    few = "".join(f"{{{{ $a{number} := 1 }}}}" for number in range(400))
    assert TemplateSet().expand(few + "{{ $a0 }}", None) == "1"
    with pytest.raises(TemplateError, match="steps"):
        TemplateSet().expand(few + "{{ $a0 }}" * 20_000, None)

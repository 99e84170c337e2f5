import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.promql import ParseError, format_expr, parse, parse_selector, scale_durations
from eldonia_ops.promql.ast import Aggregate, Binary, Call, MatrixSelector, NumberLiteral, Unary, VectorSelector


def test_every_node_knows_its_place():
    query = 'sum by (job) (rate(http_requests_total{code="5"}[5m] offset 1m)) > 0.5'
    tree = parse(query)
    assert isinstance(tree, Binary)
    assert query[tree.start : tree.end] == query
    assert isinstance(tree.left, Aggregate)
    assert query[tree.left.start : tree.left.end] == query[: query.index(" > ")]
    call = tree.left.expr
    assert isinstance(call, Call)
    assert query[call.start : call.end] == 'rate(http_requests_total{code="5"}[5m] offset 1m)'
    matrix = call.args[0]
    assert isinstance(matrix, MatrixSelector)
    assert query[matrix.start : matrix.end] == 'http_requests_total{code="5"}[5m] offset 1m'
    assert (matrix.range, matrix.selector.offset) == (300_000, 60_000)


@pytest.mark.parametrize(
    ("query", "printed"),
    [
        ("-2 ^ 2", "-2 ^ 2"),
        ("1 + 2 * 3", "1 + 2 * 3"),
        ("a ^ b ^ c", "a ^ b ^ c"),
        ("SUM(foo) BY (job,)", "sum by (job) (foo)"),
        ("foo[90s:]", "foo[1m30s:]"),
        ("foo @ start() offset -5m", "foo @ start() offset -5m"),
        ('{"my.metric", a="b"}', '{"my.metric",a="b"}'),
        ("a / on(x) group_left(y) b", "a / on (x) group_left (y) b"),
        ("a + fill(0) b", "a + fill (0) b"),
        ("topk(3, foo)", "topk(3, foo)"),
        ('foo{bar=~"a|b", baz!=""}', 'foo{bar=~"a|b",baz!=""}'),
        ("rate(foo[step()+1m])", "rate(foo[step() + 60])"),
        ("foo and on() bar or baz unless qux", "foo and on () bar or baz unless qux"),
        ("1h30m", "5400"),
        ("rate(foo[5m] smoothed)", "rate(foo[5m] smoothed)"),
        ("0x1F", "31"),
    ],
)
def test_prints_one_spelling_that_means_the_same(query, printed):
    tree = parse(query)
    assert format_expr(tree) == printed
    assert parse(printed) == tree


def test_unary_minus_binds_less_than_power():
    tree = parse("-a ^ 2")
    assert isinstance(tree, Unary)
    assert isinstance(tree.expr, Binary)


@pytest.mark.parametrize(
    ("query", "place", "message"),
    [
        ("", (1, 1), "no expression found in input"),
        ("sum(", (1, 5), "unexpected end of input"),
        ("foo{bar}", (1, 8), 'unexpected "}" in label matching, expected label matching operator'),
        ("rate(foo)", (1, 6), 'expected type range vector in call to function "rate", got instant vector'),
        ("foo[5m] offset 1m offset 2m", (1, 19), "offset may not be set multiple times"),
        ("ratee(foo[5m])", (1, 1), "unknown function with name \"ratee\", did you mean 'rate'?"),
        ("1 > 2", (1, 3), "comparisons between scalars must use BOOL modifier"),
        ("foo + bool bar", (1, 5), "bool modifier can only be used on comparison operators"),
        ('{a=~".*"}', (1, 1), "vector selector must contain at least one non-empty matcher"),
        ('foo{__name__="bar"}', (1, 1), 'metric name must not be set twice: "foo" or "bar"'),
        ("foo{a=~'('}", (1, 8), "bad regular expression"),
        ("sum(foo) by (job", (1, 17), "unexpected end of input in grouping opts"),
        ("foo and\non(a) group_left bar", (2, 7), 'no grouping allowed for "and" operation'),
        ("foo[0s]", (1, 5), "duration must be greater than 0"),
        ("5mm", (1, 1), 'bad number or duration syntax: "5mm"'),
        ("'abc", (1, 1), "unterminated quoted string"),
        ("foo $ bar", (1, 5), "unexpected character: '$'"),
        ("topk(foo)", (1, 1), "wrong number of arguments for aggregate expression provided, expected 2, got 1"),
        ("rate(foo[5m],)", (1, 13), "trailing commas not allowed"),
        ("1 and foo", (1, 3), 'set operator "and" not allowed in binary scalar expression'),
        ("deriv(foo[5m] smoothed)", (1, 7), "smoothed modifier can only be used with: delta, increase, rate"),
    ],
)
def test_errors_name_their_place(query, place, message):
    with pytest.raises(ParseError) as caught:
        parse(query)
    assert message in caught.value.message
    assert (caught.value.line, caught.value.column) == place
    assert str(caught.value).startswith(f"{place[0]}:{place[1]}: parse error: ")


def test_refuses_what_is_too_long_or_too_deep():
    with pytest.raises(ParseError, match="longer than"):
        parse("a" * 70_000)
    with pytest.raises(ParseError, match="nested deeper"):
        parse("(" * 5_000 + "1" + ")" * 5_000)
    with pytest.raises(ParseError, match="nested deeper"):
        parse("+".join(["a"] * 5_000))
    with pytest.raises(ParseError, match="nested deeper"):
        parse("(" * 50 + "a" + ("+a" * 50 + ")") * 50)
    with pytest.raises(ParseError, match="nested deeper"):
        parse("foo[" + "(" * 5_000 + "1")


def test_plain_selectors():
    assert [str(item) for item in parse_selector('up{job="x"}')] == ['__name__="up"', 'job="x"']
    with pytest.raises(ParseError, match="plain series selector"):
        parse_selector("up offset 5m")


@pytest.mark.parametrize("word", ["on", "ignoring", "group_left", "group_right", "bool", "atan2"])
def test_words_that_are_no_metric_names(word):
    for text in (word, f"a / {word}", f"{word}[5m]", f"{word}{{a='b'}}", f"sum({word})", word.upper()):
        with pytest.raises(ParseError):
            parse(text)


def test_offset_may_be_a_metric_name():
    for text in ("offset", "offset[5m]", "offset{a='b'}", "a / offset", "offset offset 5m"):
        parse(text)


def test_keywords_may_be_metric_names():
    for name in ("sum", "by", "start", "rate", "step", "fill"):
        tree = parse(f"{name} + 1")
        assert isinstance(tree, Binary)
        assert isinstance(tree.left, VectorSelector)
        assert tree.left.name == name


def test_scales_durations_and_nothing_else():
    tree = parse("rate(foo[5m] offset 1m) > 5 and max_over_time(bar[1h:30s] @ 100)")
    expected = parse("rate(foo[10s] offset 2s) > 5 and max_over_time(bar[2m:1s] @ 100)")
    assert scale_durations(tree, 30) == expected
    tiny = scale_durations(parse("foo[1ms]"), 1000)
    assert isinstance(tiny, MatrixSelector)
    assert tiny.range == 1
    with pytest.raises(ValueError, match="above zero"):
        scale_durations(tree, 0)


_selectors = st.sampled_from(["foo", 'bar{a="b"}', '{__name__=~"x.+"}', "foo offset 5m", "foo @ 12.5", "baz @ end()"])
_operators = st.sampled_from(["+", "-", "*", "/", "^", "%", "==", ">bool", "and", "or"])
_vectors = st.recursive(
    _selectors,
    lambda inner: st.one_of(
        st.builds("{} {} {}".format, inner, _operators, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("sum by (a, b) ({})".format, inner),
        st.builds("quantile without (c) (0.5, {})".format, inner),
        st.builds("max_over_time({}[1h:5m])".format, inner.map("({})".format)),
        st.builds('label_replace({}, "a", "$1", "b", "\\\\d(.*)")'.format, inner),
        st.builds("clamp({}, -1, 2.5e-3)".format, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(_vectors)
def test_printing_and_parsing_are_inverse(query):
    tree = parse(query)
    assert parse(format_expr(tree)) == tree


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abr(){}[]\"'\\=~!<>+-*/^%,:@ \n0159msx._$", max_size=40))
def test_any_text_parses_or_fails_with_a_place(text):
    try:
        tree = parse(text)
    except ParseError as error:
        assert 0 <= error.position <= len(text)  # noqa: PT017
    else:
        assert parse(format_expr(tree)) == tree


def test_nan_literals_compare_equal():
    assert parse("NaN") == NumberLiteral(float("nan"))


@pytest.mark.parametrize("query", ['up{a="\ud800"}', '"\\ud800"', '"\\U0000dfff"'])
def test_halves_of_characters_are_refused(query):
    with pytest.raises(ParseError):
        parse(query)

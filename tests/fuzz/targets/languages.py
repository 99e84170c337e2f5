"""PromQL, Go templates, matchers, durations."""

import contextlib
import re
from functools import cache

import numpy as np

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.condition_text import MAX_TEXT, ConditionError, format_condition, parse_conditions
from eldonia_ops.model.conditions import MAX_CONDITIONS, NEGATIONS, Condition, value_at
from eldonia_ops.model.durations import format_duration, parse_duration
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import ABSENT_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql import PromQLError, QueryLimits, evaluate, format_expr, parse, parse_selector, plan
from eldonia_ops.promql.lexer import tokenize
from eldonia_ops.promql.signatures import AGGREGATIONS, FUNCTIONS
from eldonia_ops.protocols.alertmanager.matcher_syntax import parse_matchers
from eldonia_ops.search import SearchError, format_search, matches, parse_search
from eldonia_ops.search.parser import MAX_SEARCH
from eldonia_ops.search.tree import Not, leaves
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, SPAN_COLUMNS, conditions_sql
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.search import SearchSql, plain_text
from eldonia_ops.template.errors import TemplateError
from eldonia_ops.template.execute import RenderLimits as TemplateLimits
from eldonia_ops.template.notification_data import NotificationData
from eldonia_ops.template.rule_template import rule_template
from eldonia_ops.template.template_set import TemplateSet
from fuzz.target import target
from fuzz.targets.given import any_text, bounded, file_text

QUERY_WORDS = (
    *sorted(FUNCTIONS),
    *sorted(AGGREGATIONS),
    *(
        "up",
        "requests_total",
        'up{a="b"}',
        "[5m]",
        "[5m:1m]",
        "@ 100",
        "@ start()",
        "offset 5m",
        "offset -1h",
        "by (a)",
    ),
    *("without (a)", "on (a)", "ignoring (a)", "group_left (b)", "group_right", "bool", "and", "or", "unless", "atan2"),
    *(
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ",",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "!=",
        "=~",
        "!~",
        "<",
        ">=",
        "'",
        '"',
        "`",
    ),
    *("0x1F", "1e9", "Inf", "NaN", "1h30m", "5", "\\x", "\\u00e9", "# c\n", "{__name__=~'.+'}", "le", "{}"),
)
_RECORDS = (
    LogRecord(timestamp_ns=0, message="Upstream timed out 日本語", level=LogLevel.ERROR, user_id="alice"),
    LogRecord(timestamp_ns=0, message="", metadata={"a": 1, "path": "/api/x", "user.id": 2}),
)
LIMITS = QueryLimits(steps=200, subquery_steps=500, cells=20_000)


class OverBudgetError(PromQLError):
    """Raised by the target itself when an evaluation has been asked too often whether to go on."""


@target(*QUERY_WORDS)
def promql_tokens(data: bytes) -> None:
    """Tokens lie within the text, one after another."""
    text = any_text(data)
    try:
        tokens = tokenize(text)
    except PromQLError:
        return
    at = 0
    for token in tokens:
        assert at <= token.start <= token.end <= len(text) + 1
        at = token.end


@target(*QUERY_WORDS)
def promql_parse(data: bytes) -> None:
    """What parses prints, and prints again the same once it was read back; a fault has its place."""
    text = any_text(data)
    with contextlib.suppress(PromQLError):
        parse_selector(text)
    try:
        expr = parse(text)
    except PromQLError as error:
        assert -1 <= error.position <= len(text)
        str(error).encode("utf-8", "replace")
        return
    shown = format_expr(expr)
    bounded(len(shown), data, times=24, plus=100)
    assert format_expr(parse(shown)) == shown


@cache
def blocks() -> tuple[SeriesBlock, ...]:
    """Two targets with counters, buckets, gaps and staleness."""
    times = np.arange(0, 600_000, 15_000, dtype=np.int64)
    names = ({"__name__": "requests_total", "a": "b"}, {"__name__": "requests_total", "a": "c"}, {"__name__": "up"})
    buckets = tuple({"__name__": "time_bucket", "le": bound} for bound in ("0.1", "1", "+Inf"))
    first = np.cumsum(np.ones((len(times), 6)), axis=0)
    first[5, 0], first[9, 1], first[20:, 2] = ABSENT_NAN, np.nan, STALE_NAN
    second = np.array([[1.0, -1.0], [np.inf, 0.0]])
    return (
        SeriesBlock(tuple(map(Labels, (*names, *buckets))), times, first),
        SeriesBlock(
            (Labels({"__name__": "up", "a": "b"}), Labels({"__name__": "target_info", "job": "x", "a": "b"})),
            np.array([100_000, 200_000], dtype=np.int64),
            second,
        ),
    )


@target(*QUERY_WORDS, grows=False)
def promql_evaluate(data: bytes) -> None:
    """A result within the limits or one of the documented faults, and it can always be stopped."""
    text = any_text(data)
    asked = 0

    def proceed() -> None:
        nonlocal asked
        asked += 1
        if asked > 20_000:
            raise OverBudgetError("enough")

    for start, end, step in ((300_000, 300_000, 0), (0, 600_000, 60_000)):
        try:
            query = plan(parse(text), start, end, step, limits=LIMITS)
            fetched = [
                tuple(_matching(block, fetch.matchers) for block in blocks() if _matching(block, fetch.matchers).labels)
                for fetch in query.fetches
            ]
            result = evaluate(query, fetched, proceed)
        except PromQLError:
            continue
        assert sum(len(series.values) for series in result.series) <= LIMITS.cells
        for series in result.series:
            assert len(series.timestamps) == len(series.values)
            assert all(start <= at <= end for at in series.timestamps.tolist()) or "matrix" in str(result.type)


def _matching(block: SeriesBlock, matchers: tuple[Matcher, ...]) -> SeriesBlock:
    wanted = [
        index for index, labels in enumerate(block.labels) if all(matcher.matches(labels) for matcher in matchers)
    ]
    return SeriesBlock(tuple(block.labels[index] for index in wanted), block.timestamps, block.values[:, wanted])


TEMPLATE_WORDS = (
    *(
        "{{",
        "}}",
        "{{-",
        "-}}",
        "{{/* c */}}",
        "$labels.a",
        "$value",
        "$x",
        ":=",
        "=",
        "|",
        ".",
        "(",
        ")",
        '"',
        "`",
        "'",
    ),
    *("{{if .}}", "{{else}}", "{{else if .}}", "{{end}}", "{{range .}}", "{{range $i, $e := .Alerts}}", "{{with .}}"),
    *(
        '{{define "x"}}',
        '{{template "x" .}}',
        '{{block "x" .}}',
        "{{break}}",
        "{{continue}}",
        "printf",
        "%s %d %v",
        "%09999d",
    ),
    *("len", "index", "slice", "eq", "ne", "lt", "and", "or", "not", "html", "js", "urlquery", "print", "println"),
    *(
        "humanize",
        "humanizeDuration",
        "toUpper",
        "title",
        "join",
        "list",
        "dict",
        "reReplaceAll",
        "match",
        "args",
        "tmpl",
    ),
    *(".Labels", ".Alerts.Firing", ".CommonLabels.SortedPairs", ".GroupLabels.Values", "stringSlice", "toTime", "date"),
)
TEMPLATE_LIMITS = TemplateLimits(output=2_000, steps=2_000, depth=20)


@cache
def notification() -> NotificationData:
    """Two alerts, one of which has ended."""
    alerts = [
        Alert(labels=Labels({"alertname": "A", "a": "b"}), annotations=Labels({"s": "x"}), starts_at=1, ends_at=9_000),
        Alert(labels=Labels({"alertname": "A", "a": "c"}), annotations=Labels({}), starts_at=1, ends_at=2),
    ]
    return NotificationData(receiver="r", group_labels={"alertname": "A"}, alerts=alerts, now=5_000)


@target(*TEMPLATE_WORDS, max_bytes=2048)
def notification_template(data: bytes) -> None:
    """A text within the limits or a TemplateError."""
    text = file_text(data)
    templates = TemplateSet()
    try:
        templates.add(text, "file.tmpl")
    except TemplateError as error:
        assert error.line >= 0
    for message, line, column in templates.check(text):
        assert message
        assert line >= 0 <= column
    try:
        shown = templates.expand(text, notification(), 5_000, TEMPLATE_LIMITS)
    except TemplateError as error:
        str(error).encode("utf-8", "replace")
    else:
        bounded(len(shown), data, times=1, plus=TEMPLATE_LIMITS.output)


@target(*TEMPLATE_WORDS, max_bytes=2048)
def rule_text(data: bytes) -> None:
    """Labels and annotations of rules: the same, with queries that have no answer."""
    try:
        template = rule_template(file_text(data), "rule")
        template.render({"a": "b", "instance": "x:1"}, 1.5)
    except TemplateError as error:
        assert error.line >= 0


@target("{", "}", "=", "=~", "!~", "!=", ",", '"', "\\", "a", '"b c"', ".*", "(", "[a", "\\n")
def matchers(data: bytes) -> None:
    """Matchers that are written as they print are the same matchers."""
    text = file_text(data)
    try:
        found = parse_matchers(text)
    except ValueError:
        return
    bounded(len(found), data, times=1, plus=1)
    for one in found:
        one.matches({one.name: "x"})
    again = parse_matchers("{" + ", ".join(_written(one) for one in found) + "}")
    assert again == found


@target(
    *("a", "a.b", '"a.b"', "'c d'", "=", "!=", "=~", "!~", "*=", ">", ">=", "<", "<=", "exists(", "!exists(", ")"),
    *(
        " and ",
        " ",
        ".",
        "\\",
        '"',
        "'",
        "1",
        "1.5",
        "-0",
        "1e309",
        "9007199254740993",
        "(a|b)*",
        "\\C",
        "\\pL",
        "{1000}",
    ),
)
def conditions(data: bytes) -> None:
    """Conditions that are written as they print are the same; of every value either they or their negation hold."""
    text = any_text(data)
    try:
        found = parse_conditions(text)
    except ConditionError as error:
        assert 0 <= error.position <= max(len(text), MAX_TEXT)
        str(error).encode("utf-8", "backslashreplace")
        return
    assert len(found) <= MAX_CONDITIONS
    assert parse_conditions(" and ".join(map(format_condition, found))) == found
    parameters: dict[str, Parameter] = {}
    for columns in (LOG_COLUMNS, SPAN_COLUMNS):
        sql = conditions_sql(found, columns, parameters)
        assert "".join(sql).isascii()
    for value in parameters.values():
        str(value).encode()
    for one in found:
        value_at({"a": {"b": 1}, "a.b": "x"}, one.name)
        for value in (None, "", one.value, 1, -0.0, 2**63, 1e308, True, [], {}, "a\nb"):
            held = one.holds(value)
            for other, of in NEGATIONS.items():
                if one.op in (other, of):
                    opposite = Condition(one.name, of if one.op is other else other, one.value, one.quoted)
                    assert opposite.holds(value) is not held


@target(
    *(
        "user_id:alice",
        "level>=error",
        '"timed out"',
        "-path:/health",
        "field:[1 TO 500]",
        "a:1..2",
        "path:/api/*",
        "/x/",
    ),
    *("and", "or", "not", "(", ")", "!", "-", "*", ":", "=", "!=", "=~", "!~", "*=", "<", ">=", "|", "\\", '"', "'"),
    *(
        "exists(a)",
        "_exists_:a",
        "level:",
        "message:",
        '"user.id":',
        "[* TO 1}",
        "..",
        "日本語",
        "ｶﾞ",
        "é",
        "{w1:String}",
        "%",
    ),
)
def log_search(data: bytes) -> None:
    """Searches that are written as they print are the same; nothing of one is in the statement; its leaves have places.

    The text without syntax goes the same way.
    """
    text = any_text(data)
    nodes = [plain_text(text)]
    try:
        nodes.append(parse_search(text))
    except SearchError as error:
        assert 0 <= error.start < error.end <= max(len(text), error.start + 1)
        for language in ("en", "ja"):
            error.message(language).encode()
            error.hint(language).encode()
    else:
        written = format_search(nodes[1])
        assert len(written) > MAX_SEARCH or parse_search(written) == nodes[1]
        for leaf, _ in leaves(nodes[1]):
            assert 0 <= leaf.span[0] <= leaf.span[1] <= len(text)
    for node in nodes:
        parameters: dict[str, Parameter] = {}
        sql = " AND ".join(SearchSql(parameters).conjuncts(node))
        assert re.fullmatch(r"[ -~]*", sql)
        assert set(re.findall(r"\{(\w+):", sql)) == set(parameters)
        for value in parameters.values():
            str(value).encode()
        for record in _RECORDS:
            assert matches(Not(node), record) is not matches(node, record)


def _written(one: Matcher) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    return f"{quoted(one.name)}{one.op.value}{quoted(one.value)}"


@target("1h", "30m", "ms", "y", "w", "d", "0", "9" * 30)
def duration(data: bytes) -> None:
    """Milliseconds that are the same after printing."""
    text = any_text(data)
    try:
        found = parse_duration(text)
    except ValueError:
        return
    assert parse_duration(format_duration(found)) == found

"""Runs tests written in Prometheus' own test language against this implementation.

The format (``load``, ``clear``, ``eval instant at``, ``eval range from``, ``expect ...``) is described in
Prometheus' promql/promqltest/README.md. What needs start timestamps is reported
as unsupported, never as passed.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

import numpy as np

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.matchers import Matcher, all_match
from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, ResetHint
from eldonia_ops.model.samples import ABSENT_NAN, HISTOGRAM_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql.ast import VectorSelector
from eldonia_ops.promql.errors import PromQLError, UnsupportedError, UnsupportedSyntaxError
from eldonia_ops.promql.evaluate import evaluate
from eldonia_ops.promql.histogram_arithmetic import added, scaled, was_reset
from eldonia_ops.promql.lexer import Kind, tokenize
from eldonia_ops.promql.parser import parse
from eldonia_ops.promql.plan import plan
from eldonia_ops.promql.result import Result, ResultType

EPSILON: Final = 1e-6
"""Relative difference up to which two floats count as equal, as in Prometheus' own runner."""


class Outcome(StrEnum):
    """How an evaluation in a test file went."""

    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One ``eval`` of a test file; ``detail`` says what was wrong, or what is not supported."""

    line: int
    command: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FileResult:
    """All evaluations of one test file."""

    file: str
    cases: tuple[CaseResult, ...]

    def count(self, outcome: Outcome) -> int:
        """How many evaluations went so."""
        return sum(case.outcome is outcome for case in self.cases)


@dataclass(slots=True)
class _Stored:
    block: int
    samples: dict[int, float | NativeHistogram] = field(default_factory=dict)


@dataclass(slots=True)
class Storage:
    """Series in memory. ``started`` are those with start timestamps."""

    series: dict[Labels, _Stored] = field(default_factory=dict)
    started: set[Labels] = field(default_factory=set)
    loads: int = 0

    def add(self, labels: Labels, samples: Sequence[tuple[int, float | NativeHistogram]]) -> None:
        """Add samples ``(Unix ms, value)`` to a series. Of histograms it is noted, as Prometheus' storage does, that a
        counter was not reset since the one before."""
        stored = self.series.setdefault(labels, _Stored(self.loads)).samples
        previous: float | NativeHistogram = 0.0
        for at, value in samples:
            if isinstance(value, NativeHistogram):
                value = _hinted(value, previous)
            stored[at] = previous = value

    def touches_starts(self, matchers: Sequence[Matcher]) -> bool:
        """Whether a selector would meet a series that is not supported."""
        return any(all_match(matchers, labels) for labels in self.started)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SeriesBlock]:
        """Matching samples; series that were loaded together share a block."""
        groups: dict[int, list[tuple[Labels, dict[int, float | NativeHistogram]]]] = {}
        for labels, stored in self.series.items():
            if all_match(matchers, labels):
                found = {at: value for at, value in stored.samples.items() if start_ms <= at <= end_ms}
                if found:
                    groups.setdefault(stored.block, []).append((labels, found))
        blocks: list[SeriesBlock] = []
        for members in groups.values():
            stamps = sorted({at for _, found in members for at in found})
            values = np.full((len(stamps), len(members)), ABSENT_NAN)
            rows = {at: row for row, at in enumerate(stamps)}
            histograms: dict[tuple[int, int], NativeHistogram] = {}
            for column, (_, found) in enumerate(members):
                for at, value in found.items():
                    if isinstance(value, NativeHistogram):
                        histograms[rows[at], column], value = value, HISTOGRAM_NAN
                    values[rows[at], column] = value
            labels = tuple(labels for labels, _ in members)
            blocks.append(SeriesBlock(labels, np.array(stamps, dtype=np.int64), values, histograms))
        return blocks


def _hinted(value: NativeHistogram, previous: float | NativeHistogram) -> NativeHistogram:
    if value.reset_hint is not ResetHint.UNKNOWN or not isinstance(previous, NativeHistogram):
        return value
    alike = (value.schema, value.zero_threshold, value.custom_bounds) == (
        previous.schema,
        previous.zero_threshold,
        previous.custom_bounds,
    )
    if not alike or previous.reset_hint is ResetHint.GAUGE or was_reset(value, previous):
        return value
    return replace(value, reset_hint=ResetHint.NO_RESET)


def _with_own_bounds(storage: Storage, loaded: dict[Labels, dict[int, float]]) -> None:
    """What ``load_with_nhcb`` makes of classic histograms: native ones with the same bounds, by instant."""
    found: dict[Labels, dict[int, dict[str, float | dict[float, float]]]] = {}
    for labels, samples in loaded.items():
        name, _, part = labels.name.rpartition("_")
        if part not in ("bucket", "count", "sum") or (part == "bucket") != ("le" in labels):
            continue
        of = found.setdefault(labels.without(("le",)).with_(**{METRIC_NAME: name}), {})
        for at, value in samples.items():
            parts = of.setdefault(at, {})
            if part == "bucket":
                buckets = parts.setdefault("bucket", {})
                assert isinstance(buckets, dict)
                buckets[float(labels["le"])] = value
            else:
                parts[part] = value
    for labels, by_instant in found.items():
        made = [(at, _of_buckets(parts)) for at, parts in sorted(by_instant.items()) if "bucket" in parts]
        storage.add(labels, [(at, one) for at, one in made if one is not None])


def _of_buckets(parts: dict[str, Any]) -> NativeHistogram | None:
    cumulative: dict[float, float] = parts["bucket"]
    ordered = sorted(cumulative)
    count = parts.get("count", cumulative[ordered[-1]])
    counts = [cumulative[bound] for bound in ordered if bound != math.inf] + [count]
    bounds = tuple(bound for bound in ordered if bound != math.inf)
    single = [after - before for before, after in zip([0.0, *counts], counts, strict=False)]
    if any(not number >= 0 for number in single):
        return None
    positive = tuple((index, number) for index, number in enumerate(single) if number)
    return NativeHistogram(CUSTOM_SCHEMA, count, parts.get("sum", 0.0), positive=positive, custom_bounds=bounds)


Value = float | None | NativeHistogram

_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF]|[nN][aA][nN])"
_SEQUENCE = re.compile(
    rf"(?P<start>{_NUMBER})(?:(?P<delta>[+-]{_NUMBER.removeprefix('[+-]?')})x(?P<more>\d+)|x(?P<times>\d+))?"
)


def expand_values(text: str) -> list[Value]:
    """The values of a series notation such as ``1+2x3 _ stale``; None for no sample.

    Raises:
        ValueError: the notation is malformed.
    """
    values: list[Value] = []
    text = text.strip()
    while text:
        if text.startswith("{{"):
            match = _HISTOGRAMS.match(text)
            if match is None:
                raise ValueError(f"unterminated histogram: {text!r}")
            values += _histograms(match)
        elif match := re.match(r"(_|stale)(?:x(\d+))?(?=\s|$)", text):
            item: Value = None if match.group(1) == "_" else STALE_NAN
            count = match.group(2)
            values += [item] * (1 if count is None else int(count) + (match.group(1) != "_"))
        elif match := re.match(rf"{_SEQUENCE.pattern}(?=\s|$)", text):
            start = float(match["start"])
            if match["more"] is not None:
                values += _series(start, float(match["delta"]), int(match["more"]))
            else:
                values += [start] * (int(match["times"] or 0) + 1)
        else:
            raise ValueError(f"bad series notation at {text[:20]!r}")
        text = text[match.end() :].lstrip()
    return values


_HISTOGRAMS = re.compile(r"\{\{(.*?)\}\}(?:([+-])\{\{(.*?)\}\})?(?:x(\d+))?")


def _histograms(match: re.Match[str]) -> list[Value]:
    current = read_histogram(match[1])
    step = None if match[3] is None else read_histogram(match[3])
    if step is not None and match[2] == "-":
        step = scaled(step, -1.0)
    values: list[Value] = [current]
    for _ in range(int(match[4] or 0)):
        if step is not None:
            current = added(current, step).value
        values.append(current)
    return values


_FIELD = re.compile(r"(\w+):(?:\[([^]]*)\]|(\S+))")


def read_histogram(text: str) -> NativeHistogram:
    """A histogram in the notation of the test language, without its braces: ``schema:1 count:3 buckets:[1 2]``.

    Raises:
        ValueError: the notation is malformed.
    """
    if _FIELD.sub("", text).strip():
        raise ValueError(f"bad histogram notation: {text!r}")
    fields = {match[1]: match[2] if match[2] is not None else match[3] for match in _FIELD.finditer(text)}

    def buckets(name: str, offset: str) -> tuple[tuple[int, float], ...]:
        first = int(fields.get(offset, 0))
        counts = [float(count) for count in fields.get(name, "").split()]
        return tuple((first + place, count) for place, count in enumerate(counts) if count)

    return NativeHistogram(
        int(fields.get("schema", 0)),
        float(fields.get("count", 0)),
        float(fields.get("sum", 0)),
        float(fields.get("z_bucket_w", 0)),
        float(fields.get("z_bucket", 0)),
        buckets("buckets", "offset"),
        buckets("n_buckets", "n_offset"),
        tuple(float(bound) for bound in fields.get("custom_values", "").split()),
        _HINTS[fields.get("counter_reset_hint", "unknown")],
    )


_HINTS = {
    "unknown": ResetHint.UNKNOWN,
    "reset": ResetHint.RESET,
    "not_reset": ResetHint.NO_RESET,
    "gauge": ResetHint.GAUGE,
}


def _series(start: float, delta: float, more: int) -> list[Value]:
    values: list[Value] = [start]
    current = start
    for _ in range(more):
        current += delta
        values.append(current)
    return values


def split_series(line: str) -> tuple[Labels, str, bool]:
    """Labels, the rest of the line, and whether the series carries start timestamps.

    Raises:
        ValueError: the line does not start with a series.
    """
    tokens = tokenize(_head(line))
    position = tokens[0].end if tokens[0].kind is Kind.WORD else 0
    if position < len(line) and line[position] == "{":
        depth_token = next((item for item in tokens if item.kind is Kind.OPERATOR and item.text == "}"), None)
        if depth_token is None:
            raise ValueError("unterminated label set")
        position = depth_token.end
    text, rest = line[:position], line[position:]
    if text in ("{}", ""):
        labels = Labels()
    else:
        expr = parse(text if not text.startswith("{}") else text[2:]) if text != "{}" else None
        if not isinstance(expr, VectorSelector):
            raise ValueError("expected a series")
        labels = Labels([(item.name, item.value) for item in expr.matchers])
    starts = rest.startswith("@st")
    return labels, rest[3:] if starts else rest, starts


def _head(line: str) -> str:
    """The part of a line that can be cut into tokens: the metric and its labels."""
    quoted = ""
    for position, char in enumerate(line):
        if quoted:
            if char == quoted and line[position - 1] != "\\":
                quoted = ""
        elif char in "\"'`":
            quoted = char
        elif char == "}":
            return line[: position + 1]
        elif char in " \t" and "{" not in line[:position]:
            return line[:position]
    return line


def almost_equal(left: float, right: float, epsilon: float = EPSILON) -> bool:
    """Whether two floats are equal up to a relative difference; NaN equals NaN."""
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    if left == right:
        return True
    size, difference = abs(left) + abs(right), abs(left - right)
    if left == 0 or right == 0 or size < 2.2250738585072014e-308:
        return difference < epsilon * 2.2250738585072014e-308
    return difference / min(size, 1.7976931348623157e308) < epsilon


@dataclass(slots=True)
class _Case:
    line: int
    command: str
    query: str
    start_ms: int
    end_ms: int
    step_ms: int
    ordered: bool = False
    fails: bool = False
    fail_text: str = ""
    fail_pattern: str = ""
    expects: list[tuple[str, str, str]] = field(default_factory=list)
    series: list[tuple[Labels, list[Value]]] = field(default_factory=list)
    scalar: float | None = None
    string: str | None = None
    grid: tuple[int, int, int] | None = None
    hints: bool = False


_EVAL = re.compile(
    r"eval(?:_(?P<mode>fail|warn|info|ordered))?\s+(?:instant\s+(?:at\s+(?P<at>\S+)\s+)?|"
    r"range\s+from\s+(?P<from>\S+)\s+to\s+(?P<to>\S+)\s+step\s+(?P<step>\S+)\s+)(?P<query>.+)"
)


def _time(text: str) -> int:
    try:
        return round(float(text) * 1000)
    except ValueError:
        return -parse_duration(text[1:]) if text.startswith("-") else parse_duration(text)


def run_file(text: str, file: str = "") -> FileResult:
    """Run every evaluation of a test file; each sees the series loaded since the last ``clear``.

    Raises:
        ConfigError: a line that is not in the test language.
    """
    storage = Storage()
    results: list[CaseResult] = []
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index].strip()
        number = index + 1
        index += 1
        if not line or line.startswith("#"):
            continue
        body: list[tuple[int, str]] = []
        if line.startswith(("load", "eval")):
            # A comment ends the block, as a blank line does.
            while index < len(lines) and (content := lines[index].strip()) and not content.startswith("#"):
                index += 1
                body.append((index, content))
        try:
            if line == "clear":
                storage = Storage()
            elif line.startswith("load"):
                _load(storage, line, body)
            elif line.startswith("eval"):
                results.append(_run(storage, _case(number, line, body)))
            else:
                raise ValueError(f"unknown command {line.split()[0]!r}")
        except ValueError as error:
            raise ConfigError(Diagnostic(str(error), file, number)) from None
    return FileResult(file, tuple(results))


def _load(storage: Storage, line: str, body: list[tuple[int, str]]) -> None:
    match = re.fullmatch(r"(load(?:_with_nhcb)?)\s+(\S+)", line)
    if match is None:
        raise ValueError("expected load <step>")
    step = parse_duration(match.group(2))
    storage.loads += 1
    loaded: dict[Labels, dict[int, float]] = {}
    for _, content in body:
        labels, rest, starts = split_series(content)
        if starts:
            storage.started.add(labels)
            continue
        samples = [(place * step, value) for place, value in enumerate(expand_values(rest)) if value is not None]
        storage.add(labels, samples)
        if match.group(1) == "load_with_nhcb":
            floats = {at: value for at, value in samples if isinstance(value, float)}
            loaded.setdefault(labels, {}).update(floats)
    _with_own_bounds(storage, loaded)


def _case(number: int, line: str, body: list[tuple[int, str]]) -> _Case:
    match = _EVAL.fullmatch(line)
    if match is None:
        raise ValueError("expected eval instant [at <time>] <query> or eval range from .. to .. step .. <query>")
    if match["from"] is not None:
        times = _time(match["from"]), _time(match["to"]), parse_duration(match["step"])
    else:
        at = _time(match["at"] or "0")
        times = at, at, 0
    case = _Case(number, line, match["query"], *times)
    mode = match["mode"]
    case.ordered, case.fails = mode == "ordered", mode == "fail"
    if mode in ("warn", "info"):
        case.expects.append((mode, "", ""))
    for _, content in body:
        _expectation(case, content)
    return case


def _expectation(case: _Case, content: str) -> None:
    if content.startswith("expect "):
        kind, _, rest = content.removeprefix("expect ").strip().partition(" ")
        rest = rest.strip()
        if kind == "ordered":
            case.ordered = True
        elif kind == "string":
            case.string = tokenize(rest)[0].text
        elif kind == "range":
            match = re.fullmatch(r"vector from (\S+) to (\S+) step (\S+)", rest)
            if match is None:
                raise ValueError("expected: expect range vector from .. to .. step ..")
            case.grid = _time(match[1]), _time(match[2]), parse_duration(match[3])
        elif kind in ("fail", "warn", "info", "no_warn", "no_info"):
            how, _, text = rest.partition(":")
            if kind == "fail":
                case.fails = True
                case.fail_text = text.strip() if how == "msg" else ""
                case.fail_pattern = text.strip() if how == "regex" else ""
            else:
                case.expects.append((kind, how, text.strip()))
        else:
            raise ValueError(f"unknown expectation {kind!r}")
        return
    if content.startswith(("expected_fail_message", "expected_fail_regexp")):
        key, _, text = content.partition(" ")
        case.fail_text, case.fail_pattern = (text, "") if key.endswith("message") else ("", text)
        return
    try:
        case.scalar = float(content)
    except ValueError:
        labels, rest, _ = split_series(content)
        case.series.append((labels, expand_values(rest)))
        case.hints |= "counter_reset_hint" in rest


def _run(storage: Storage, case: _Case) -> CaseResult:
    def outcome(kind: Outcome, detail: str = "") -> CaseResult:
        return CaseResult(case.line, case.command, kind, detail)

    try:
        planned = plan(parse(case.query), case.start_ms, case.end_ms, case.step_ms)
        if any(storage.touches_starts(fetch.matchers) for fetch in planned.fetches):
            return outcome(Outcome.UNSUPPORTED, "reads start timestamps")
        data = [storage.select(item.matchers, item.start_ms, item.end_ms) for item in planned.fetches]
        result = evaluate(planned, data)
    except (UnsupportedError, UnsupportedSyntaxError) as error:
        return outcome(Outcome.UNSUPPORTED, error.message)
    except PromQLError as error:
        if not case.fails:
            return outcome(Outcome.FAILED, f"unexpected error: {error}")
        if case.fail_text and case.fail_text != error.message:
            return outcome(Outcome.FAILED, f"expected error {case.fail_text!r}, got {error.message!r}")
        if case.fail_pattern and not re.search(case.fail_pattern, error.message):
            return outcome(Outcome.FAILED, f"expected error like {case.fail_pattern!r}, got {error.message!r}")
        return outcome(Outcome.PASSED)
    if case.fails:
        return outcome(Outcome.FAILED, "expected an error, got a result")
    problem = _remarks_problem(case, result) or _result_problem(case, result)
    return outcome(Outcome.FAILED, problem) if problem else outcome(Outcome.PASSED)


def _remarks_problem(case: _Case, result: Result) -> str:
    for kind, how, text in case.expects:
        wanted = kind.removeprefix("no_")
        found = [item.render(case.query) for item in result.annotations if item.warning == (wanted == "warn")]
        if kind.startswith("no_"):
            if found:
                return f"expected no {wanted} annotation, got {found}"
        elif how == "msg":
            if text not in found:
                return f"expected {wanted} {text!r}, got {found}"
        elif how == "regex":
            if not any(re.search(text, item) for item in found):
                return f"expected {wanted} like {text!r}, got {found}"
        elif not found:
            return f"expected a {wanted} annotation"
    return ""


def _alike(expected: float | NativeHistogram, got: float | NativeHistogram, *, hints: bool) -> bool:
    if not isinstance(expected, NativeHistogram) or not isinstance(got, NativeHistogram):
        return (
            not isinstance(expected, NativeHistogram)
            and not isinstance(got, NativeHistogram)
            and almost_equal(expected, got)
        )

    def numbers(one: NativeHistogram) -> list[float]:
        counts = [count for buckets in (one.positive, one.negative) for _, count in buckets if count]
        return [one.count, one.sum, one.zero_count, *counts]

    def rest(one: NativeHistogram) -> tuple:
        indexes = [tuple(index for index, count in buckets if count) for buckets in (one.positive, one.negative)]
        return (one.schema, one.zero_threshold, one.custom_bounds, *indexes)

    return (
        rest(expected) == rest(got)
        and all(almost_equal(left, right) for left, right in zip(numbers(expected), numbers(got), strict=True))
        and (not hints or expected.reset_hint is got.reset_hint)
    )


def _result_problem(case: _Case, result: Result) -> str:
    if case.string is not None:
        return "" if result.type is ResultType.STRING and result.text == case.string else f"got {result}"
    if case.scalar is not None and not case.series:
        if result.type is not ResultType.SCALAR:
            return f"expected a scalar, got a {result.type}"
        return "" if almost_equal(case.scalar, result.scalar) else f"expected {case.scalar}, got {result.scalar}"
    start, step = case.start_ms, case.step_ms
    if case.grid is not None:
        start, _, step = case.grid
    expected: dict[Labels, dict[int, float | NativeHistogram]] = {}
    for labels, values in case.series:
        points = {start + place * step: value for place, value in enumerate(values) if value is not None}
        if case.step_ms:
            points = {at: value for at, value in points.items() if at <= case.end_ms}
        if points:
            expected[labels] = points
    found = {item.labels: dict(item.points) | dict(item.histogram_points) for item in result.series}
    if result.type is ResultType.SCALAR and not case.step_ms:
        return f"expected a vector, got the scalar {result.scalar}" if expected else ""
    for labels, points in expected.items():
        got = found.pop(labels, None)
        if got is None:
            return f"missing {labels}; got {[str(item.labels) for item in result.series][:6]}"
        if set(got) != set(points):
            return f"{labels}: expected samples at {sorted(points)}, got {sorted(got)}"
        for at, value in points.items():
            if not _alike(value, got[at], hints=case.hints):
                return f"{labels} at {at}: expected {value}, got {got[at]}"
    if found:
        return f"unexpected series {[str(labels) for labels in found][:6]}"
    if case.ordered:
        order = [item.labels for item in result.series]
        if order != list(expected):
            return f"expected the order {[str(item) for item in expected]}, got {[str(item) for item in order]}"
    return ""

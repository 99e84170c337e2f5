"""Runs tests written in Prometheus' own test language against this implementation.

The format (``load``, ``clear``, ``eval instant at``, ``eval range from``, ``expect ...``) is described in
Prometheus' promql/promqltest/README.md. What needs native histograms or start timestamps is reported
as unsupported, never as passed.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.matchers import Matcher, all_match
from eldonia_ops.model.samples import ABSENT_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql.ast import VectorSelector
from eldonia_ops.promql.errors import PromQLError, UnsupportedError, UnsupportedSyntaxError
from eldonia_ops.promql.evaluate import evaluate
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
    samples: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class Storage:
    """Series in memory. ``native`` are those that hold native histograms or start timestamps."""

    series: dict[Labels, _Stored] = field(default_factory=dict)
    native: set[Labels] = field(default_factory=set)
    loads: int = 0

    def add(self, labels: Labels, samples: Sequence[tuple[int, float]]) -> None:
        """Add samples ``(Unix ms, value)`` to a series."""
        self.series.setdefault(labels, _Stored(self.loads)).samples.update(samples)

    def touches_native(self, matchers: Sequence[Matcher]) -> bool:
        """Whether a selector would meet a series that is not supported."""
        return any(all_match(matchers, labels) for labels in self.native)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SeriesBlock]:
        """Matching samples; series that were loaded together share a block."""
        groups: dict[int, list[tuple[Labels, dict[int, float]]]] = {}
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
            for column, (_, found) in enumerate(members):
                for at, value in found.items():
                    values[rows[at], column] = value
            labels = tuple(labels for labels, _ in members)
            blocks.append(SeriesBlock(labels, np.array(stamps, dtype=np.int64), values))
        return blocks


class Native:
    """Stands for a native histogram in a series notation."""


NATIVE: Final = Native()
Value = float | None | Native

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
            match = re.match(r"\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x(\d+))?", text)
            if match is None:
                raise ValueError(f"unterminated histogram: {text!r}")
            values += [NATIVE] * (int(match.group(1) or 0) + 1)
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
    unsupported: str = ""


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
    for _, content in body:
        labels, rest, starts = split_series(content)
        if starts:
            storage.native.add(labels)
            continue
        values = expand_values(rest)
        if any(isinstance(value, Native) for value in values):
            storage.native.add(labels)
        samples = [(place * step, value) for place, value in enumerate(values) if isinstance(value, float)]
        storage.add(labels, samples)
        if match.group(1) == "load_with_nhcb" and labels.name.endswith("_bucket"):
            # The same command also makes a native histogram of the buckets.
            storage.native.add(labels.without(("le",)).with_(**{METRIC_NAME: labels.name.removesuffix("_bucket")}))


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
        values = expand_values(rest)
        if any(isinstance(value, Native) for value in values):
            case.unsupported = "expects a native histogram"
        case.series.append((labels, values))


def _run(storage: Storage, case: _Case) -> CaseResult:
    def outcome(kind: Outcome, detail: str = "") -> CaseResult:
        return CaseResult(case.line, case.command, kind, detail)

    if case.unsupported:
        return outcome(Outcome.UNSUPPORTED, case.unsupported)
    try:
        planned = plan(parse(case.query), case.start_ms, case.end_ms, case.step_ms)
        if any(storage.touches_native(fetch.matchers) for fetch in planned.fetches):
            return outcome(Outcome.UNSUPPORTED, "reads native histograms or start timestamps")
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
    expected: dict[Labels, dict[int, float]] = {}
    for labels, values in case.series:
        points = {start + place * step: value for place, value in enumerate(values) if isinstance(value, float)}
        if case.step_ms:
            points = {at: value for at, value in points.items() if at <= case.end_ms}
        if points:
            expected[labels] = points
    found = {item.labels: dict(item.points) for item in result.series}
    if result.type is ResultType.SCALAR and not case.step_ms:
        return f"expected a vector, got the scalar {result.scalar}" if expected else ""
    for labels, points in expected.items():
        got = found.pop(labels, None)
        if got is None:
            return f"missing {labels}; got {[str(item.labels) for item in result.series][:6]}"
        if set(got) != set(points):
            return f"{labels}: expected samples at {sorted(points)}, got {sorted(got)}"
        for at, value in points.items():
            if not almost_equal(value, got[at]):
                return f"{labels} at {at}: expected {value}, got {got[at]}"
    if found:
        return f"unexpected series {[str(labels) for labels in found][:6]}"
    if case.ordered:
        order = [item.labels for item in result.series]
        if order != list(expected):
            return f"expected the order {[str(item) for item in expected]}, got {[str(item) for item in order]}"
    return ""

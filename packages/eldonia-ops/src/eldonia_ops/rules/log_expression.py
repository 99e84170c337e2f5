"""Searches of logs with pipes as expressions of rules: what is counted becomes a vector.

The rows of the last command are its series: fields that the records were counted by are labels, and the first metric is
the value. Of a timechart it is the newest bucket that has ended.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eldonia_ops.model.labels import Labels
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.search.pipes.pipeline import (
    COUNT_COLUMN,
    PERCENT_COLUMN,
    TIME_COLUMN,
    Eval,
    Extract,
    Fields,
    Pipeline,
    Rename,
    Stage,
    Stats,
    Timechart,
    Top,
    Where,
)
from eldonia_ops.search.time_steps import TimeUnit
from eldonia_ops.search.values import value_number, value_text

DEFAULT_RANGE_MS: Final = 300_000
LONGEST_RANGE_MS: Final = 31 * 86_400_000
MAX_SERIES: Final = 10_000
_NOT_IN_LABELS: Final = re.compile(r"[^a-zA-Z0-9_]")


class LogExpressionError(ValueError):
    """A search that makes no vector; ``position`` is an offset in characters, ``hint`` says what to do."""

    def __init__(self, message: str, position: int, hint: str) -> None:
        super().__init__(message)
        self.position = position
        self.hint = hint


@dataclass(frozen=True, slots=True)
class LogExpression:
    """A search that counts records of the last ``range_ms``. ``labels`` are the columns that become labels, each with
    the name of its label; ``value`` is the column of the values."""

    text: str
    pipeline: Pipeline
    range_ms: int = DEFAULT_RANGE_MS
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    value: str = ""

    def vector(self, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Labels, float]]:
        """The series of rows; those without a number are left out.

        Raises:
            ValueError: there are more than :data:`MAX_SERIES`.
        """
        found: list[tuple[Labels, float]] = []
        for row in rows:
            number = value_number(row.get(self.value))
            if number is None:
                continue
            texts = {label: value_text(row.get(name)) for name, label in self.labels.items()}
            found.append((Labels({label: text for label, text in texts.items() if text}), number))
            if len(found) > MAX_SERIES:
                raise ValueError(f"more than {MAX_SERIES:,} series: count by less, or end with | sort and | head")
        return found

    def faster(self, factor: float) -> "LogExpression":
        """The same on a clock that is ``factor`` times as fast."""
        stages = tuple(_faster(stage, factor) for stage in self.pipeline.stages)
        return replace(
            self,
            pipeline=replace(self.pipeline, stages=stages),
            range_ms=max(1, round(self.range_ms / factor)),
        )


def read_log_expression(text: str, range_ms: int = DEFAULT_RANGE_MS) -> LogExpression:
    """The expression of a text.

    Raises:
        SearchError: the text cannot be read.
        LogExpressionError: it makes no vector.
    """
    pipeline = parse_pipeline(text)
    labels, values = _columns(pipeline)
    hint = "end it with | stats count() by service, for example"
    if pipeline.split()[1] is None:
        raise LogExpressionError("a rule needs numbers, and this search finds records", len(text.rstrip()), hint)
    last = pipeline.stages[-1].span[0]
    for stage in pipeline.stages:
        if isinstance(stage, Timechart) and range_ms * 1_000_000 < 2 * _longest_ns(stage.width):
            message = "the range may hold no whole bucket of the timechart"
            raise LogExpressionError(message, stage.span[0], "make the range twice as long as a bucket, or longer")
    if not values:
        raise LogExpressionError("no number is left for the value of the rule", last, hint)
    named = {name: _NOT_IN_LABELS.sub("_", name) for name in labels}
    twice = [name for name in named if sum(other == named[name] for other in named.values()) > 1]
    if twice:
        message = f"the columns {' and '.join(twice)} become the label {named[twice[0]]}"
        raise LogExpressionError(message, last, "| rename one of them")
    return LogExpression(text.strip(), pipeline, range_ms, named, values[0])


def _longest_ns(width: int | TimeUnit | None) -> int:
    """How long a bucket may be, in nanoseconds; 0 where it fits itself to the range."""
    hour = 3_600 * 10**9
    match width:
        case None:
            return 0
        case TimeUnit.MINUTE:
            return hour // 60
        case TimeUnit.HOUR:
            return hour
        case TimeUnit.DAY:
            return 25 * hour  # a day on which clocks are set back
        case TimeUnit():
            return 24 * (7 if width is TimeUnit.WEEK else 366) * hour
        case _:
            return width


def compares(pipeline: Pipeline) -> bool:
    """Whether rows are compared with something after they were counted."""
    return any(isinstance(stage, Where) for stage in pipeline.split()[2])


def _columns(pipeline: Pipeline) -> tuple[list[str], list[str]]:
    """The columns that come out by which records were counted, and those that hold numbers."""
    labels: list[str] = []
    values: list[str] = []
    for stage in pipeline.stages:
        match stage:
            case Stats() | Timechart():
                labels = [name.name for name in stage.by if name.name != TIME_COLUMN]
                values = [name for name, _ in stage.metrics]
            case Top():
                labels, values = [name.name for name in stage.names], [COUNT_COLUMN, PERCENT_COLUMN]
            case Rename():
                names = {old.name: new for old, new in stage.names}
                labels, values = ([names.get(one, one) for one in some] for some in (labels, values))
            case Fields():
                kept = [name.name for name in stage.names]
                labels = [name for name in labels if name in kept]
                values = [name for name in kept if name in values]
            case Eval():
                labels = [name for name in labels if name != stage.name]
                values = [*(name for name in values if name != stage.name), stage.name]
            case Extract():
                labels += [name for name, _ in stage.holes if name not in labels]
            case _:
                pass
    return labels, values


def _faster(stage: Stage, factor: float) -> Stage:
    if isinstance(stage, Timechart) and isinstance(stage.width, int):
        return replace(stage, width=max(1_000_000, round(stage.width / factor)))
    return stage

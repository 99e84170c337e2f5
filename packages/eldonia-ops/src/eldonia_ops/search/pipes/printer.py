"""A pipeline becomes text; :func:`~eldonia_ops.search.pipes.parser.parse_pipeline` reads it again."""

import re
from typing import Final

from eldonia_ops.model.condition_text import format_field, quoted
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.durations import format_duration
from eldonia_ops.search.aggregates import Metric
from eldonia_ops.search.pipes.functions import function_name
from eldonia_ops.search.pipes.pipeline import (
    MESSAGE,
    Dedup,
    Eval,
    Expression,
    Extract,
    Fields,
    Head,
    Number,
    Operation,
    Pipeline,
    Rename,
    Sort,
    Stage,
    Stats,
    Timechart,
    Top,
    Where,
)
from eldonia_ops.search.printer import format_search
from eldonia_ops.search.time_steps import TimeUnit

_PLAIN: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_NS: Final = 1_000_000


def format_pipeline(pipeline: Pipeline) -> str:
    """The text of a pipeline; '' for every record."""
    search = format_search(pipeline.search)
    return " | ".join([search or "*", *map(_stage, pipeline.stages)]) if pipeline.stages else search


def _stage(stage: Stage) -> str:
    match stage:
        case Where():
            return f"where {format_search(stage.search) or '*'}"
        case Extract():
            written = f"/{stage.text.replace('/', chr(92) + '/')}/" if stage.is_pattern else quoted(stage.text)
            return f"extract {written}{'' if stage.source == MESSAGE else f' from {format_field(stage.source)}'}"
        case Eval():
            return f"eval {_made(stage.name)} = {_expression(stage.expression)}"
        case Rename():
            return f"rename {', '.join(f'{format_field(old)} as {_made(new)}' for old, new in stage.names)}"
        case Fields():
            return f"fields {_names(stage.names)}"
        case Sort():
            return f"sort {', '.join(('-' if down else '') + format_field(name) for name, down in stage.keys)}"
        case Head():
            return f"head {stage.count}"
        case Dedup():
            return f"dedup {_names(stage.names)}"
        case Stats():
            return f"stats {_metrics(stage.metrics)}{_by(stage.by)}"
        case Timechart():
            return f"timechart {_width(stage.width)}{_metrics(stage.metrics)}{_by(stage.by)}"
        case Top():
            return f"{'rare' if stage.rare else 'top'} {stage.count} {_names(stage.names)}"


def _width(width: int | TimeUnit | None) -> str:
    if width is None:
        return ""
    return f"{width.value if isinstance(width, TimeUnit) else format_duration(width // _NS)} "


def _metrics(metrics: tuple[tuple[str, Metric], ...]) -> str:
    return ", ".join(_metric(name, metric) for name, metric in metrics)


def _metric(name: str, metric: Metric) -> str:
    field = "" if metric.name is None else format_field(metric.name)
    only = "" if metric.only is None else f" if ({format_search(metric.only) or '*'})"
    return f"{function_name(metric)}({field}){only} as {_made(name)}"


def _by(names: tuple[FieldName, ...]) -> str:
    return f" by {_names(names)}" if names else ""


def _names(names: tuple[FieldName, ...]) -> str:
    return ", ".join(map(format_field, names))


def _made(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quoted(name)


def _expression(expression: Expression) -> str:
    match expression:
        case Number():
            whole = expression.value.is_integer() and abs(expression.value) < 1e15
            return str(int(expression.value)) if whole else repr(expression.value)
        case FieldName():
            return format_field(expression)
        case Operation(name, (one,)):
            return f"{name}({_expression(one)})"
        case Operation(name, (left, right)):
            return f"({_expression(left)} {name} {_expression(right)})"
        case _:
            raise ValueError("an operation has one operand or two")

"""Arithmetic with durations inside ``[...]`` and after ``offset``."""

import math

from eldonia_ops.promql.ast import Duration, DurationExpr

_LONGEST_MS = 2**63 // 1_000_000


def constant(expr: DurationExpr) -> bool:
    """Whether the expression depends on neither the query's step nor its range."""
    return expr.op not in ("step", "range") and all(constant(item) for item in expr.args)


def seconds(expr: DurationExpr, step_ms: int, range_ms: int) -> float:
    """The value of a duration expression in seconds.

    Raises:
        ValueError: division by zero.
    """
    values = [seconds(item, step_ms, range_ms) for item in expr.args]
    match expr.op:
        case "number":
            return expr.value
        case "step":
            return step_ms / 1000
        case "range":
            return range_ms / 1000
        case "neg":
            return -values[0]
        case "min_of":
            return min(values)
        case "max_of":
            return max(values)
        case "+":
            return values[0] + values[1]
        case "-":
            return values[0] - values[1]
        case "*":
            return values[0] * values[1]
        case "^":
            try:
                result = values[0] ** values[1]
            except (OverflowError, ZeroDivisionError):
                raise ValueError("duration out of range") from None
            if isinstance(result, complex):
                raise ValueError("duration is not a number")
            return result
        case "/":
            if values[1] == 0:
                raise ValueError("division by zero")
            return values[0] / values[1]
        case _:
            if values[1] == 0:
                raise ValueError("modulo by zero")
            return math.fmod(values[0], values[1])


def milliseconds(duration: Duration, step_ms: int, range_ms: int) -> int:
    """A duration as whole milliseconds.

    Raises:
        ValueError: division by zero, or a value beyond about 292 years.
    """
    if isinstance(duration, int):
        return duration
    value = seconds(duration, step_ms, range_ms)
    if not math.isfinite(value) or abs(value) * 1000 > _LONGEST_MS:
        raise ValueError("duration out of range")
    return round(value * 1000)

"""The same expression on a faster clock."""

from dataclasses import replace

from eldonia_ops.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Duration,
    DurationExpr,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)


def scale_durations(expr: Expr, factor: float) -> Expr:
    """Divide every range, offset and subquery step by ``factor``, to whole milliseconds (at least one).

    Numbers, thresholds and ``@`` instants stay as they are: a rate is still per second.

    Raises:
        ValueError: the factor is not above zero.
    """
    if not factor > 0:
        raise ValueError("the factor must be above zero")
    match expr:
        case VectorSelector():
            return replace(expr, offset=scale_duration(expr.offset, factor))
        case MatrixSelector():
            selector = replace(expr.selector, offset=scale_duration(expr.selector.offset, factor))
            return replace(expr, selector=selector, range=scale_duration(expr.range, factor))
        case Subquery():
            return replace(
                expr,
                expr=scale_durations(expr.expr, factor),
                range=scale_duration(expr.range, factor),
                step=None if expr.step is None else scale_duration(expr.step, factor),
                offset=scale_duration(expr.offset, factor),
            )
        case Call():
            return replace(expr, args=tuple(scale_durations(arg, factor) for arg in expr.args))
        case Aggregate():
            param = None if expr.param is None else scale_durations(expr.param, factor)
            return replace(expr, expr=scale_durations(expr.expr, factor), param=param)
        case Binary():
            left, right = scale_durations(expr.left, factor), scale_durations(expr.right, factor)
            return replace(expr, left=left, right=right)
        case Unary() | Paren():
            return replace(expr, expr=scale_durations(expr.expr, factor))
        case _:
            return expr


def scale_duration(duration: Duration, factor: float) -> Duration:
    """One duration divided by ``factor``; zero stays zero, anything else keeps at least a millisecond."""
    if isinstance(duration, DurationExpr):
        return DurationExpr("/", (duration, DurationExpr("number", (), factor)))
    scaled = round(duration / factor)
    if scaled == 0 and duration != 0:
        return 1 if duration > 0 else -1
    return scaled

"""Names and types of functions, aggregations and operators."""

from dataclasses import dataclass
from typing import Final

AGGREGATIONS: Final = frozenset(
    [
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "quantile",
        "count_values",
        "limitk",
        "limit_ratio",
    ]
)
PARAMETRIC: Final = frozenset(["topk", "bottomk", "quantile", "count_values", "limitk", "limit_ratio"])
SET_OPERATORS: Final = frozenset(("and", "or", "unless"))
COMPARISONS: Final = frozenset(("==", "!=", "<", ">", "<=", ">="))
TRIMS: Final = frozenset(("</", ">/"))
"""Operators that keep of a native histogram what lies below a number, or above it."""
PRECEDENCE: Final = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(COMPARISONS, 3),
    **dict.fromkeys(TRIMS, 3),
    "+": 4,
    "-": 4,
    "*": 5,
    "/": 5,
    "%": 5,
    "atan2": 5,
    "^": 6,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """A function's types. The last argument may be left out ``optional`` times, or repeated when ``variadic``."""

    args: tuple[str, ...]
    returns: str
    optional: int = 0
    variadic: bool = False

    @property
    def least(self) -> int:
        """How many arguments there must be."""
        return len(self.args) - self.optional

    @property
    def most(self) -> int | None:
        """How many arguments there may be; None for any number."""
        return None if self.variadic else len(self.args)


def _table() -> dict[str, Signature]:
    vector, matrix, scalar, string = "vector", "matrix", "scalar", "string"
    table: dict[str, Signature] = {}
    for name in [
        "abs",
        "ceil",
        "exp",
        "floor",
        "ln",
        "log10",
        "log2",
        "sgn",
        "sqrt",
        "sort",
        "sort_desc",
        "timestamp",
        "absent",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "cos",
        "cosh",
        "sin",
        "sinh",
        "tan",
        "tanh",
        "deg",
        "rad",
    ]:
        table[name] = Signature((vector,), vector)
    for name in [
        "rate",
        "irate",
        "increase",
        "delta",
        "idelta",
        "deriv",
        "changes",
        "resets",
        "absent_over_time",
        "present_over_time",
        "sum_over_time",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "count_over_time",
        "last_over_time",
        "first_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "mad_over_time",
        "ts_of_min_over_time",
        "ts_of_max_over_time",
        "ts_of_last_over_time",
        "ts_of_first_over_time",
    ]:
        table[name] = Signature((matrix,), vector)
    for name in ["day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]:
        table[name] = Signature((vector,), vector, optional=1)
    for name in ["histogram_avg", "histogram_count", "histogram_sum", "histogram_stddev", "histogram_stdvar"]:
        table[name] = Signature((vector,), vector)
    return table | {
        "quantile_over_time": Signature((scalar, matrix), vector),
        "predict_linear": Signature((matrix, scalar), vector),
        "double_exponential_smoothing": Signature((matrix, scalar, scalar), vector),
        "histogram_quantile": Signature((scalar, vector), vector),
        "histogram_quantiles": Signature((vector, string, scalar, scalar), vector, optional=1, variadic=True),
        "histogram_fraction": Signature((scalar, scalar, vector), vector),
        "clamp": Signature((vector, scalar, scalar), vector),
        "clamp_min": Signature((vector, scalar), vector),
        "clamp_max": Signature((vector, scalar), vector),
        "round": Signature((vector, scalar), vector, optional=1),
        "label_replace": Signature((vector, string, string, string, string), vector),
        "label_join": Signature((vector, string, string, string), vector, optional=1, variadic=True),
        "sort_by_label": Signature((vector, string), vector, optional=1, variadic=True),
        "sort_by_label_desc": Signature((vector, string), vector, optional=1, variadic=True),
        "info": Signature((vector, vector), vector, optional=1),
        "vector": Signature((scalar,), vector),
        "scalar": Signature((vector,), scalar),
        "min_of": Signature((scalar, scalar), scalar),
        "max_of": Signature((scalar, scalar), scalar),
        "time": Signature((), scalar),
        "pi": Signature((), scalar),
        "start": Signature((), scalar),
        "end": Signature((), scalar),
        "step": Signature((), scalar),
        "range": Signature((), scalar),
    }


FUNCTIONS: Final = _table()

ANCHORABLE: Final = ("changes", "delta", "increase", "rate", "resets")
SMOOTHABLE: Final = ("delta", "increase", "rate")
KEEPS_NAME: Final = frozenset(
    [
        "last_over_time",
        "first_over_time",
        "sort",
        "sort_desc",
        "sort_by_label",
        "sort_by_label_desc",
        "label_replace",
        "label_join",
        "info",
    ]
)
"""Functions whose result keeps the metric name."""

"""Functions of single values: mathematics, calendar, rounding."""

from collections.abc import Callable
from typing import Final

import numpy as np

from eldonia_ops.promql.frame import Floats


def _sign(values: Floats) -> Floats:
    return np.where(np.isnan(values), values, np.sign(values))


MATHEMATICS: Final[dict[str, Callable[[Floats], Floats]]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "sgn": _sign,
    "acos": np.arccos,
    "acosh": np.arccosh,
    "asin": np.arcsin,
    "asinh": np.arcsinh,
    "atan": np.arctan,
    "atanh": np.arctanh,
    "cos": np.cos,
    "cosh": np.cosh,
    "sin": np.sin,
    "sinh": np.sinh,
    "tan": np.tan,
    "tanh": np.tanh,
    "deg": np.degrees,
    "rad": np.radians,
}


def round_to(values: Floats, nearest: Floats) -> Floats:
    """Round to a multiple of ``nearest``, halves up."""
    inverse = 1.0 / nearest
    return np.floor(values * inverse + 0.5) / inverse


def _whole_days(values: Floats) -> np.ndarray:
    # Beyond the calendar of datetime64 nothing sensible can be said; Go's time wraps there as well.
    seconds = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0).clip(-6e10, 2.5e11)
    return np.floor(seconds).astype("int64").astype("datetime64[s]")


def _day_of_month(moments: np.ndarray) -> np.ndarray:
    days = moments.astype("datetime64[D]")
    return (days - moments.astype("datetime64[M]").astype("datetime64[D]")).astype("int64") + 1


def _day_of_week(moments: np.ndarray) -> np.ndarray:
    return (moments.astype("datetime64[D]").astype("int64") + 4) % 7


def _day_of_year(moments: np.ndarray) -> np.ndarray:
    days = moments.astype("datetime64[D]")
    return (days - moments.astype("datetime64[Y]").astype("datetime64[D]")).astype("int64") + 1


def _days_in_month(moments: np.ndarray) -> np.ndarray:
    months = moments.astype("datetime64[M]")
    return ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype("int64")


_CALENDAR: Final[dict[str, Callable[[np.ndarray], np.ndarray]]] = {
    "minute": lambda moments: moments.astype("int64") // 60 % 60,
    "hour": lambda moments: moments.astype("int64") // 3600 % 24,
    "day_of_month": _day_of_month,
    "day_of_week": _day_of_week,
    "day_of_year": _day_of_year,
    "days_in_month": _days_in_month,
    "month": lambda moments: moments.astype("datetime64[M]").astype("int64") % 12 + 1,
    "year": lambda moments: moments.astype("datetime64[Y]").astype("int64") + 1970,
}

CALENDAR: Final = frozenset(_CALENDAR)


def calendar(name: str, values: Floats) -> Floats:
    """A calendar field (UTC) of Unix seconds; NaN stays NaN."""
    fields = _CALENDAR[name](_whole_days(values)).astype(np.float64)
    return np.where(np.isnan(values), np.nan, fields)

"""The functions and commands of pipes by the names under which people write them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from eldonia_ops.search.aggregates import Metric, MetricFunction
from eldonia_ops.search.time_steps import TimeUnit

COMMANDS: Final = (
    *("stats", "timechart", "top", "rare", "where", "sort", "head", "dedup", "extract", "fields", "rename", "eval"),
)
FUNCTIONS: Final[Mapping[str, MetricFunction]] = MappingProxyType(
    {
        "count": MetricFunction.COUNT,
        "sum": MetricFunction.SUM,
        "avg": MetricFunction.AVG,
        "min": MetricFunction.MIN,
        "max": MetricFunction.MAX,
        "stddev": MetricFunction.STDDEV,
        "variance": MetricFunction.VARIANCE,
        "uniq": MetricFunction.UNIQ,
        "first": MetricFunction.FIRST,
        "last": MetricFunction.LAST,
    }
)
SYNONYMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("dc", "distinct", "cardinality", "count_distinct", "count_uniq", "unique"), "uniq"),
        **dict.fromkeys(("mean", "average"), "avg"),
        **dict.fromkeys(("stdev", "stddev_pop"), "stddev"),
        **dict.fromkeys(("earliest", "oldest"), "first"),
        **dict.fromkeys(("latest", "newest"), "last"),
        "var": "variance",
        "c": "count",
    }
)
SHOWN_FUNCTIONS: Final = (*FUNCTIONS, "p50", "p95", "p99")
ARITHMETIC: Final = ("round", "floor", "ceil", "abs", "sqrt")
UNITS: Final[Mapping[str, TimeUnit]] = MappingProxyType(
    {
        **{unit.value: unit for unit in TimeUnit},
        "1d": TimeUnit.DAY,
        "1w": TimeUnit.WEEK,
        "1y": TimeUnit.YEAR,
    }
)
PERCENTILE: Final = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,4})?)")
_NAMES: Final = {function: name for name, function in FUNCTIONS.items()}


def function_name(metric: Metric) -> str:
    """How the function of a metric is written."""
    if metric.function is MetricFunction.PERCENTILE:
        return f"p{metric.argument:g}"
    return _NAMES[metric.function]


def default_name(metric: Metric) -> str:
    """The column of a metric that was given no name."""
    name = function_name(metric)
    return name if metric.name is None else f"{name}_{metric.name.name}"

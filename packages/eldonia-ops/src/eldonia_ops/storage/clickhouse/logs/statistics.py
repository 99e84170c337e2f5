"""SQL for the statistics that aggregates of pipes and buckets of Elasticsearch's API have in common.

:mod:`eldonia_ops.search.statistics` computes the same in Python.
"""

from collections.abc import Iterable


def distinct_sql(value: str) -> str:
    """How many different values: exact up to some ten thousand, within about 0.5 % beyond; 0 for none."""
    return f"ifNull(uniqCombined64(17)({value}), 0)"


def quantiles_sql(levels: Iterable[float], value: str) -> str:
    """An array of quantiles, for levels between 0 and 1, between two neighbours in proportion; NaN for none."""
    return f"quantilesExactInclusive({', '.join(repr(float(level)) for level in levels)})({value})"


def squares_sql(value: str) -> str:
    """The sum of the squares."""
    return f"sum({value} * {value})"

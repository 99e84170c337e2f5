"""Range functions over series that hold native histograms.

Rates follow Prometheus' promql/functions.go (``histogramRate``, ``extrapolatedRate``, ``instantValue``).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np

from eldonia_ops.model.labels import METRIC_NAME
from eldonia_ops.model.native_histogram import NativeHistogram, ResetHint, reduced
from eldonia_ops.promql.annotations import Annotations
from eldonia_ops.promql.histogram_arithmetic import (
    EMPTY_HISTOGRAM,
    Combined,
    MixedSchemasError,
    added,
    divided,
    equal,
    is_custom,
    mean,
    scaled,
    subtracted,
    total,
)
from eldonia_ops.promql.mixed_series import Value, Window
from eldonia_ops.promql.rates import Reducer
from eldonia_ops.promql.windows import Dense, Windows

MixedReducer: TypeAlias = Callable[[Window], Value | None]

FLOATS_ALONE: Final = frozenset(
    [
        "min_over_time",
        "max_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "mad_over_time",
        "quantile_over_time",
        "ts_of_min_over_time",
        "ts_of_max_over_time",
        "deriv",
        "predict_linear",
        "double_exponential_smoothing",
    ]
)
"""Functions that pass over histograms."""


class Notes:
    """Remarks on one argument of a function, as Prometheus words them (util/annotations/annotations.go)."""

    def __init__(self, annotations: Annotations, position: int) -> None:
        self._annotations = annotations
        self._position = position

    def warn(self, message: str) -> None:
        """Note something grave."""
        self._annotations.warn(message, self._position)

    def inform(self, message: str) -> None:
        """Note something odd."""
        self._annotations.inform(message, self._position)

    def about(self, message: str, name: str) -> None:
        """Note something grave about a metric."""
        self.warn(f'{message} "{name}"')

    def not_counter(self, name: str) -> None:
        """A gauge where a counter is expected."""
        self.about("this native histogram metric is not a counter:", name)

    def not_gauge(self, name: str) -> None:
        """A counter where a gauge is expected."""
        self.about("this native histogram metric is not a gauge:", name)

    def mixed_values(self, name: str) -> None:
        """Floats and histograms in one range."""
        self.about("encountered a mix of histograms and floats for metric name", name)

    def mixed_schemas(self, name: str = "") -> None:
        """Exponential buckets and bounds of their own together."""
        message = "vector contains a mix of histograms with exponential and custom buckets schemas for metric name"
        self.about(message, name)

    def incompatible(self, op: str, left: str, right: str) -> None:
        """Types of samples that an operator does not take."""
        self.inform(f'incompatible sample types encountered for binary operator "{op}": {left} {op} {right}')

    def combined(self, found: Combined, what: str, *, hints: bool = True) -> NativeHistogram:
        """The value of a combination, with what there is to note of it."""
        if found.collision and hints:
            self.warn(f"conflicting counter resets during histogram {what}")
        if found.reconciled:
            self.inform(f"mismatched custom buckets were reconciled during {what}")
        return found.value


def mixed_reducer(name: str, notes: Notes, prepare: Callable[[Dense], Reducer], params: Sequence) -> MixedReducer:
    """How a range function works on one window of a mixed series.

    ``prepare`` is the function over floats; it is used for windows without histograms. ``params`` are the scalar
    arguments at the window's step, each ``[1]``.
    """

    def of_floats(window: Window, rows: list[int]) -> Value | None:
        if not rows:
            return None
        values = np.array([[window.series.floats[row]] for row in rows])
        one = np.array([0]), np.array([len(rows)])
        borders = np.array([window.start_ms]), np.array([window.end_ms]), np.array([window.time_ms])
        dense = Dense([window.series.labels], window.series.times[rows], values)
        found, present = prepare(dense)(Windows(*one, *borders, tuple(params)))
        return float(found[0, 0]) if present[0] else None

    def reduce(window: Window) -> Value | None:
        rows = range(window.low, window.high)
        floats = [row for row in rows if not window.series.is_histogram(row)]
        if len(floats) == len(rows):
            return of_floats(window, floats)
        metric = window.series.labels.get(METRIC_NAME, "")
        if name in FLOATS_ALONE:
            if floats:
                message = "ignored histograms in a range containing both floats and histograms for metric name"
                notes.inform(f'{message} "{metric}"')
            return of_floats(window, floats)
        return _REDUCERS[name](window, metric, bool(floats), notes)

    return reduce


def _rate(window: Window, metric: str, mixed: bool, notes: Notes, *, counter: bool, per_second: bool) -> Value | None:
    many = window.high - window.low
    if mixed:
        notes.mixed_values(metric)
        return None
    if many < 2:
        return None
    series = window.series
    values = [value for value in window.values if isinstance(value, NativeHistogram)]
    try:
        result = _increase(window, values, metric, notes, counter=counter)
    except MixedSchemasError:
        notes.mixed_schemas(metric)
        return None
    first, last = int(series.times[window.low]), int(series.times[window.high - 1])
    sampled = (last - first) / 1000
    average = sampled / (many - 1)
    to_start, to_end = (first - window.start_ms) / 1000, (window.end_ms - last) / 1000
    if to_start >= average * 1.1:
        to_start = average / 2
    if counter and result.count > 0 and values[0].count >= 0:
        to_start = min(to_start, sampled * (values[0].count / result.count))
    if to_end >= average * 1.1:
        to_end = average / 2
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return scaled(result, factor)


def _increase(
    window: Window, values: list[NativeHistogram], metric: str, notes: Notes, *, counter: bool
) -> NativeHistogram:
    series = window.series
    first, last = values[0], values[-1]
    gauges = [value.reset_hint is ResetHint.GAUGE for value in values]
    if counter and any(gauges):
        notes.not_counter(metric)
    if not counter and not (gauges[0] and gauges[-1]):
        notes.not_gauge(metric)
    if counter and series.was_reset(window.low + 1):
        # What the first sample counted is gone, so its buckets need not fit.
        second = values[1]
        first = replace(EMPTY_HISTOGRAM, schema=second.schema, custom_bounds=second.custom_bounds)
    between = values[1:-1] if counter else []
    if any(is_custom(value) != is_custom(first) for value in (*between, last)):
        raise MixedSchemasError
    schema = min(value.schema for value in (first, *between, last))
    result = notes.combined(subtracted(reduced(last, schema), first), "subtraction", hints=False)
    if counter:
        previous = first
        for row, current in enumerate(values[1:], start=window.low + 1):
            if series.was_reset(row):
                result = notes.combined(added(result, previous), "addition", hints=False)
            previous = current
    return replace(result, reset_hint=ResetHint.GAUGE)


def _instant(window: Window, metric: str, _: bool, notes: Notes, *, counter: bool) -> Value | None:
    if window.high - window.low < 2:
        return None
    series, row = window.series, window.high - 1
    older, newer = series.value(row - 1), series.value(row)
    seconds = (int(series.times[row]) - int(series.times[row - 1])) / 1000
    if not isinstance(older, NativeHistogram) and not isinstance(newer, NativeHistogram):
        result = newer if counter and newer < older else newer - older
        return result / seconds if counter else result
    if not isinstance(older, NativeHistogram) or not isinstance(newer, NativeHistogram):
        notes.mixed_values(metric)
        return None
    gauges = [value.reset_hint is ResetHint.GAUGE for value in (older, newer)]
    if counter and any(gauges):
        notes.not_counter(metric)
    if not counter and not all(gauges):
        notes.not_gauge(metric)
    result = newer
    if not counter or not series.was_reset(row):
        try:
            result = notes.combined(subtracted(newer, older), "subtraction", hints=False)
        except MixedSchemasError:
            notes.mixed_schemas(metric)
            return None
    result = replace(result, reset_hint=ResetHint.GAUGE)
    return divided(result, seconds) if counter else result


def _together(window: Window, metric: str, mixed: bool, notes: Notes, *, average: bool) -> Value | None:
    if mixed:
        notes.mixed_values(metric)
        return None
    values = [value for value in window.values if isinstance(value, NativeHistogram)]
    try:
        return notes.combined((mean if average else total)(values), "aggregation")
    except MixedSchemasError:
        notes.mixed_schemas(metric)
        return None


def _changes(window: Window, *_: object) -> Value | None:
    values = window.values
    return float(sum(_differ(before, after) for before, after in pairwise(values)))


def _differ(before: Value, after: Value) -> bool:
    if isinstance(before, NativeHistogram) and isinstance(after, NativeHistogram):
        return not equal(before, after)
    if isinstance(before, NativeHistogram) or isinstance(after, NativeHistogram):
        return True
    return before != after and not (math.isnan(before) and math.isnan(after))


def _resets(window: Window, *_: object) -> Value | None:
    found = 0
    for row in range(window.low + 1, window.high):
        before, after = window.series.value(row - 1), window.series.value(row)
        if isinstance(before, NativeHistogram) and isinstance(after, NativeHistogram):
            found += window.series.was_reset(row)
        elif isinstance(before, NativeHistogram) or isinstance(after, NativeHistogram):
            found += 1
        else:
            found += after < before
    return float(found)


_REDUCERS: Final[dict[str, Callable[[Window, str, bool, Notes], Value | None]]] = {
    "rate": lambda *given: _rate(*given, counter=True, per_second=True),
    "increase": lambda *given: _rate(*given, counter=True, per_second=False),
    "delta": lambda *given: _rate(*given, counter=False, per_second=False),
    "irate": lambda *given: _instant(*given, counter=True),
    "idelta": lambda *given: _instant(*given, counter=False),
    "sum_over_time": lambda *given: _together(*given, average=False),
    "avg_over_time": lambda *given: _together(*given, average=True),
    "changes": _changes,
    "resets": _resets,
    "last_over_time": lambda window, *_: window.series.value(window.high - 1),
    "first_over_time": lambda window, *_: window.series.value(window.low),
    "count_over_time": lambda window, *_: float(window.high - window.low),
    "present_over_time": lambda *_: 1.0,
    "ts_of_last_over_time": lambda window, *_: float(window.series.times[window.high - 1] / 1000),
    "ts_of_first_over_time": lambda window, *_: float(window.series.times[window.low] / 1000),
}

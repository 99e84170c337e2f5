"""What each function does, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeAlias

import numpy as np

from eldonia_ops.model.labels import EMPTY, METRIC_NAME, Labels
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql import elementwise, histogram_statistics, histograms, info, label_functions, over_time, rates
from eldonia_ops.promql.annotations import Annotations
from eldonia_ops.promql.ast import Call, Expr, MatrixSelector, Subquery, ValueType, VectorSelector, unwrap, value_type
from eldonia_ops.promql.errors import EvaluationError
from eldonia_ops.promql.frame import Floats, Frame, Ints, concatenate, of_cells, unite
from eldonia_ops.promql.histogram_ranges import Notes, mixed_reducer
from eldonia_ops.promql.plan import Plan, info_reference
from eldonia_ops.promql.printer import format_number
from eldonia_ops.promql.result import shown
from eldonia_ops.promql.selection import Selection
from eldonia_ops.promql.signatures import KEEPS_NAME
from eldonia_ops.promql.windows import Dense, Windows


class Evaluator(Protocol):
    """What functions need of the evaluation they are part of."""

    plan: Plan
    annotations: Annotations
    selection: Selection

    def vector(self, expr: Expr, times: Ints) -> Frame:
        """An instant vector."""
        ...

    def scalar(self, expr: Expr, times: Ints) -> Floats:
        """A scalar, ``[N]``."""
        ...

    def text(self, expr: Expr) -> str:
        """A string."""
        ...

    def check_quantile(self, phi: Floats, node: Expr) -> None:
        """Warn of a quantile outside 0..1."""
        ...


Function: TypeAlias = Callable[[Evaluator, Call, Ints], Frame | Floats]


def call_function(evaluator: Evaluator, call: Call, times: Ints) -> Frame | Floats:
    """Evaluate a call at every step.

    Raises:
        EvaluationError: the function cannot be applied to the data.
    """
    with np.errstate(all="ignore"):
        return FUNCTION_TABLE[call.function](evaluator, call, times)


# --- range functions ---


def _window_start(windows: Windows) -> tuple[Ints, np.ndarray]:
    return windows.lo, windows.counts > 0


def _reducer(name: str, modifier: str, lookback_ms: int) -> Callable[[Dense], rates.Reducer]:
    """How a range function works on a dense block."""
    if name in ("rate", "increase", "delta"):
        kinds = {"counter": name != "delta", "per_second": name == "rate"}
        if modifier:
            smooth = modifier == "smoothed"
            return lambda dense: rates.extended(dense, lookback_ms, smooth=smooth, **kinds)
        return lambda dense: rates.extrapolated(dense, **kinds)
    match name:
        case "irate" | "idelta":
            return lambda dense: rates.last_two(dense, counter=name == "irate")
        case "changes" | "resets":

            def prepare(dense: Dense) -> rates.Reducer:
                def from_anchor(windows: Windows) -> tuple[Ints, np.ndarray]:
                    return rates.anchor(dense, windows, lookback_ms), windows.counts > 0

                values = dense.values
                happened = rates.differs(values) if name == "changes" else values[1:] < values[:-1]
                return rates.counted(dense, happened, from_anchor if modifier else _window_start)

            return prepare
        case "deriv":
            return lambda dense: over_time.by_cube(dense, over_time.derivative, 2)
        case "predict_linear":
            return lambda dense: over_time.by_cube(dense, over_time.prediction, 2)
        case "double_exponential_smoothing":
            return lambda dense: over_time.by_cube(dense, over_time.smoothing, 2)
        case "quantile_over_time":
            return lambda dense: over_time.by_cube(dense, over_time.quantile)
        case "mad_over_time":
            return lambda dense: over_time.by_cube(dense, over_time.median_deviation)
        case "stddev_over_time":
            return lambda dense: over_time.by_cube(dense, over_time.deviation)
        case "stdvar_over_time":
            return lambda dense: over_time.by_cube(dense, over_time.variance)
        case "ts_of_max_over_time" | "ts_of_min_over_time":
            largest = name == "ts_of_max_over_time"
            return lambda dense: over_time.by_cube(
                dense, lambda values, inside, stamps, _: over_time.extreme_time(values, inside, stamps, largest=largest)
            )
        case _:
            return partial(over_time.simple, name)


def _range_function(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    node: MatrixSelector | Subquery | None = None
    params: list[Floats] = []
    for arg in call.args:
        inner = unwrap(arg)
        if value_type(inner) is ValueType.MATRIX:
            assert isinstance(inner, MatrixSelector | Subquery)
            node = inner
        else:
            params.append(evaluator.scalar(arg, times))
    assert node is not None
    if call.function == "quantile_over_time":
        evaluator.check_quantile(params[0], call.args[0])
    if call.function == "double_exponential_smoothing":
        for param, what in zip(params, ("smoothing", "trend"), strict=True):
            outside = [value for value in param.tolist() if not 0 < value < 1]
            for value in outside[:1]:
                message = f"invalid {what} factor. Expected: 0 < factor < 1, got: {format_number(value)}"
                raise EvaluationError(message, call.start)
    modifier = node.selector.modifier if isinstance(node, MatrixSelector) else ""
    reducer = _reducer(call.function, modifier, evaluator.plan.lookback_ms)
    keep = call.function in KEEPS_NAME
    notes = Notes(evaluator.annotations, node.start)
    mixed = partial(mixed_reducer, call.function, notes, reducer)
    frame = evaluator.selection.over(node, times, reducer, tuple(params), keep_name=keep, mixed=mixed)
    if call.function in ("rate", "increase", "irate") and isinstance(node, MatrixSelector):
        _remark_on_counters(evaluator, frame.floats(), call.args[0])
    return frame


_COUNTER_SUFFIXES = ("_total", "_sum", "_count", "_bucket")


def _remark_on_counters(evaluator: Evaluator, frame: Frame, node: Expr) -> None:
    # There are thousands of series and few metrics: first what is distinct, then what is to be said about it.
    metrics = dict.fromkeys([(labels.get(METRIC_NAME, ""), labels.get("__type__", "")) for labels in frame.labels])
    for name, type_ in metrics:
        if not name:
            continue
        if type_:
            if type_ not in ("counter", "histogram"):
                message = (
                    'metric might not be a counter, __type__ label is not set to "counter" or "histogram", '
                    f'got "{type_}": "{name}"'
                )
                evaluator.annotations.inform(message, node.start)
        elif not name.endswith(_COUNTER_SUFFIXES):
            message = f'metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "{name}"'
            evaluator.annotations.inform(message, node.start)


# --- absence ---


def _absent_labels(expr: Expr) -> Labels:
    """The labels that a missing series would certainly have had."""
    expr = unwrap(expr)
    selector = expr.selector if isinstance(expr, MatrixSelector) else expr
    if not isinstance(selector, VectorSelector):
        return EMPTY
    known: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in selector.matchers:
        if matcher.name == METRIC_NAME:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.name not in seen:
            known[matcher.name] = matcher.value
        else:
            known.pop(matcher.name, None)
        seen.add(matcher.name)
    return Labels(known)


def _missing(frame: Frame, labels: Labels, steps: int) -> Frame:
    there = frame.mask.any(axis=1, keepdims=True) if frame.width else np.zeros((steps, 1), bool)
    result = Frame([labels], np.ones((steps, 1)), np.logical_not(there), np.zeros(1, bool))
    return result.present()


def _absent(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    return _missing(evaluator.vector(call.args[0], times), _absent_labels(call.args[0]), len(times))


def _absent_over_time(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    node = unwrap(call.args[0])
    assert isinstance(node, MatrixSelector | Subquery)
    reducer = partial(over_time.simple, "present_over_time")
    mixed = partial(mixed_reducer, "present_over_time", Notes(evaluator.annotations, node.start), reducer)
    frame = evaluator.selection.over(node, times, reducer, mixed=mixed)
    return _missing(frame, _absent_labels(node), len(times))


# --- element by element ---


def _mathematics(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    frame = evaluator.vector(call.args[0], times).floats()
    return frame.with_values(elementwise.MATHEMATICS[call.function](frame.values))


def _calendar(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    if not call.args:
        values = elementwise.calendar(call.function, times / 1000)
        return _constant(values)
    frame = evaluator.vector(call.args[0], times).floats()
    return frame.with_values(elementwise.calendar(call.function, frame.values))


def _clamp(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    frame = evaluator.vector(call.args[0], times).floats()
    bounds = [evaluator.scalar(arg, times)[:, None] for arg in call.args[1:]]
    match call.function:
        case "clamp_min":
            return frame.with_values(np.maximum(frame.values, bounds[0]))
        case "clamp_max":
            return frame.with_values(np.minimum(frame.values, bounds[0]))
    low, high = bounds
    clamped = np.maximum(low, np.minimum(high, frame.values))
    return frame.with_values(clamped, frame.mask & ~(high < low)).present()


def _round(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    frame = evaluator.vector(call.args[0], times).floats()
    nearest = evaluator.scalar(call.args[1], times) if len(call.args) > 1 else np.ones(len(times))
    return frame.with_values(elementwise.round_to(frame.values, nearest[:, None]))


def _timestamp(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    inner = unwrap(call.args[0])
    if isinstance(inner, VectorSelector):
        frame = evaluator.selection.instant(inner, times, timestamps=True)
        return frame.with_values(frame.values)
    frame = evaluator.vector(inner, times)
    return frame.with_values(np.broadcast_to((times / 1000)[:, None], frame.values.shape))


# --- scalars ---


def _constant(values: Floats) -> Frame:
    return Frame([EMPTY], values[:, None], np.ones((len(values), 1), bool), np.zeros(1, bool))


def _vector(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    return _constant(evaluator.scalar(call.args[0], times))


def _scalar(evaluator: Evaluator, call: Call, times: Ints) -> Floats:
    frame = evaluator.vector(call.args[0], times).floats()
    only = frame.mask.sum(axis=1) == 1
    values = np.where(frame.mask, frame.values, 0.0).sum(axis=1) if frame.width else np.zeros(len(times))
    return np.where(only, values, np.nan)


def _query_scalar(evaluator: Evaluator, call: Call, times: Ints) -> Floats:
    plan = evaluator.plan
    value = {
        "pi": np.pi,
        "start": plan.start_ms / 1000,
        "end": plan.end_ms / 1000,
        "step": plan.step_ms / 1000,
        "range": (plan.end_ms - plan.start_ms) / 1000,
    }[call.function]
    return np.full(len(times), value)


def _extreme_of(evaluator: Evaluator, call: Call, times: Ints) -> Floats:
    left, right = (evaluator.scalar(arg, times) for arg in call.args)
    return np.minimum(left, right) if call.function == "min_of" else np.maximum(left, right)


def _time(_evaluator: Evaluator, _call: Call, times: Ints) -> Floats:
    return times / 1000


# --- labels and order ---


def _label_replace(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    target, replacement, source, pattern = (evaluator.text(arg) for arg in call.args[1:])
    frame = evaluator.vector(call.args[0], times)
    replacement = shown(replacement)
    return label_functions.label_replace(frame, target, replacement, source, pattern, call.start)


def _label_join(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    target, separator, *sources = (evaluator.text(arg) for arg in call.args[1:])
    frame = evaluator.vector(call.args[0], times)
    return label_functions.label_join(frame, target, shown(separator), sources, call.start)


def _sort(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    frame = evaluator.vector(call.args[0], times)
    if not evaluator.plan.instant:
        message = "sort is ineffective for range queries since results are always ordered by labels"
        evaluator.annotations.warn(message, call.start)
        return frame
    if len(times) != 1:
        return frame
    descending = call.function.endswith("_desc")
    if call.function.startswith("sort_by_label"):
        names = [evaluator.text(arg) for arg in call.args[1:]]
        return label_functions.sort_by_label(frame, names, descending=descending)
    return label_functions.sort_by_value(frame, descending=descending)


# --- histograms ---


@dataclass(slots=True, eq=False)
class _Given:
    """What a function of histograms was given: classic ones with the frame of their buckets, and native ones."""

    frame: Frame
    classic: list[histograms.Histogram]
    native: Frame


def _histograms(evaluator: Evaluator, node: Expr, times: Ints) -> _Given:
    given = evaluator.vector(node, times)
    frame = given.floats()

    def malformed(bound: str, name: str) -> None:
        message = f'bucket label "le" is missing or has a malformed value of "{bound}"'
        evaluator.annotations.warn(message + (f' for metric name "{name}"' if name else ""), node.start)

    return _Given(frame, histograms.collect(frame, malformed), given)


def _with_native(
    evaluator: Evaluator,
    given: _Given,
    classic: Frame,
    node: Expr,
    compute: Callable[[NativeHistogram, int, str], float],
) -> Frame:
    """Join what was computed of classic histograms with ``compute(histogram, step, metric name)`` of native ones.

    Where there are both of one series, there is no result.
    """
    if given.native.histograms is None:
        return unite(classic)
    places = {labels: column for column, labels in enumerate(classic.labels)}
    found: list[tuple[int, int, float]] = []
    for step, column, one in given.native.cells():
        labels = given.native.labels[column]
        name = labels.get(METRIC_NAME, "")
        place = places.get(labels.without(("le",)))
        if place is not None and classic.mask[step, place]:
            classic.mask[step, place] = False
            message = f'vector contains a mix of classic and native histograms for metric name "{name}"'
            evaluator.annotations.warn(message, node.start)
            continue
        found.append((step, column, compute(one, step, name)))
    native = of_cells(given.native.labels, given.native.steps, found)
    native.nameless[:] = True
    return unite(concatenate([classic.present(), native.present()], classic.steps))


def _native_quantile(evaluator: Evaluator, phi: Floats, node: Expr) -> Callable[[NativeHistogram, int, str], float]:
    def compute(histogram: NativeHistogram, step: int, name: str) -> float:
        wanted = float(phi[step])
        if histogram_statistics.has_nan_observations(histogram) and 0 <= wanted <= 1 and histogram.count:
            nan = histogram_statistics.quantile_of_nan(histogram, wanted)
            result = "is NaN" if nan else "is skewed higher"
            message = f"input to histogram_quantile has NaN observations, result {result}"
            evaluator.annotations.inform(message + (f' for metric name "{name}"' if name else ""), node.start)
        return histogram_statistics.quantile(histogram, wanted)

    return compute


def _histogram_quantile(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    phi = evaluator.scalar(call.args[0], times)
    evaluator.check_quantile(phi, call.args[0])
    given = _histograms(evaluator, call.args[1], times)
    found = given.classic
    result, repaired = histograms.compute(given.frame, found, lambda rows, item: histograms.quantile(item, phi[rows]))
    _remark_on_repairs(evaluator, found, repaired, call.args[1])
    return _with_native(evaluator, given, result, call.args[1], _native_quantile(evaluator, phi, call.args[1]))


def _remark_on_repairs(
    evaluator: Evaluator, found: list[histograms.Histogram], repaired: list[bool], node: Expr
) -> None:
    for histogram, needed in zip(found, repaired, strict=True):
        if needed:
            name = histogram.labels.get(METRIC_NAME, "")
            message = "input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
            evaluator.annotations.inform(message + (f' for metric name "{name}"' if name else ""), node.start)


def _histogram_quantiles(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    label = evaluator.text(call.args[1])
    given = _histograms(evaluator, call.args[0], times)
    found = given.classic
    parts: list[Frame] = []
    for arg in call.args[2:]:
        phi = evaluator.scalar(arg, times)
        evaluator.check_quantile(phi, arg)
        result, repaired = histograms.compute(
            given.frame, found, lambda rows, item, phi=phi: histograms.quantile(item, phi[rows])
        )
        _remark_on_repairs(evaluator, found, repaired, call.args[0])
        native = _native_quantile(evaluator, phi, call.args[0])
        result = _with_native(evaluator, given, result, call.args[0], native)
        text = format_number(float(phi[0]))
        text = text if any(char in text for char in ".eEIN") else f"{text}.0"
        labels = [item.with_(**{label: text}) for item in result.labels]
        parts.append(Frame(labels, result.values, result.mask, result.nameless))
    return unite(concatenate(parts, len(times)))


def _histogram_fraction(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    lower, upper = (evaluator.scalar(arg, times) for arg in call.args[:2])
    given = _histograms(evaluator, call.args[2], times)
    result, _ = histograms.compute(
        given.frame, given.classic, lambda rows, item: histograms.fraction(item, lower[rows], upper[rows])
    )

    def compute(histogram: NativeHistogram, step: int, name: str) -> float:
        if histogram_statistics.has_nan_observations(histogram) and histogram.count:
            message = "input to histogram_fraction has NaN observations, which are excluded from all fractions"
            message += f' for metric name "{name}"' if name else ""
            evaluator.annotations.inform(message, call.args[2].start)
        return histogram_statistics.fraction(histogram, float(lower[step]), float(upper[step]))

    return _with_native(evaluator, given, result, call.args[2], compute)


_STATISTICS: Final[dict[str, Callable[[NativeHistogram], float]]] = {
    "histogram_count": lambda histogram: histogram.count,
    "histogram_sum": lambda histogram: histogram.sum,
    "histogram_avg": histogram_statistics.average,
    "histogram_stddev": histogram_statistics.deviation,
    "histogram_stdvar": histogram_statistics.variance,
}


def _histogram_statistic(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    frame = evaluator.vector(call.args[0], times)
    compute = _STATISTICS[call.function]
    found = ((step, column, compute(one)) for step, column, one in frame.cells())
    result = of_cells(frame.labels, frame.steps, found)
    result.nameless[:] = True
    return result.present()


def _info(evaluator: Evaluator, call: Call, times: Ints) -> Frame:
    base = evaluator.vector(call.args[0], times)
    seen_at = times
    for node in info_reference(call):
        seen_at = evaluator.selection.effective(node, seen_at)
    return info.enrich(call, base, evaluator.selection.blocks(call), seen_at, evaluator.plan.lookback_ms)


def _table() -> dict[str, Function]:
    table: dict[str, Function] = dict.fromkeys(
        [
            "rate",
            "irate",
            "increase",
            "delta",
            "idelta",
            "deriv",
            "changes",
            "resets",
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
            "quantile_over_time",
            "predict_linear",
            "double_exponential_smoothing",
        ],
        _range_function,
    )
    table |= dict.fromkeys(elementwise.MATHEMATICS, _mathematics)
    table |= dict.fromkeys(_STATISTICS, _histogram_statistic)
    table |= dict.fromkeys(elementwise.CALENDAR, _calendar)
    table |= dict.fromkeys(("clamp", "clamp_min", "clamp_max"), _clamp)
    table |= dict.fromkeys(("sort", "sort_desc", "sort_by_label", "sort_by_label_desc"), _sort)
    table |= dict.fromkeys(("pi", "start", "end", "step", "range"), _query_scalar)
    return table | {
        "absent": _absent,
        "absent_over_time": _absent_over_time,
        "round": _round,
        "timestamp": _timestamp,
        "vector": _vector,
        "scalar": _scalar,
        "time": _time,
        "min_of": _extreme_of,
        "max_of": _extreme_of,
        "label_replace": _label_replace,
        "label_join": _label_join,
        "histogram_quantile": _histogram_quantile,
        "histogram_quantiles": _histogram_quantiles,
        "histogram_fraction": _histogram_fraction,
        "info": _info,
    }


FUNCTION_TABLE: Final = _table()

"""The ``*_over_time`` family, regression and smoothing, over dense blocks."""

from collections.abc import Callable

import numpy as np

from eldonia_ops.promql.frame import Bools, Floats, Ints
from eldonia_ops.promql.rates import Reducer
from eldonia_ops.promql.windows import Dense, Windows, column_parts, cube

_WIDE = 32
_CANCELLATION = 1e4


def kahan_sum(values: Floats, axis: int) -> Floats:
    """Neumaier's compensated sum along an axis; infinite when the plain sum is."""
    moved = np.moveaxis(values, axis, 0)
    total = np.zeros(moved.shape[1:])
    lost = np.zeros(moved.shape[1:])
    with np.errstate(all="ignore"):
        for item in moved:
            grown = total + item
            lost += np.where(np.abs(total) >= np.abs(item), (total - grown) + item, (item - grown) + total)
            lost = np.where(np.isinf(grown), 0.0, lost)
            total = grown
        return total + lost


def _reduce_rows(dense: Dense, windows: Windows, operation: np.ufunc) -> Floats:
    """Apply a ufunc's reduction to the rows of each window; windows without rows give anything."""
    steps, series = len(windows.lo), len(dense.labels)
    result = np.zeros((steps, series))
    filled = np.flatnonzero(windows.counts > 0)
    if not filled.size:
        return result
    with np.errstate(all="ignore"):
        if series >= _WIDE:
            lows, highs = windows.lo.tolist(), windows.hi.tolist()
            for step in filled.tolist():
                windows.proceed()
                operation.reduce(dense.values[lows[step] : highs[step]], axis=0, out=result[step])
            return result
        first, last = int(windows.lo[filled].min()), int(windows.hi[filled].max())
        rows = np.concatenate([dense.values[first:last], np.zeros((1, series))])
        bounds = np.stack([windows.lo[filled] - first, windows.hi[filled] - first], axis=1).ravel()
        reduced = np.asarray(operation.reduceat(rows, bounds, axis=0))
        result[filled] = reduced[::2]
    return result


def _sum(dense: Dense, windows: Windows, *, mean: bool) -> Floats:
    result = _reduce_rows(dense, windows, np.add)
    with np.errstate(all="ignore"):
        if mean:
            result /= np.maximum(windows.counts, 1)[:, None]
        doubtful = ~np.isfinite(result).all(axis=0)
        if not dense.values.min(initial=0.0) >= 0:
            # Terms of both signs may cancel: sum again with compensation where little is left of much.
            size = np.abs(dense.values).max(axis=0)
            doubtful |= (np.abs(result) * _CANCELLATION < size).any(axis=0)
    columns = np.flatnonzero(doubtful)
    again = Dense([dense.labels[column] for column in columns.tolist()], dense.timestamps, dense.values[:, columns])
    for some, part in column_parts(again, windows):
        for steps, values, inside, _ in cube(part, windows):
            counts = np.maximum(windows.counts[steps], 1)[:, None]
            terms = np.where(inside[:, :, None], values, 0.0)
            with np.errstate(all="ignore"):
                total = kahan_sum(terms, 1)
                if mean:
                    # What overflows as a sum may still have a mean.
                    total = np.where(np.isinf(total), kahan_sum(terms / counts[:, :, None], 1), total / counts)
            result[steps, columns[some]] = total
    return result


def simple(name: str, dense: Dense) -> Reducer:
    """Functions that need at least one sample: sum, avg, min, max, count, last, first, present, group."""
    values = dense.values

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        present = windows.counts > 0
        shape = (len(present), len(dense.labels))
        match name:
            case "sum_over_time":
                return _sum(dense, windows, mean=False), present
            case "avg_over_time":
                return _sum(dense, windows, mean=True), present
            case "min_over_time":
                return _reduce_rows(dense, windows, np.fmin), present
            case "max_over_time":
                return _reduce_rows(dense, windows, np.fmax), present
            case "count_over_time":
                return np.broadcast_to(windows.counts[:, None].astype(np.float64), shape), present
            case "last_over_time":
                return values[np.maximum(windows.hi - 1, 0)], present
            case "first_over_time":
                return values[np.minimum(windows.lo, len(values) - 1)], present
            case "ts_of_last_over_time":
                stamps = dense.timestamps[np.maximum(windows.hi - 1, 0)] / 1000
                return np.broadcast_to(stamps[:, None], shape), present
            case "ts_of_first_over_time":
                stamps = dense.timestamps[np.minimum(windows.lo, len(values) - 1)] / 1000
                return np.broadcast_to(stamps[:, None], shape), present
            case _:
                return np.ones(shape), present

    return reduce


def by_cube(dense: Dense, compute: Callable[[Floats, Bools, Ints, Windows], Floats], least: int = 1) -> Reducer:
    """A function that needs all samples of each window side by side.

    ``compute(values[n, w, S], inside[n, w], timestamps[n, w], windows)`` returns ``[n, S]``.
    """

    def reduce(windows: Windows) -> tuple[Floats, Bools]:
        result = np.zeros((len(windows.lo), len(dense.labels)))
        with np.errstate(all="ignore"):
            for columns, part in column_parts(dense, windows):
                for steps, values, inside, stamps in cube(part, windows):
                    chunk = windows.chunk(steps.start, steps.stop)
                    result[steps, columns] = compute(values, inside, stamps, chunk)
        return result, windows.counts >= least

    return reduce


def variance(values: Floats, inside: Bools, _stamps: Ints, windows: Windows) -> Floats:
    """Population variance of each window, in two passes."""
    counts = np.maximum(windows.counts, 1)[:, None]
    mean = np.where(inside[:, :, None], values / counts[:, :, None], 0.0).sum(axis=1)
    spread = np.where(inside[:, :, None], values - mean[:, None, :], 0.0)
    return (spread * spread).sum(axis=1) / counts


def deviation(values: Floats, inside: Bools, stamps: Ints, windows: Windows) -> Floats:
    """Population standard deviation of each window."""
    return np.sqrt(variance(values, inside, stamps, windows))


def sorted_quantile(values: Floats, inside: Bools, counts: Ints, phi: Floats) -> Floats:
    """The phi-quantile with linear interpolation; NaN sorts below everything, as in Prometheus."""
    descending = np.sort(np.where(inside, -values, np.nan), axis=1)
    rank = phi * (counts - 1)
    lower = np.clip(np.floor(np.nan_to_num(rank, posinf=0, neginf=0)), 0, np.maximum(counts - 1, 0)).astype(np.intp)
    upper = np.minimum(lower + 1, np.maximum(counts - 1, 0))
    weight = (rank - np.floor(rank))[:, None]
    top = np.maximum(counts - 1, 0)
    low = -np.take_along_axis(descending, (top - lower)[:, None, None], axis=1)[:, 0]
    high = -np.take_along_axis(descending, (top - upper)[:, None, None], axis=1)[:, 0]
    result = low * (1 - weight) + high * weight
    phi = phi[:, None]
    return np.where(np.isnan(phi), np.nan, np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, result)))


def quantile(values: Floats, inside: Bools, _stamps: Ints, windows: Windows) -> Floats:
    """``quantile_over_time``; the first parameter is phi."""
    return sorted_quantile(values, inside[:, :, None], windows.counts, windows.params[0])


def median_deviation(values: Floats, inside: Bools, _stamps: Ints, windows: Windows) -> Floats:
    """``mad_over_time``: the median of the distances to the median; NaN when any sample is."""
    half = np.full(len(windows.lo), 0.5)
    middle = sorted_quantile(values, inside[:, :, None], windows.counts, half)
    distances = np.abs(values - middle[:, None, :])
    result = sorted_quantile(distances, inside[:, :, None], windows.counts, half)
    return np.where((np.isnan(values) & inside[:, :, None]).any(axis=1), np.nan, result)


def _regression(values: Floats, inside: Bools, stamps: Ints, origin: Ints) -> tuple[Floats, Floats]:
    """Slope (per second) and value at the origin of the least-squares line of each window."""
    x = np.where(inside, (stamps - origin[:, None]) / 1000, 0.0)[:, :, None]
    y = np.where(inside[:, :, None], values, 0.0)
    count = inside.sum(axis=1)[:, None].astype(np.float64)
    sum_x, sum_y = kahan_sum(x, 1), kahan_sum(y, 1)
    sum_xy, sum_xx = kahan_sum(x * y, 1), kahan_sum(x * x, 1)
    covariance = sum_xy - sum_x * sum_y / count
    slope = covariance / (sum_xx - sum_x * sum_x / count)
    intercept = sum_y / count - slope * sum_x / count
    first = values[:, 0]
    constant = (np.where(inside[:, :, None], values, first[:, None]) == first[:, None]).all(axis=1)
    slope = np.where(constant, np.where(np.isinf(first), np.nan, 0.0), slope)
    intercept = np.where(constant, np.where(np.isinf(first), np.nan, first), intercept)
    return slope, intercept


def derivative(values: Floats, inside: Bools, stamps: Ints, _windows: Windows) -> Floats:
    """``deriv``: the slope per second."""
    return _regression(values, inside, stamps, stamps[:, 0])[0]


def prediction(values: Floats, inside: Bools, stamps: Ints, windows: Windows) -> Floats:
    """``predict_linear``: the value so many seconds (first parameter) after the evaluation time."""
    slope, intercept = _regression(values, inside, stamps, windows.times)
    return slope * windows.params[0][:, None] + intercept


def smoothing(values: Floats, inside: Bools, _stamps: Ints, windows: Windows) -> Floats:
    """``double_exponential_smoothing`` (Holt's linear trend); the parameters are both factors."""
    level_factor, trend_factor = (item[:, None] for item in windows.params)
    previous = np.zeros_like(values[:, 0])
    current = values[:, 0].copy()
    trend = values[:, 1] - values[:, 0] if values.shape[1] > 1 else np.zeros_like(current)
    for place in range(1, values.shape[1]):
        if place > 1:
            trend = np.where(
                inside[:, place, None], trend_factor * (current - previous) + (1 - trend_factor) * trend, trend
            )
        level = level_factor * values[:, place] + (1 - level_factor) * (current + trend)
        previous = np.where(inside[:, place, None], current, previous)
        current = np.where(inside[:, place, None], level, current)
    return current


def extreme_time(values: Floats, inside: Bools, stamps: Ints, *, largest: bool) -> Floats:
    """When (Unix seconds) a window last reached its extreme; NaN only counts where there is nothing else."""
    signed = values if largest else -values
    ranked = np.where(inside[:, :, None], np.where(np.isnan(signed), -np.inf, signed), -np.inf)
    eligible = inside[:, :, None] & (ranked == ranked.max(axis=1, keepdims=True))
    place = values.shape[1] - 1 - np.argmax(eligible[:, ::-1], axis=1)
    return np.take_along_axis(stamps / 1000, place, axis=1)

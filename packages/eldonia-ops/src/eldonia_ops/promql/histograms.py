"""Quantiles of classic histograms: series with an ``le`` label.

Interpolation and the repair of non-monotonic buckets follow Prometheus' promql/quantile.go.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.promql.frame import Bools, Floats, Frame, Ints

_SMALL_DELTA = 1e-12


@dataclass(slots=True, eq=False)
class Buckets:
    """One histogram over some steps: ``bounds[B]`` ascending and distinct, ``counts[n, B]`` cumulative."""

    bounds: Floats
    counts: Floats
    repaired: Bools


@dataclass(slots=True, eq=False)
class Histogram:
    """The bucket series that make up one histogram: their columns in the frame, by ascending bound."""

    labels: Labels
    nameless: bool
    columns: list[int]
    bounds: list[float]


def collect(frame: Frame, malformed: Callable[[str, str], None]) -> list[Histogram]:
    """Group bucket series by their labels without ``le``.

    ``malformed(le, metric name)`` is called for series whose ``le`` is no number.
    """
    found: dict[Labels, Histogram] = {}
    for column, labels in enumerate(frame.labels):
        try:
            bound = float(labels["le"])
        except (KeyError, ValueError):
            malformed(labels.get("le", ""), labels.get(METRIC_NAME, ""))
            continue
        key = labels.without(("le",))
        histogram = found.setdefault(key, Histogram(key, bool(frame.nameless[column]), [], []))
        histogram.columns.append(column)
        histogram.bounds.append(bound)
    for histogram in found.values():
        order = sorted(range(len(histogram.bounds)), key=histogram.bounds.__getitem__)
        histogram.columns = [histogram.columns[place] for place in order]
        histogram.bounds = [histogram.bounds[place] for place in order]
    return list(found.values())


def buckets_at_steps(frame: Frame, histogram: Histogram) -> Iterator[tuple[Ints, Buckets]]:
    """The buckets of a histogram, once for each set of steps at which the same ones are present."""
    mask = frame.mask[:, histogram.columns]
    values = frame.values[:, histogram.columns]
    some = np.flatnonzero(mask.any(axis=1))
    if not some.size:
        return
    patterns, which = np.unique(mask[some], axis=0, return_inverse=True)
    bounds = np.asarray(histogram.bounds)
    for place, pattern in enumerate(patterns):
        steps = some[which.ravel() == place]
        distinct, starts = np.unique(bounds[pattern], return_index=True)
        counts = np.add.reduceat(values[np.ix_(steps, np.flatnonzero(pattern))], starts, axis=1)
        yield steps, _monotonic(distinct, counts)


def _monotonic(bounds: Floats, counts: Floats) -> Buckets:
    repaired = np.zeros(len(counts), bool)
    counts = counts.copy()
    previous = counts[:, 0]
    for place in range(1, counts.shape[1]):
        current = counts[:, place]
        with np.errstate(all="ignore"):
            near = np.abs(current - previous) <= _SMALL_DELTA * (np.abs(current) + np.abs(previous)) / 2
        falls = (current < previous) & ~near
        repaired |= falls
        counts[:, place] = np.where(near | falls, previous, current)
        previous = counts[:, place]
    return Buckets(bounds, counts, repaired)


def quantile(buckets: Buckets, phi: Floats) -> Floats:
    """The phi-quantile (phi of shape ``[n]``) by linear interpolation inside the bucket that holds it."""
    bounds, counts = buckets.bounds, buckets.counts
    steps, size = counts.shape
    if size < 2 or not math.isinf(bounds[-1]) or bounds[-1] < 0:
        result = np.full(steps, np.nan)
    else:
        observed = counts[:, -1]
        rank = phi * observed
        place = np.argmax(np.concatenate([counts[:, :-1] >= rank[:, None], np.ones((steps, 1), bool)], axis=1), axis=1)
        with np.errstate(all="ignore"):
            below = np.maximum(place - 1, 0)
            rows = np.arange(steps)
            start = np.where(place > 0, bounds[below], 0.0)
            before = np.where(place > 0, counts[rows, below], 0.0)
            inside = counts[rows, place] - before
            result = start + (bounds[place] - start) * ((rank - before) / inside)
        result = np.where((place == 0) & (bounds[0] <= 0), bounds[0], result)
        result = np.where(place == size - 1, bounds[-2], result)
        result = np.where((observed == 0) | np.isnan(observed), np.nan, result)
    result = np.where(phi < 0, -np.inf, np.where(phi > 1, np.inf, result))
    return np.where(np.isnan(phi), np.nan, result)


def fraction(buckets: Buckets, lower: Floats, upper: Floats) -> Floats:
    """The share of observations between two values, ``[n]`` each, by linear interpolation."""
    bounds, counts = buckets.bounds, buckets.counts
    steps = len(counts)
    if not math.isinf(bounds[-1]) or bounds[-1] < 0:
        return np.full(steps, np.nan)
    observed = counts[:, -1]
    with np.errstate(all="ignore"):
        below = _rank(bounds, counts, lower, endless=1.0)
        result = np.maximum(_rank(bounds, counts, upper, endless=0.0) - below, 0.0) / observed
    result = np.where(lower >= upper, 0.0, result)
    return np.where((observed == 0) | np.isnan(observed) | np.isnan(lower) | np.isnan(upper), np.nan, result)


def _rank(bounds: Floats, counts: Floats, at: Floats, *, endless: float) -> Floats:
    """How many observations lie at or below a value.

    ``endless`` is the share assumed of a first bucket that reaches down to minus infinity.
    """
    steps, size = counts.shape
    place = np.searchsorted(bounds, np.nan_to_num(at, nan=0.0, posinf=np.inf, neginf=-np.inf), side="left")
    place = np.minimum(place, size - 1)
    rows = np.arange(steps)
    below = np.maximum(place - 1, 0)
    first_start = 0.0 if bounds[0] > 0 else -math.inf
    start = np.where(place > 0, bounds[below], first_start)
    before = np.where(place > 0, counts[rows, below], 0.0)
    share = (at - start) / (bounds[place] - start)
    # Nothing can be said inside a bucket without an end: it contributes to no finite interval.
    share = np.where(np.isinf(start), np.where(np.isneginf(at), 0.0, endless), share)
    share = np.where(np.isposinf(bounds[place]), 0.0, share)
    share = np.where(at >= bounds[place], 1.0, share)
    return before + (counts[rows, place] - before) * np.clip(share, 0.0, 1.0)


def compute(
    frame: Frame, histograms: Sequence[Histogram], function: Callable[[Ints, Buckets], Floats]
) -> tuple[Frame, list[bool]]:
    """Apply ``function(steps, buckets) -> [n]`` to every histogram; also say which needed repair."""
    steps = frame.steps
    values = np.zeros((steps, len(histograms)))
    mask = np.zeros((steps, len(histograms)), bool)
    repaired = [False] * len(histograms)
    for column, histogram in enumerate(histograms):
        for rows, buckets in buckets_at_steps(frame, histogram):
            values[rows, column] = function(rows, buckets)
            mask[rows, column] = True
            repaired[column] |= bool(buckets.repaired.any())
    labels = [item.labels for item in histograms]
    return Frame(labels, values, mask, np.ones(len(labels), bool)), repaired

"""Binary operators where a native histogram is on one side or on both.

Which pairs of types an operator takes is as in Prometheus' promql/engine.go (``vectorElemBinop``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from eldonia_ops.model.native_histogram import NativeHistogram, ResetHint
from eldonia_ops.promql.frame import Bools, Floats, Histograms
from eldonia_ops.promql.histogram_arithmetic import MixedSchemasError, added, divided, equal, scaled, subtracted
from eldonia_ops.promql.histogram_ranges import Notes
from eldonia_ops.promql.histogram_trimming import trimmed
from eldonia_ops.promql.signatures import TRIMS

Value: TypeAlias = float | NativeHistogram


@dataclass(slots=True, eq=False)
class Side:
    """What an operator is given on one side, each ``[N, S]``: histograms, and floats where there is none."""

    values: Floats
    histograms: Histograms | None


def apply(
    op: str, left: Side, right: Side, mask: Bools, notes: Notes, *, return_bool: bool
) -> tuple[Bools, dict[tuple[int, int], Value | None]]:
    """The results of all cells with a histogram: a value, or None where there is none. Also which cells those are."""
    held = np.zeros(mask.shape, bool)
    for side in (left, right):
        if side.histograms is not None:
            held |= side.histograms.astype(bool)
    held &= mask
    found: dict[tuple[int, int], Value | None] = {}
    for step, column in np.argwhere(held).tolist():
        first, second = _value(left, step, column), _value(right, step, column)
        found[step, column] = combine(op, first, second, notes, return_bool=return_bool)
    return held, found


def _value(side: Side, step: int, column: int) -> Value:
    one = None if side.histograms is None else side.histograms[step, column]
    return float(side.values[step, column]) if one is None else one


def combine(op: str, left: Value, right: Value, notes: Notes, *, return_bool: bool = False) -> Value | None:
    """``left op right``, of which one at least is a histogram. A comparison gives the left side, or 1 and 0."""
    if isinstance(left, NativeHistogram) and isinstance(right, NativeHistogram):
        if op in ("+", "-"):
            return _sum(op, left, right, notes)
        if op in ("==", "!="):
            holds = equal(left, right) == (op == "==")
            return float(holds) if return_bool else left if holds else None
    elif isinstance(left, NativeHistogram) and not isinstance(right, NativeHistogram):
        if op in ("*", "/"):
            return (scaled if op == "*" else divided)(left, right)
        if op in TRIMS:
            return trimmed(left, right, upper=op == "</")
    elif isinstance(right, NativeHistogram) and not isinstance(left, NativeHistogram) and op == "*":
        return scaled(right, left)
    kinds = ["histogram" if isinstance(side, NativeHistogram) else "float" for side in (left, right)]
    notes.incompatible(op, *kinds)
    return None


def _sum(op: str, left: NativeHistogram, right: NativeHistogram, notes: Notes) -> NativeHistogram | None:
    compute: Callable = added if op == "+" else subtracted
    try:
        result = notes.combined(compute(left, right), "addition" if op == "+" else "subtraction")
    except MixedSchemasError:
        notes.mixed_schemas()
        return None
    return result if op == "+" else replace(result, reset_hint=ResetHint.GAUGE)

"""Binary operators between scalars, vectors, and both."""

from collections.abc import Callable
from typing import Final

import numpy as np

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.ast import Binary, Cardinality, Matching
from eldonia_ops.promql.binary_histograms import Side, apply
from eldonia_ops.promql.errors import EvaluationError, LimitError
from eldonia_ops.promql.frame import (
    METADATA_LABELS,
    Bools,
    Floats,
    Frame,
    concatenate,
    empty,
    unite,
)
from eldonia_ops.promql.histogram_ranges import Notes
from eldonia_ops.promql.signatures import COMPARISONS, TRIMS

ARITHMETIC: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
KEEPS_VALUE: Final = COMPARISONS | TRIMS
"""Operators whose result is a series of the left side, as it is or cut, under its name."""
COMPARE: Final[dict[str, Callable[[Floats, Floats], Bools]]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}


def scalars(op: str, left: Floats, right: Floats) -> Floats:
    """``left op right`` for scalars at every step, ``[N]`` each."""
    with np.errstate(all="ignore"):
        if op in TRIMS:
            raise EvaluationError(f'operator "{op}" trims native histograms and not scalars')
        if op in COMPARISONS:
            return COMPARE[op](left, right).astype(np.float64)
        return ARITHMETIC[op](left, right)


def vector_scalar(node: Binary, frame: Frame, scalar: Floats, notes: Notes, *, scalar_left: bool) -> Frame:
    """A vector and a scalar (``[N]``)."""
    other = scalar[:, None]
    if frame.histograms is not None or node.op in TRIMS:
        full = np.broadcast_to(other, frame.values.shape)
        sides = Side(full, None), Side(frame.values, frame.histograms)
        left_side, right_side = sides if scalar_left else sides[::-1]
        drops = node.op not in KEEPS_VALUE or node.return_bool
        nameless = np.ones(frame.width, bool) if drops else frame.nameless
        # A comparison without bool keeps the vector's own value, whichever side it is on.
        return _mixed(
            node, left_side, right_side, frame.mask, frame.labels, nameless, notes, kept=frame.values
        ).present()
    left, right = (other, frame.values) if scalar_left else (frame.values, other)
    with np.errstate(all="ignore"):
        if node.op not in COMPARISONS:
            return frame.with_values(ARITHMETIC[node.op](left, right))
        holds = COMPARE[node.op](left, right)
    if node.return_bool:
        return frame.with_values(holds.astype(np.float64))
    return Frame(frame.labels, frame.values, frame.mask & holds, frame.nameless).present()


def _signatures(matching: Matching, *frames: Frame) -> tuple[list[np.ndarray], list[Labels]]:
    """The match group of every series of each frame, as numbers, and the groups' labels."""
    places: dict[Labels, int] = {}
    dropped = (*matching.labels, METRIC_NAME)
    numbers: list[np.ndarray] = []
    for frame in frames:
        found = np.empty(frame.width, dtype=np.intp)
        for column, labels in enumerate(frame.labels):
            key = labels.only(matching.labels) if matching.on else labels.without(dropped)
            found[column] = places.setdefault(key, len(places))
        numbers.append(found)
    return numbers, list(places)


def _presence(mask: Bools, groups: np.ndarray, count: int) -> Bools:
    """Whether any series of each match group has a value: ``[N, count]``."""
    result = np.zeros((mask.shape[0], count), bool)
    for column, place in enumerate(groups):
        result[:, place] |= mask[:, column]
    return result


def sets(op: str, matching: Matching, left: Frame, right: Frame) -> Frame:
    """``and``, ``or``, ``unless``."""
    (left_groups, right_groups), keys = _signatures(matching, left, right)
    if op == "or":
        taken = _presence(left.mask, left_groups, len(keys))
        rest_mask = right.mask & ~taken[:, right_groups]
        rest = Frame(right.labels, right.values, rest_mask, right.nameless, right.histograms)
        return unite(concatenate([left, rest.present()], left.steps))
    there = _presence(right.mask, right_groups, len(keys))[:, left_groups]
    mask = left.mask & (there if op == "and" else ~there)
    return Frame(left.labels, left.values, mask, left.nameless, left.histograms).present()


def _show(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels.pairs) + "}"


def _collapse(frame: Frame, groups: np.ndarray, keys: list[Labels], side: str) -> dict[int, list[int]]:
    """The columns of the "one" side for each match group.

    Raises:
        EvaluationError: two of one group have a value at the same step.
    """
    columns: dict[int, list[int]] = {}
    for column, place in enumerate(groups):
        columns.setdefault(int(place), []).append(column)
    for place, members in columns.items():
        if len(members) < 2:
            continue
        crowded = np.flatnonzero(frame.mask[:, members].sum(axis=1) > 1)
        if crowded.size:
            both = [frame.labels[column] for column in members if frame.mask[crowded[0], column]][:2]
            raise EvaluationError(
                f"found duplicate series for the match group {_show(keys[place])} on the {side} hand-side of the "
                f"operation: [{_show(both[0])}, {_show(both[1])}];many-to-many matching not allowed: "
                "matching labels must be unique on one side"
            )
    return columns


def vectors(node: Binary, left: Frame, right: Frame, notes: Notes, cells: int = 2**62) -> Frame:
    """Two vectors, matched as the node says; at most ``cells`` values are computed.

    Raises:
        LimitError: more would be.
        EvaluationError: many-to-many matching, or results that are not unique.
    """
    matching = node.matching or Matching()
    swapped = matching.cardinality is Cardinality.ONE_TO_MANY
    many, one = (right, left) if swapped else (left, right)
    # With group_right, too, fill_left fills the many side, as in Prometheus.
    fill_many, fill_one = matching.fill_left, matching.fill_right
    (many_groups, one_groups), keys = _signatures(matching, many, one)
    partners = _collapse(one, one_groups, keys, "left" if swapped else "right")

    count = sum(len(partners.get(place, ())) for place in many_groups.tolist())
    if count * left.steps > cells:
        raise LimitError(f"matching would pair {count:,} series at {left.steps:,} steps, more than {cells:,} values")
    # Every pair of series of one match group becomes a column; what does not coincide is absent.
    many_columns: list[int] = []
    one_columns: list[int] = []
    for column, place in enumerate(many_groups):
        for partner in partners.get(int(place), ()):
            many_columns.append(column)
            one_columns.append(partner)
    pairs = np.asarray(many_columns, dtype=np.intp), np.asarray(one_columns, dtype=np.intp)
    labels = [
        _result_labels(many.labels[first], one.labels[second], node, matching)
        for first, second in zip(many_columns, one_columns, strict=True)
    ]
    together = many.mask[:, pairs[0]] & one.mask[:, pairs[1]]
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        _check_unique(many_groups[pairs[0]], together, len(keys))
    parts = [
        _apply(
            node, swapped, _side(many, pairs[0]), _side(one, pairs[1]),
            together, labels, many.nameless[pairs[0]], notes,
        )
    ]  # fmt: skip
    if fill_one is not None and many.width:
        there = _presence(one.mask, one_groups, len(keys))[:, many_groups]
        filled = [_result_labels(item, None, node, matching) for item in many.labels]
        other = Side(np.full_like(many.values, fill_one), None)
        mask = many.mask & ~there
        parts.append(_apply(node, swapped, _side(many), other, mask, filled, many.nameless, notes))
    if fill_many is not None and one.width:
        there = _presence(many.mask, many_groups, len(keys))[:, one_groups]
        filled = [
            _result_labels(keys[place], item, node, matching)
            for place, item in zip(one_groups, one.labels, strict=True)
        ]
        other = Side(np.full_like(one.values, fill_many), None)
        mask = one.mask & ~there
        parts.append(_apply(node, swapped, other, _side(one), mask, filled, one.nameless, notes))
    joined = concatenate([part.present() for part in parts], left.steps)
    if not joined.width:
        return empty(left.steps)
    return unite(joined, "multiple matches for labels: grouping labels must ensure unique matches")


def _check_unique(groups: np.ndarray, mask: Bools, count: int) -> None:
    """Refuse one-to-one matches in which a group has more than one partner, even if a filter drops them later."""
    if len(np.unique(groups)) == len(groups):
        return
    seen = np.zeros((len(mask), count), bool)
    for column, place in enumerate(groups):
        if (seen[:, place] & mask[:, column]).any():
            raise EvaluationError(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        seen[:, place] |= mask[:, column]


def _side(frame: Frame, columns: np.ndarray | None = None) -> Side:
    if columns is None:
        return Side(frame.values, frame.histograms)
    histograms = None if frame.histograms is None else frame.histograms[:, columns]
    return Side(frame.values[:, columns], histograms)


def _mixed(
    node: Binary,
    left: Side,
    right: Side,
    mask: Bools,
    labels: list[Labels],
    nameless: Bools,
    notes: Notes,
    kept: Floats | None = None,
) -> Frame:
    """As :func:`_apply`, where there are histograms."""
    held, found = apply(node.op, left, right, mask, notes, return_bool=node.return_bool)
    with np.errstate(all="ignore"):
        if node.op in TRIMS:
            values, present = np.array(left.values), np.zeros(mask.shape, bool)
            if (mask & ~held).any():
                notes.incompatible(node.op, "float", "float")
        elif node.op not in COMPARISONS:
            values, present = ARITHMETIC[node.op](left.values, right.values), mask & ~held
        else:
            holds = COMPARE[node.op](left.values, right.values)
            if node.return_bool:
                values, present = holds.astype(np.float64), mask & ~held
            else:
                values, present = np.array(left.values if kept is None else kept), mask & holds & ~held
    histograms = np.full(mask.shape, None, object)
    for (step, column), value in found.items():
        if isinstance(value, NativeHistogram):
            histograms[step, column] = value
        elif value is not None:
            values[step, column] = value
        present[step, column] = value is not None
    return Frame(labels, values, present, nameless, histograms)


def _apply(
    node: Binary,
    swapped: bool,
    many: Side,
    one: Side,
    mask: Bools,
    labels: list[Labels],
    nameless: Bools,
    notes: Notes,
) -> Frame:
    first, second = (one, many) if swapped else (many, one)
    if first.histograms is not None or second.histograms is not None or node.op in TRIMS:
        drops = node.op in COMPARISONS and node.return_bool
        if node.op not in KEEPS_VALUE:
            nameless = np.zeros(len(labels), bool)
        elif drops:
            nameless = np.ones(len(labels), bool)
        return _mixed(node, first, second, mask, labels, nameless, notes)
    left, right = first.values, second.values
    with np.errstate(all="ignore"):
        if node.op not in COMPARISONS:
            return Frame(labels, ARITHMETIC[node.op](left, right), mask, np.zeros(len(labels), bool))
        holds = COMPARE[node.op](left, right)
    if node.return_bool:
        return Frame(labels, holds.astype(np.float64), mask, np.ones(len(labels), bool))
    return Frame(labels, np.array(left), mask & holds, nameless)


def _result_labels(many: Labels, one: Labels | None, node: Binary, matching: Matching) -> Labels:
    changed = dict(many)
    if node.op not in KEEPS_VALUE:
        for name in METADATA_LABELS:
            changed.pop(name, None)
    if matching.cardinality is Cardinality.ONE_TO_ONE:
        if matching.on:
            changed = {name: value for name, value in changed.items() if name in matching.labels}
        else:
            for name in matching.labels:
                changed.pop(name, None)
    for name in matching.include:
        changed[name] = "" if one is None else one.get(name, "")
    if node.return_bool and METRIC_NAME in changed and matching.on and METRIC_NAME not in matching.labels:
        changed.pop(METRIC_NAME)
    return Labels(changed)

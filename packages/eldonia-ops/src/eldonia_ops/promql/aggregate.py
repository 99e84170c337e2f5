"""Aggregation operators over frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.promql.errors import EvaluationError, LimitError
from eldonia_ops.promql.frame import Floats, Frame, empty, grid, unite
from eldonia_ops.promql.histogram_arithmetic import MixedSchemasError, mean, total
from eldonia_ops.promql.histogram_ranges import Notes
from eldonia_ops.promql.histogram_text import show
from eldonia_ops.promql.over_time import kahan_sum, sorted_quantile
from eldonia_ops.promql.printer import format_number
from eldonia_ops.promql.windows import CHUNK_CELLS

FLOATS_ALONE = frozenset(("min", "max", "stddev", "stdvar", "quantile", "topk", "bottomk"))
"""Operators that pass over histograms."""

Columns: TypeAlias = NDArray[np.intp]
_CANCELLATION = 1e4


@dataclass(slots=True, eq=False)
class Groups:
    """Which series belong together: ``order`` lists the columns group by group, group g from ``starts[g]``."""

    labels: list[Labels]
    order: Columns
    starts: Columns
    nameless: NDArray[np.bool_]
    sorted: bool

    def members(self) -> list[Columns]:
        """The columns of each group."""
        return np.split(self.order, self.starts[1:])


def group(frame: Frame, names: Sequence[str], without: bool) -> Groups:
    """Group the series of a frame by labels, or by all but some labels."""
    dropped = (*names, METRIC_NAME, "__type__", "__unit__")
    places: dict[Labels, int] = {}
    by_part: dict[tuple[str, ...], int] = {}
    which = np.empty(frame.width, dtype=np.intp)
    for column, labels in enumerate(frame.labels):
        if without:
            which[column] = places.setdefault(labels.without(dropped), len(places))
            continue
        part = tuple([labels.get(name, "") for name in names])
        place = by_part.get(part)
        if place is None:
            place = by_part[part] = places.setdefault(labels.only(names), len(places))
        which[column] = place
    order = np.argsort(which, kind="stable")
    starts = np.searchsorted(which[order], np.arange(len(places)))
    nameless = np.zeros(len(places), bool)
    np.logical_or.at(nameless, which, frame.nameless)
    return Groups(list(places), order, starts, nameless, bool((order == np.arange(frame.width)).all()))


def _fold(groups: Groups, frame: Frame, op: np.ufunc, neutral: float, values: Floats | None = None) -> Floats:
    """Reduce the present values of each group: ``[N, G]``; ``neutral`` replaces absent ones."""
    values = frame.values if values is None else values
    full = bool(frame.mask.all())
    if values.size <= CHUNK_CELLS:
        return _fold_rows(groups, op, neutral, values, None if full else frame.mask)
    result = np.empty((frame.steps, len(groups.labels)))
    rows = max(1, CHUNK_CELLS // max(1, frame.width))
    for begin in range(0, frame.steps, rows):
        part = slice(begin, begin + rows)
        result[part] = _fold_rows(groups, op, neutral, values[part], None if full else frame.mask[part])
    return result


def _fold_rows(groups: Groups, op: np.ufunc, neutral: float, values: Floats, mask: NDArray[np.bool_] | None) -> Floats:
    if mask is not None:
        values = np.where(mask, values, neutral)
    if not groups.sorted:
        values = values[:, groups.order]
    with np.errstate(all="ignore"):
        return op.reduceat(values, groups.starts, axis=1)


def _sums(groups: Groups, frame: Frame, counts: Floats, *, mean: bool) -> Floats:
    total = _fold(groups, frame, np.add, 0.0)
    with np.errstate(all="ignore"):
        result = total / np.maximum(counts, 1) if mean else total
        doubtful = ~np.isfinite(total).all(axis=0)
        if frame.values.size and not np.where(frame.mask, frame.values, 0.0).min() >= 0:
            size = _fold(groups, frame, np.add, 0.0, np.abs(frame.values))
            doubtful |= (np.abs(total) * _CANCELLATION < size).any(axis=0)
        members = groups.members() if doubtful.any() else []
        for place in np.flatnonzero(doubtful):
            columns = members[place]
            terms = np.where(frame.mask[:, columns], frame.values[:, columns], 0.0)
            exact = kahan_sum(terms, 1)
            if mean:
                count = np.maximum(counts[:, place], 1)
                exact = np.where(np.isinf(exact), kahan_sum(terms / count[:, None], 1), exact / count)
            result[:, place] = exact
    return result


def fold(op: str, frame: Frame, names: Sequence[str], without: bool, param: Floats | None = None) -> Frame:
    """``sum avg min max count group stddev stdvar quantile``: one value a group and step.

    ``param`` (``[N]``) is the phi of ``quantile``.
    """
    if not frame.width:
        return empty(frame.steps)
    groups = group(frame, names, without)
    counts = _fold(groups, frame, np.add, 0.0, frame.mask.astype(np.float64))
    mask = counts > 0
    match op:
        case "sum" | "avg":
            values = _sums(groups, frame, counts, mean=op == "avg")
        case "min":
            values = _fold(groups, frame, np.fmin, np.nan)
        case "max":
            values = _fold(groups, frame, np.fmax, np.nan)
        case "count":
            values = counts
        case "group":
            values = np.ones_like(counts)
        case _:
            values = np.empty_like(counts)
            for place, columns in enumerate(groups.members()):
                part, inside = frame.values[:, columns], frame.mask[:, columns]
                if op == "quantile":
                    phi = np.zeros(frame.steps) if param is None else param
                    values[:, place] = _quantile(part, inside, phi)
                else:
                    values[:, place] = _variance(part, inside)
            if op == "stddev":
                with np.errstate(all="ignore"):
                    values = np.sqrt(values)
    return unite(Frame(groups.labels, values, mask, groups.nameless))


def _shown_histograms(frame: Frame, columns: Columns) -> dict[str, Floats]:
    """How many of some columns have each histogram, ``[N]``, by its text."""
    found: dict[str, Floats] = {}
    if frame.histograms is not None:
        for step, _, one in frame.take(columns).cells():
            found.setdefault(show(one), np.zeros(frame.steps))[step] += 1
    return found


def fold_mixed(op: str, frame: Frame, names: Sequence[str], without: bool, notes: Notes) -> Frame:
    """``sum`` and ``avg`` of floats and histograms. A group with both at one step has no value there."""
    groups = group(frame, names, without)
    held = frame.held()
    floats = fold(op, Frame(frame.labels, frame.values, frame.mask & ~held, frame.nameless), names, without)
    histograms = np.full(floats.mask.shape, None, object)
    combine = total if op == "sum" else mean
    cells = grid(frame)
    for place, columns in enumerate(groups.members()):
        for step in np.flatnonzero(held[:, columns].any(axis=1)).tolist():
            if floats.mask[step, place]:
                floats.mask[step, place] = False
                notes.warn("encountered a mix of histograms and floats for aggregation")
                continue
            found = [cells[step, column] for column in columns.tolist() if held[step, column]]
            try:
                histograms[step, place] = notes.combined(combine(found), "aggregation")
            except MixedSchemasError:
                names_of = {frame.labels[column].get(METRIC_NAME, "") for column in columns.tolist()}
                notes.mixed_schemas(names_of.pop() if len(names_of) == 1 else "")
                continue
            floats.mask[step, place] = True
    return Frame(floats.labels, floats.values, floats.mask, floats.nameless, histograms).present()


def _variance(values: Floats, inside: NDArray[np.bool_]) -> Floats:
    counts = np.maximum(inside.sum(axis=1), 1)
    with np.errstate(all="ignore"):
        mean = np.where(inside, values / counts[:, None], 0.0).sum(axis=1)
        spread = np.where(inside, values - mean[:, None], 0.0)
        return (spread * spread).sum(axis=1) / counts


def _quantile(values: Floats, inside: NDArray[np.bool_], phi: Floats) -> Floats:
    with np.errstate(all="ignore"):
        return sorted_quantile(values[:, :, None], inside[:, :, None], inside.sum(axis=1), phi)[:, 0]


def select(op: str, frame: Frame, names: Sequence[str], without: bool, param: Floats) -> Frame:
    """``topk bottomk limitk``: the series themselves, fewer of them. ``param`` (``[N]``) is how many.

    The series of an instant vector come out group by group in rank order.

    Raises:
        EvaluationError: the parameter is not a usable number.
    """
    if np.isnan(param).any():
        raise EvaluationError("Parameter value is NaN")
    if (np.abs(param) > 2**63).any():
        raise EvaluationError(f"Scalar value {format_number(float(param[0]))} overflows int64")
    wanted = np.trunc(param)[:, None]
    if not frame.width:
        return frame
    kept = np.zeros_like(frame.mask)
    ranked: list[Columns] = []
    for columns in group(frame, names, without).members():
        values, inside = frame.values[:, columns], frame.mask[:, columns]
        if op == "limitk":
            kept[:, columns] = inside & (np.cumsum(inside, axis=1) <= wanted)
            ranked.append(columns)
            continue
        keyed = -values if op == "topk" else values
        # NaN ranks behind every number, absence behind NaN.
        level = np.where(inside, np.where(np.isnan(keyed), 1, 0), 2)
        order = np.lexsort((keyed, level), axis=1)
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :].repeat(len(order), axis=0), axis=1)
        kept[:, columns] = inside & (rank < wanted)
        ranked.append(columns[order[0]])
    result = Frame(frame.labels, frame.values, kept, frame.nameless, frame.histograms)
    if frame.steps == 1:
        result = result.take(np.concatenate(ranked))
    return result.present()


def _mixed(value: int) -> int:
    """MurmurHash3's 64-bit finaliser: spreads a fingerprint evenly."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        value ^= value >> 33
        value = value * factor & 0xFFFFFFFFFFFFFFFF
    return value ^ value >> 33


def limit_ratio(frame: Frame, ratio: Floats) -> Frame:
    """About ``ratio`` of the series, chosen by their hash; a negative ratio gives the complement.

    Raises:
        EvaluationError: the ratio is NaN.
    """
    if np.isnan(ratio).any():
        raise EvaluationError("Ratio value is NaN")
    ratio = np.clip(ratio, -1.0, 1.0)[:, None]
    place = np.array([_mixed(labels.fingerprint) / 2**64 for labels in frame.labels]).reshape(1, -1)
    chosen = np.where(ratio >= 0, place < ratio, place >= 1.0 + ratio)
    return Frame(frame.labels, frame.values, frame.mask & chosen, frame.nameless, frame.histograms).present()


def count_values(frame: Frame, label: str, names: Sequence[str], without: bool, cells: int = 2**62) -> Frame:
    """How many series of each group have each value; the value becomes a label. At most ``cells`` counts are kept.

    Raises:
        EvaluationError: the label's name is empty or not UTF-8.
        LimitError: there would be more counts.
    """
    try:
        label.encode("utf-8")
    except UnicodeEncodeError:
        shown = label.encode("utf-8", "surrogateescape").decode("latin-1")
        shown = "".join(char if " " <= char < "\x7f" else f"\\x{ord(char):02x}" for char in shown)
        raise EvaluationError(f'invalid label name "{shown}"') from None
    if not label:
        raise EvaluationError('invalid label name ""')
    counts: dict[Labels, Floats] = {}
    nameless: dict[Labels, bool] = {}
    groups = group(frame, names, without)
    for place, columns in enumerate(groups.members()):
        part, inside = frame.values[:, columns], frame.mask[:, columns]
        if frame.histograms is not None:
            inside = inside & ~frame.held()[:, columns]
        seen: dict[str, float] = {}
        for value in np.unique(part[inside]):
            seen.setdefault(format_number(float(value)), float(value))
        for text, value in seen.items():
            same = np.isnan(part) if np.isnan(value) else part == value
            labels = groups.labels[place].with_(**{label: text})
            if (len(counts) + 1) * frame.steps > cells:
                raise LimitError(f"count_values() would give more than {len(counts):,} series at {frame.steps:,} steps")
            number = (same & inside).sum(axis=1).astype(np.float64)
            counts[labels] = counts[labels] + number if labels in counts else number
            nameless[labels] = bool(groups.nameless[place])
        for text, number in _shown_histograms(frame, columns).items():
            labels = groups.labels[place].with_(**{label: text})
            if (len(counts) + 1) * frame.steps > cells:
                raise LimitError(f"count_values() would give more than {len(counts):,} series at {frame.steps:,} steps")
            counts[labels] = counts[labels] + number if labels in counts else number
            nameless[labels] = bool(groups.nameless[place])
    if not counts:
        return empty(frame.steps)
    values = np.stack(list(counts.values()), axis=1)
    return Frame(list(counts), values, values > 0, np.array(list(nameless.values())))

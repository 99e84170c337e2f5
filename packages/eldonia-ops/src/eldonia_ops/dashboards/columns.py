"""Results of queries in columns: one list of timestamps, and for each series its values with gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.histogram_statistics import buckets

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """One series: a value for each timestamp, None where it has none."""

    name: str
    labels: Mapping[str, str]
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Columns:
    """``timestamps`` are Unix ms. ``buckets`` are the upper bounds of a heat map, one for each series."""

    timestamps: list[int] = field(default_factory=list[int])
    series: list[Column] = field(default_factory=list[Column])
    buckets: list[float] = field(default_factory=list[float])


def columns(series: Sequence[tuple[str, Mapping[str, str], Points]], timestamps: Sequence[int]) -> Columns:
    """Series over given timestamps; points at other instants are left out."""
    places = {at: index for index, at in enumerate(timestamps)}
    found: list[Column] = []
    for name, labels, points in series:
        values: list[float | None] = [None] * len(timestamps)
        for at, value in points:
            place = places.get(at)
            if place is not None:
                values[place] = float(value)
        found.append(Column(name, labels, values))
    return Columns(list(timestamps), found)


def heat_columns(series: Sequence[tuple[Mapping[str, str], Points]], timestamps: Sequence[int]) -> Columns:
    """Cumulative buckets by ``le`` as counts of each bucket, from the lowest bound up. Series with the same bound are
    added up; one without is left out."""
    by_bound: dict[float, list[float | None]] = {}
    made = columns([("", labels, points) for labels, points in series], timestamps)
    for column in made.series:
        try:
            bound = float(column.labels.get("le", ""))
        except ValueError:
            continue
        so_far = by_bound.get(bound)
        by_bound[bound] = (
            column.values if so_far is None else [_sum(a, b) for a, b in zip(so_far, column.values, strict=True)]
        )
    bounds = sorted(by_bound)
    below: list[float | None] = [0.0] * len(timestamps)
    found: list[Column] = []
    for bound in bounds:
        values = by_bound[bound]
        counts = [
            None if value is None else max(0.0, value - (low or 0.0)) for value, low in zip(values, below, strict=True)
        ]
        found.append(Column(_bound(bound), {"le": _bound(bound)}, counts))
        below = [low if value is None else value for value, low in zip(values, below, strict=True)]
    return Columns(made.timestamps, found, bounds)


def histogram_columns(series: Sequence[Sequence[tuple[int, NativeHistogram]]], timestamps: Sequence[int]) -> Columns:
    """Native histograms as a heat map: a series for each bucket that is not empty anywhere."""
    places = {at: index for index, at in enumerate(timestamps)}
    rows: dict[float, list[float | None]] = {}
    for points in series:
        for at, histogram in points:
            place = places.get(at)
            if place is None:
                continue
            for _, upper, count in buckets(histogram):
                row = rows.setdefault(upper, [None] * len(timestamps))
                row[place] = (row[place] or 0.0) + count
    bounds = sorted(rows)
    return Columns(list(timestamps), [Column(_bound(one), {"le": _bound(one)}, rows[one]) for one in bounds], bounds)


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else f"{bound:g}"

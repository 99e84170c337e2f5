"""Putting series blocks together, so that every series ends up in exactly one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import ABSENT_NAN, SeriesBlock
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import PackedHistograms

_Samples = tuple[NDArray[np.int64], NDArray[np.float64]]


def merge_samples(parts: Sequence[_Samples]) -> _Samples:
    """One ascending run of samples from several; where two have the same instant the earlier part wins."""
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    if len(parts) == 1:
        return parts[0]
    timestamps, first = np.unique(np.concatenate([part[0] for part in parts]), return_index=True)
    return timestamps, np.concatenate([part[1] for part in parts])[first]


def group_singles(series: Sequence[tuple[Labels, NDArray[np.int64], NDArray[np.float64]]]) -> list[SeriesBlock]:
    """Series with equal timestamps share a block; each of the others has its own."""
    groups: dict[bytes, list[tuple[Labels, NDArray[np.int64], NDArray[np.float64]]]] = {}
    for item in series:
        groups.setdefault(item[1].tobytes(), []).append(item)
    return [
        SeriesBlock(
            tuple(labels for labels, _, _ in group),
            group[0][1],
            np.ascontiguousarray(np.stack([values for _, _, values in group], axis=1)),
        )
        for group in groups.values()
    ]


def matrix(
    labels: Sequence[Labels],
    columns: NDArray[np.intp],
    timestamps: NDArray[np.int64],
    values: NDArray[np.float64],
) -> SeriesBlock:
    """One block from loose samples: sample ``i`` belongs to series ``columns[i]``; missing cells are absent."""
    instants, rows = np.unique(timestamps, return_inverse=True)
    cells = np.full((len(instants), len(labels)), ABSENT_NAN)
    cells[rows, columns] = values
    return SeriesBlock(tuple(labels), instants, cells)


def join(older: Sequence[SeriesBlock], newer: Sequence[SeriesBlock]) -> list[SeriesBlock]:
    """Blocks over both ranges; every timestamp of ``older`` is before every timestamp of ``newer``."""
    if not older or not newer:
        return [*older, *newer]
    old_place = {labels: (b, c) for b, block in enumerate(older) for c, labels in enumerate(block.labels)}
    groups: dict[tuple[int | None, int | None], list[tuple[Labels, int, int]]] = {}
    for b, block in enumerate(newer):
        for c, labels in enumerate(block.labels):
            old, old_column = old_place.pop(labels, (None, 0))
            groups.setdefault((old, b), []).append((labels, old_column, c))
    for labels, (b, c) in old_place.items():
        groups.setdefault((b, None), []).append((labels, c, 0))
    found: list[SeriesBlock] = []
    for (old, new), members in groups.items():
        parts: list[SeriesBlock] = []
        columns: list[list[int]] = []
        if old is not None:
            parts.append(older[old])
            columns.append([member[1] for member in members])
        if new is not None:
            parts.append(newer[new])
            columns.append([member[2] for member in members])
        found.append(
            SeriesBlock(
                tuple(member[0] for member in members),
                np.concatenate([part.timestamps for part in parts]),
                np.concatenate([part.values[:, taken] for part, taken in zip(parts, columns, strict=True)]),
                *_beside(parts, columns),
            )
        )
    return found


def _beside(
    parts: Sequence[SeriesBlock], columns: Sequence[Sequence[int]]
) -> tuple[Mapping[tuple[int, int], NativeHistogram], Mapping[int, Sequence[tuple[int, int]]]]:
    """Histograms and starts of the columns taken from parts that follow one another."""
    packed: dict[tuple[int, int], bytes] = {}
    starts: dict[int, list[tuple[int, int]]] = {}
    above = 0
    for part, taken in zip(parts, columns, strict=True):
        if part.histograms or part.starts:
            places = {old: new for new, old in enumerate(taken)}
            if isinstance(part.histograms, PackedHistograms):
                packed |= part.histograms.moved(above, places)
            for column, known in part.starts.items():
                if column in places:
                    starts.setdefault(places[column], []).extend(known)
        above += len(part.timestamps)
    return (PackedHistograms(packed) if packed else {}), starts

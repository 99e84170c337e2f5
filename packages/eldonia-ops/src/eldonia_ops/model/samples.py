"""Metric samples, and the block in which the store hands them to PromQL."""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import Labels

STALE_NAN_BITS: Final = 0x7FF0000000000002
"""Prometheus' staleness marker: the series ended here (model/value/value.go)."""

ABSENT_NAN_BITS: Final = 0x7FF0000000000006
"""Our own marker inside a :class:`SeriesBlock`: this series has no sample at this timestamp."""

STALE_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_NAN_BITS))[0]
ABSENT_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", ABSENT_NAN_BITS))[0]


class MetricType(StrEnum):
    """The TYPE of a metric family, as the exposition formats name it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series at one instant (Unix milliseconds)."""

    labels: Labels
    timestamp_ms: int
    value: float


@dataclass(frozen=True, slots=True)
class SampleRow:
    """Many series sampled at one instant: what one scrape of one target yields.

    ``target`` names the block that the row belongs to (for example ``job/instance``); rows of one
    target share their timestamps. ``labels`` and ``values`` have the same length S; ``values`` is
    float64 and may hold :data:`STALE_NAN` for series that ended.
    """

    target: str
    timestamp_ms: int
    labels: tuple[Labels, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MetricMetadata:
    """What a target says about a metric family."""

    name: str
    type: MetricType
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBlock:
    """S series that share T timestamps.

    * ``labels``: S label sets;
    * ``timestamps``: int64 Unix milliseconds, shape ``[T]``, strictly ascending;
    * ``values``: float64, shape ``[T, S]``, time-major so that a scrape appends one contiguous row.

    A cell is a sample, :data:`STALE_NAN` (the series ended here) or :data:`ABSENT_NAN` (nothing was
    sampled). NaN proper is a legal sample: compare bits, not values (see :func:`is_stale`,
    :func:`is_absent`).
    """

    labels: tuple[Labels, ...]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells are Prometheus' staleness marker; same shape as the input."""
    return np.ascontiguousarray(values).view(np.uint64) == np.uint64(STALE_NAN_BITS)


def is_absent(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells hold no sample at all; same shape as the input."""
    return np.ascontiguousarray(values).view(np.uint64) == np.uint64(ABSENT_NAN_BITS)

"""Metric samples, and the block in which the store hands them to PromQL."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram

STALE_NAN_BITS: Final = 0x7FF0000000000002
"""Prometheus' staleness marker: the series ended here (model/value/value.go)."""

ABSENT_NAN_BITS: Final = 0x7FF0000000000006
"""Our own marker inside a :class:`SeriesBlock`: this series has no sample at this timestamp."""

HISTOGRAM_NAN_BITS: Final = 0x7FF000000000000A
"""Our own marker inside a :class:`SeriesBlock`: the sample is a native histogram, which is found beside the floats."""

STALE_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", STALE_NAN_BITS))[0]
ABSENT_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", ABSENT_NAN_BITS))[0]
HISTOGRAM_NAN: Final[float] = struct.unpack("<d", struct.pack("<Q", HISTOGRAM_NAN_BITS))[0]


class MetricType(StrEnum):
    """The TYPE of a metric family, as the exposition formats name it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    SUMMARY = "summary"
    UNKNOWN = "unknown"


SampleValue: TypeAlias = float | NativeHistogram
"""What a series has at one instant."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One float of one series at one instant (Unix milliseconds).

    ``start_ms`` is when a counter began to count, 0 when its source does not say.
    """

    labels: Labels
    timestamp_ms: int
    value: float
    start_ms: int = 0


@dataclass(frozen=True, slots=True)
class HistogramSample:
    """One native histogram of one series at one instant, beside the floats of other series, as in Prometheus."""

    labels: Labels
    timestamp_ms: int
    value: NativeHistogram
    start_ms: int = 0


AnySample: TypeAlias = Sample | HistogramSample
"""A sample, whatever its value is."""


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

    * ``histograms``: the native histograms by ``(row, column)``, where ``values`` has :data:`HISTOGRAM_NAN`.

    * ``starts``: by column, from which instant on (Unix ms, ascending) its samples count since which other; empty where
      no source said so, 0 from where on none does.

    A cell is a float, :data:`STALE_NAN` (the series ended here), :data:`ABSENT_NAN` (nothing was sampled) or
    :data:`HISTOGRAM_NAN`. NaN proper is a legal sample: compare bits, not values (see :func:`is_stale`,
    :func:`is_absent`).
    """

    labels: tuple[Labels, ...]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    histograms: Mapping[tuple[int, int], NativeHistogram] = field(default_factory=dict)
    starts: Mapping[int, Sequence[tuple[int, int]]] = field(default_factory=dict)


def is_stale(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells are Prometheus' staleness marker; same shape as the input."""
    return np.ascontiguousarray(values).view(np.uint64) == np.uint64(STALE_NAN_BITS)


def is_absent(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which cells hold no sample at all; same shape as the input."""
    return np.ascontiguousarray(values).view(np.uint64) == np.uint64(ABSENT_NAN_BITS)

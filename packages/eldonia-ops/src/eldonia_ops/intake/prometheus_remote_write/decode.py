"""The body of a remote write 1.0 request to samples and metadata."""

import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan
from typing import Any, Final

import cramjam
from google.protobuf.message import DecodeError

from eldonia_ops.intake import IntakeError, IntakeLimits, TooMuchError
from eldonia_ops.intake.prometheus_remote_write.histograms import is_stale_histogram, read_histogram
from eldonia_ops.intake.prometheus_remote_write.messages import WriteRequest
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import (
    STALE_NAN,
    STALE_NAN_BITS,
    AnySample,
    HistogramSample,
    MetricMetadata,
    MetricType,
    Sample,
)
from eldonia_ops.protocols.protobuf_count import holds_more_than

MAX_SAMPLES: Final = 200_000
MAX_PARTS: Final = 1_000_000
"""How many messages (series, labels, samples, …) one request may hold together."""
MAX_LABEL_NAME: Final = 256
MAX_NAME: Final = 512
MAX_HELP: Final = 2_048
MAX_UNIT: Final = 64
_SHOWN: Final = 200
_REMEMBERED: Final = 50_000

EXEMPLAR: Final = "an exemplar, which is not kept"

_TYPES: Final = (
    MetricType.UNKNOWN,
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.HISTOGRAM,
    MetricType.HISTOGRAM,  # of gauges
    MetricType.SUMMARY,
    MetricType.GAUGE,  # info
    MetricType.GAUGE,  # stateset
)
"""By their numbers in ``MetricMetadata.MetricType``."""

_NAN: Final = float("nan")


class _InvalidSeriesError(ValueError):
    """What is wrong with the labels of a series, in a sentence without any of them."""


@dataclass(slots=True)
class Decoded:
    """What a request holds. ``refused`` counts samples by reason; ``first`` is the first reason with its series.

    ``exemplars`` counts what was left out.
    """

    samples: list[AnySample] = field(default_factory=list)
    metadata: list[MetricMetadata] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    first: str = ""
    exemplars: int = 0

    def refuse(self, reason: str, count: int, subject: str) -> None:
        """Leave ``count`` samples of a series out; ``subject`` shows the series to the sender."""
        self.first = self.first or f"{subject}: {reason}"
        self.refused[reason] += count


def decode_write(body: bytes, limits: IntakeLimits) -> Decoded:
    """Read a request: snappy's block format around a ``WriteRequest``.

    Raises:
        IntakeError: it cannot be read.
        TooMuchError: it unpacks to more than the limits allow, or holds too much.
    """
    return _read(_message(_unpacked(body, limits.unpacked)), limits)


def _unpacked(body: bytes, limit: int) -> bytes:
    """The block unpacked, never into more than ``limit`` bytes: it says in front how long it will be."""
    try:
        if not body:
            raise IntakeError("the body is empty")
        size = cramjam.snappy.decompress_raw_len(body)
        if size > limit:
            raise TooMuchError(f"the unpacked body is larger than {limit:,} bytes; send less at once")
        target = bytearray(size)
        length = cramjam.snappy.decompress_raw_into(body, target) if size else 0
    except cramjam.DecompressionError:
        raise IntakeError("the body is no block of snappy") from None
    return bytes(target[:length])


def _message(body: bytes) -> Any:
    # Two bytes make an object of a hundred in memory: count before decoding.
    if holds_more_than(body, WriteRequest.DESCRIPTOR, MAX_PARTS):
        raise TooMuchError(f"the body has more than {MAX_PARTS:,} messages inside; send less at once")
    try:
        return WriteRequest.FromString(body)
    except DecodeError:
        raise IntakeError("the body is no valid prometheus.WriteRequest") from None


def _read(request: Any, limits: IntakeLimits) -> Decoded:
    found = Decoded(metadata=_metadata(request.metadata))
    for series in request.timeseries:
        found.exemplars += len(series.exemplars)
        count = len(series.samples) + len(series.histograms)
        if not count:
            continue
        if len(found.samples) + count > MAX_SAMPLES:
            raise TooMuchError(f"more than {MAX_SAMPLES:,} samples in one request; send smaller batches")
        pairs = tuple((label.name, label.value) for label in series.labels)
        try:
            labels = _labels(pairs, limits.labels, limits.label_value)
        except _InvalidSeriesError as error:
            found.refuse(str(error), count, _shown(series.labels))
            continue
        for sample in series.samples:
            value = sample.value
            found.samples.append(Sample(labels, sample.timestamp, _not_a_number(value) if isnan(value) else value))
        for histogram in series.histograms:
            at = histogram.timestamp
            if is_stale_histogram(histogram):
                found.samples.append(Sample(labels, at, STALE_NAN))
                continue
            try:
                found.samples.append(HistogramSample(labels, at, read_histogram(histogram)))
            except ValueError as error:
                found.refuse(str(error), 1, _shown(series.labels))
    return found


@lru_cache(_REMEMBERED)
def _labels(pairs: tuple[tuple[str, str], ...], most: int, longest: int) -> Labels:
    """A series' labels. The same series comes with nearly every request, so they are remembered.

    Raises:
        _InvalidSeriesError: no series can have these labels.
    """
    if len(pairs) > most:
        raise _InvalidSeriesError(f"the series has more than {most} labels")
    if len(dict(pairs)) < len(pairs):
        raise _InvalidSeriesError("the series has a label twice")
    for name, value in pairs:
        if not name:
            raise _InvalidSeriesError("the series has a label without a name")
        if len(name) > MAX_LABEL_NAME:
            raise _InvalidSeriesError(f"the series has a label whose name is longer than {MAX_LABEL_NAME} characters")
        if len(value) > longest:
            raise _InvalidSeriesError(f"the series has a label whose value is longer than {longest:,} characters")
    labels = Labels(pairs)
    if not labels.name:
        raise _InvalidSeriesError("the series has no metric name")
    return labels


def _not_a_number(value: float) -> float:
    """The stale marker as it is; any other NaN as the usual one, for some mean something to the store."""
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    return STALE_NAN if bits == STALE_NAN_BITS else _NAN


def _metadata(entries: Iterable[Any]) -> list[MetricMetadata]:
    """What is said of metrics, the latest of each name. An entry without a name says nothing."""
    found: dict[str, MetricMetadata] = {}
    for entry in entries:
        name = clean_text(entry.metric_family_name)
        if 0 < len(name) <= MAX_NAME:
            kind = _TYPES[entry.type] if 0 <= entry.type < len(_TYPES) else MetricType.UNKNOWN
            found[name] = MetricMetadata(
                name, kind, clean_text(entry.help[:MAX_HELP]), clean_text(entry.unit[:MAX_UNIT])
            )
    return list(found.values())


def _shown(labels: Iterable[Any]) -> str:
    """A series as its sender may recognise it, of bounded length."""
    text = ""
    name = ""
    for label in labels:
        if label.name == METRIC_NAME:
            name = label.value[:_SHOWN]
        elif len(text) < _SHOWN:
            text += f'{", " if text else ""}{label.name[:_SHOWN]}="{label.value[:_SHOWN]}"'
    return clean_text(f"{name}{{{text[:_SHOWN]}}}")

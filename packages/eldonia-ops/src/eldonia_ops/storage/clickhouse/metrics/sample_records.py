"""Accepted samples as one record of the write-ahead log.

A record holds rows of series in JSON, then rows of samples as the engine takes them. When there are histograms or
starts as well, the highest bit of the first number says so, and their rows follow::

    length of the rows of series (4 bytes) | rows of series | samples                                   floats alone
    the same, highest bit set | rows of series | samples, starts (4 bytes each) | samples | starts | histograms
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.storage.clickhouse.metrics.head import HISTOGRAM_HEADER, NO_STARTS, SAMPLE_DTYPE, START_DTYPE, Accepted
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import split_histograms

_LENGTH: Final = struct.Struct("<I")
_COUNTS: Final = struct.Struct("<II")
_MORE: Final = 1 << 31


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """What one record holds. ``series`` are rows of JSON; the others are as in :class:`Accepted`."""

    series: list[bytes]
    samples: NDArray[np.void]
    starts: NDArray[np.void] = field(default_factory=lambda: NO_STARTS)
    histograms: tuple[bytes, ...] = ()


def together(batches: Sequence[Accepted]) -> Accepted:
    """Some batches as one."""
    starts = [batch.starts for batch in batches if len(batch.starts)]
    return Accepted(
        np.concatenate([batch.samples for batch in batches]) if batches else np.empty(0, SAMPLE_DTYPE),
        tuple(item for batch in batches for item in batch.series),
        tuple(row for batch in batches for row in batch.histograms),
        np.concatenate(starts) if starts else NO_STARTS,
    )


def encode_record(series: Sequence[bytes], accepted: Accepted) -> bytes:
    """The payload of a record."""
    lines = b"\n".join(series)
    samples = accepted.samples.tobytes()
    if not accepted.histograms and not len(accepted.starts):
        return _LENGTH.pack(len(lines)) + lines + samples
    counts = _COUNTS.pack(len(accepted.samples), len(accepted.starts))
    head = (_LENGTH.pack(len(lines) | _MORE), lines, counts, samples, accepted.starts.tobytes())
    return b"".join((*head, *accepted.histograms))


def decode_record(payload: bytes) -> SampleRecord:
    """What :func:`encode_record` wrote."""
    (length,) = _LENGTH.unpack_from(payload)
    at = _LENGTH.size + (length & ~_MORE)
    series = payload[_LENGTH.size : at].splitlines()
    if not length & _MORE:
        return SampleRecord(series, np.frombuffer(payload[at:], SAMPLE_DTYPE))
    many, starts = _COUNTS.unpack_from(payload, at)
    begin = at + _COUNTS.size
    middle = begin + many * SAMPLE_DTYPE.itemsize
    end = middle + starts * START_DTYPE.itemsize
    return SampleRecord(
        series,
        np.frombuffer(payload[begin:middle], SAMPLE_DTYPE),
        np.frombuffer(payload[middle:end], START_DTYPE),
        tuple(header + packed for header, packed in split_histograms(payload[end:], HISTOGRAM_HEADER.size)),
    )


def of_samples(record: SampleRecord, samples: NDArray[np.void]) -> Iterator[bytes]:
    """The rows of a record's histograms that belong to some samples."""
    wanted = set(zip(samples["series"].tolist(), samples["timestamp"].tolist(), strict=True))
    for row in record.histograms:
        _, series, timestamp = HISTOGRAM_HEADER.unpack_from(row)
        if (series, timestamp) in wanted:
            yield row

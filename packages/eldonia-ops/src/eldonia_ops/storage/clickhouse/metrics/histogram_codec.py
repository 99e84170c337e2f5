"""Native histograms as bytes: in memory, in the write-ahead log, and as columns of the table ``histograms``.

The bytes are what RowBinary wants of the columns ``count``, ``sum``, ``layout`` and ``counts``: two doubles and two
strings. ``layout`` says which buckets there are; it is the same from sample to sample, so the engine packs it to almost
nothing. ``counts`` has the count of each bucket as the difference to the one before, as Prometheus' own chunks do.
Numbers are varints, signed ones in zigzag, as in protobuf (https://protobuf.dev/programming-guides/encoding/).
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import accumulate
from typing import Final

from eldonia_ops.model.native_histogram import NativeHistogram, ResetHint
from eldonia_ops.storage.clickhouse.engines.leb128 import read_varint, varint

_TOTALS: Final = struct.Struct("<dd")
_DOUBLE: Final = struct.Struct("<d")
_HINTS: Final = tuple(ResetHint)
_WHOLE: Final = b"\x00"
_FLOATS: Final = b"\x01"
_LARGEST_WHOLE: Final = 2**53
_LAYOUTS: Final = 4_096

_Layout = tuple[ResetHint, int, float, tuple[float, ...], tuple[int, ...], tuple[int, ...]]


def encode_histogram(histogram: NativeHistogram) -> bytes:
    """The bytes of one histogram."""
    layout = _encoded_layout(
        histogram.reset_hint,
        histogram.schema,
        histogram.zero_threshold,
        histogram.custom_bounds,
        tuple(index for index, _ in histogram.positive),
        tuple(index for index, _ in histogram.negative),
    )
    values = [
        histogram.zero_count,
        *(count for _, count in histogram.positive),
        *(count for _, count in histogram.negative),
    ]
    if all(0 <= value < _LARGEST_WHOLE and value == int(value) for value in values):
        counts = _WHOLE + _differences(map(int, values))
    else:
        counts = _FLOATS + struct.pack(f"<{len(values)}d", *values)
    totals = _TOTALS.pack(histogram.count, histogram.sum)
    return b"".join((totals, varint(len(layout)), layout, varint(len(counts)), counts))


def decode_histogram(data: bytes) -> NativeHistogram:
    """A histogram from the bytes of :func:`encode_histogram`.

    Raises:
        ValueError: they are no histogram.
    """
    try:
        count, total = _TOTALS.unpack_from(data)
        length, at = read_varint(data, _TOTALS.size)
        layout = _decoded_layout(data[at : at + length])
        length, at = read_varint(data, at + length)
        counts = data[at : at + length]
        hint, schema, threshold, bounds, positive, negative = layout
        expected = 1 + len(positive) + len(negative)
        if counts[:1] == _WHOLE:
            values = [float(value) for value in accumulate(_signed(counts, 1))]
        else:
            values = list(struct.unpack(f"<{expected}d", counts[1:]))
        if len(values) != expected:
            raise ValueError("the counts do not fit the buckets")
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"not a histogram: {error}") from None
    middle = 1 + len(positive)
    return NativeHistogram(
        schema,
        count,
        total,
        threshold,
        values[0],
        tuple(zip(positive, values[1:middle], strict=True)),
        tuple(zip(negative, values[middle:], strict=True)),
        bounds,
        hint,
    )


def split_histograms(data: bytes, header: int) -> Iterator[tuple[bytes, bytes]]:
    """Rows that follow one another, each of ``header`` bytes and a histogram; yields both parts of each."""
    at = 0
    while at < len(data):
        start = at + header
        length, after = read_varint(data, start + _TOTALS.size)
        length, after = read_varint(data, after + length)
        yield data[at:start], data[start : after + length]
        at = after + length


class PackedHistograms(Mapping[tuple[int, int], NativeHistogram]):
    """Histograms by their place in a block of series, unpacked when they are asked for."""

    def __init__(self, packed: dict[tuple[int, int], bytes]) -> None:
        self.packed = packed

    def __getitem__(self, place: tuple[int, int]) -> NativeHistogram:
        return decode_histogram(self.packed[place])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self.packed)

    def __len__(self) -> int:
        return len(self.packed)

    def moved(self, rows: int, columns: Mapping[int, int]) -> dict[tuple[int, int], bytes]:
        """The bytes by places in another block: so many rows further down, in the columns that it has."""
        return {(row + rows, columns[column]): data for (row, column), data in self.packed.items() if column in columns}


@lru_cache(_LAYOUTS)
def _encoded_layout(
    hint: ResetHint,
    schema: int,
    threshold: float,
    bounds: tuple[float, ...],
    positive: tuple[int, ...],
    negative: tuple[int, ...],
) -> bytes:
    return b"".join(
        (
            bytes((_HINTS.index(hint),)),
            varint(_zigzag(schema)),
            _DOUBLE.pack(threshold),
            varint(len(bounds)),
            struct.pack(f"<{len(bounds)}d", *bounds),
            varint(len(positive)),
            _differences((*positive, *negative)),
        )
    )


@lru_cache(_LAYOUTS)
def _decoded_layout(data: bytes) -> _Layout:
    hint = _HINTS[data[0]]
    schema, at = read_varint(data, 1)
    (threshold,) = _DOUBLE.unpack_from(data, at)
    many, at = read_varint(data, at + _DOUBLE.size)
    bounds = struct.unpack_from(f"<{many}d", data, at)
    count, at = read_varint(data, at + 8 * many)
    indexes = tuple(accumulate(_signed(data, at)))
    return hint, _unzigzag(schema), threshold, bounds, indexes[:count], indexes[count:]


def _differences(values: Iterable[int]) -> bytes:
    found = bytearray()
    before = 0
    for value in values:
        number = _zigzag(value - before)
        before = value
        while number > 0x7F:
            found.append(number & 0x7F | 0x80)
            number >>= 7
        found.append(number)
    return bytes(found)


def _signed(data: bytes, at: int) -> Iterator[int]:
    end = len(data)
    while at < end:
        number, at = read_varint(data, at)
        yield _unzigzag(number)


def _zigzag(number: int) -> int:
    return number << 1 if number >= 0 else (-number << 1) - 1


def _unzigzag(number: int) -> int:
    return number >> 1 if not number & 1 else -(number >> 1) - 1

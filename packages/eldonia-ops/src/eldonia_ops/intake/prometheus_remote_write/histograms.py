"""Native histograms of a remote write request: their spans and deltas become buckets.

Source: https://github.com/prometheus/prometheus/blob/main/prompb/types.proto. What Prometheus' own receiver checks is
checked here (model/histogram/histogram.go, ``Validate``): spans that fit the counts, counts that are not negative, and
for counts in integers a total that agrees with them.
"""

import math
import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from eldonia_ops.model.native_histogram import (
    CUSTOM_SCHEMA,
    LARGEST_SCHEMA,
    MAX_BUCKETS,
    NativeHistogram,
    ResetHint,
    reduced,
)
from eldonia_ops.model.samples import STALE_NAN_BITS

# That there was no reset is not taken over: the sample that the sender means need not have arrived. It is seen by
# comparing, as Prometheus does with what it receives.
_HINTS: Final = (ResetHint.UNKNOWN, ResetHint.RESET, ResetHint.UNKNOWN, ResetHint.GAUGE)
_LARGEST_INDEX: Final = 2**31 - 1
_FINEST_SCHEMA: Final = 52
"""Finer than we keep, but Prometheus takes it and makes it coarser."""


def is_stale_histogram(message: Any) -> bool:
    """Whether a ``prometheus.Histogram`` says that its series ended: its sum is the stale marker."""
    return struct.unpack("<Q", struct.pack("<d", message.sum))[0] == STALE_NAN_BITS


def read_histogram(message: Any) -> NativeHistogram:
    """A ``prometheus.Histogram`` as a value.

    Raises:
        ValueError: it is none; the message is a sentence without anything that the sender wrote.
    """
    schema = message.schema
    if schema != CUSTOM_SCHEMA and not -4 <= schema <= _FINEST_SCHEMA:
        raise ValueError("a histogram with a schema that is not known")
    if len(message.custom_values) > MAX_BUCKETS:
        raise ValueError(f"a histogram with more than {MAX_BUCKETS:,} buckets")
    floats = bool(message.count_float or message.positive_counts or message.negative_counts or message.zero_count_float)
    count = message.count_float if floats else float(message.count_int)
    zeros = message.zero_count_float if floats else float(message.zero_count_int)
    positive = _buckets(
        message.positive_spans, message.positive_counts if floats else accumulate(message.positive_deltas)
    )
    negative = _buckets(
        message.negative_spans, message.negative_counts if floats else accumulate(message.negative_deltas)
    )
    hint = _HINTS[message.reset_hint] if 0 <= message.reset_hint < len(_HINTS) else ResetHint.UNKNOWN
    found = NativeHistogram(
        min(schema, LARGEST_SCHEMA),
        count,
        message.sum,
        message.zero_threshold,
        zeros,
        positive,
        negative,
        tuple(bound for bound in message.custom_values if bound != math.inf),
        hint,
    )
    if schema > LARGEST_SCHEMA:
        found = reduced(found, LARGEST_SCHEMA, schema)
    try:
        found.checked()
    except ValueError as error:
        raise ValueError(f"a histogram whose parts do not fit: {error}") from None
    inside = zeros + sum(number for _, number in positive) + sum(number for _, number in negative)
    # The observation of a NaN is in no bucket; sums of floats need not agree to the last digit.
    if not floats and (inside > count if math.isnan(found.sum) else inside != count):
        raise ValueError("a histogram whose count is not that of its buckets")
    return found


def _buckets(spans: Sequence[Any], counts: Any) -> tuple[tuple[int, float], ...]:
    lengths = sum(span.length for span in spans)
    if lengths > MAX_BUCKETS:
        raise ValueError(f"a histogram with more than {MAX_BUCKETS:,} buckets")
    values = list(counts)
    if len(values) != lengths:
        raise ValueError("a histogram whose spans do not fit its buckets")
    found: list[tuple[int, float]] = []
    index = place = 0
    for number, span in enumerate(spans):
        if number and span.offset < 0:
            raise ValueError("a histogram with a span that goes back")
        index += span.offset
        for _ in range(span.length):
            value = float(values[place])
            if not value >= 0:
                raise ValueError("a histogram with a bucket that counts less than nothing")
            if abs(index) > _LARGEST_INDEX:
                raise ValueError("a histogram with a bucket beyond all others")
            if value:
                found.append((index, value))
            place += 1
            index += 1
    return tuple(found)

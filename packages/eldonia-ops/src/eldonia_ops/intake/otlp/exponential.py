"""Exponential histograms to native ones, as Prometheus' OTLP receiver maps them.

Source: storage/remote/otlptranslator/prometheusremotewrite/histograms.go of Prometheus. Bucket ``i`` of OTLP holds what
is above ``base ** i`` and up to ``base ** (i + 1)``, so its index is one less than ours. A scale finer than 8 is made
8; one coarser than -4 has no schema.
"""

from typing import Any, Final

from eldonia_ops.model.native_histogram import LARGEST_SCHEMA, LEAST_SCHEMA, MAX_BUCKETS, NativeHistogram, reduced

ZERO_THRESHOLD: Final = 1e-128
"""Of a point that names none: what is nearer to zero is in the zero bucket."""

_FINEST: Final = 52


def exponential_to_native(point: Any) -> NativeHistogram:
    """An ``ExponentialHistogramDataPoint`` as a native histogram.

    Raises:
        ValueError: it has none; the message is a sentence without anything that the sender wrote.
    """
    scale = point.scale
    if scale < LEAST_SCHEMA:
        raise ValueError(f"an exponential histogram with a scale below {LEAST_SCHEMA}")
    if scale > _FINEST:
        raise ValueError(f"an exponential histogram with a scale above {_FINEST}")
    found = NativeHistogram(
        min(scale, LARGEST_SCHEMA),
        float(point.count),
        point.sum if point.HasField("sum") else 0.0,
        point.zero_threshold or ZERO_THRESHOLD,
        float(point.zero_count),
        _buckets(point.positive),
        _buckets(point.negative),
    )
    try:
        found = reduced(found, LARGEST_SCHEMA, scale).checked()
    except ValueError as error:
        raise ValueError(f"an exponential histogram whose parts do not fit: {error}") from None
    inside = point.zero_count + sum(point.positive.bucket_counts) + sum(point.negative.bucket_counts)
    if inside > point.count if found.sum != found.sum else inside != point.count:
        raise ValueError("an exponential histogram whose count is not that of its buckets")
    return found


def _buckets(buckets: Any) -> tuple[tuple[int, float], ...]:
    counts = buckets.bucket_counts
    if len(counts) > MAX_BUCKETS:
        raise ValueError(f"an exponential histogram with more than {MAX_BUCKETS:,} buckets")
    first = buckets.offset + 1
    return tuple((first + place, float(count)) for place, count in enumerate(counts) if count)

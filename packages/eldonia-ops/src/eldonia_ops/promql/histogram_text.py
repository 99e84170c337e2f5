"""A native histogram in words, as Prometheus shows it (``FloatHistogram.String``)."""

import math

from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.histogram_arithmetic import is_custom
from eldonia_ops.promql.histogram_statistics import buckets
from eldonia_ops.promql.printer import format_number


def show(histogram: NativeHistogram) -> str:
    """``{count:4, sum:5, (0.5,1]:1, (1,2]:2}``."""
    parts = [f"count:{format_number(histogram.count)}", f"sum:{format_number(histogram.sum)}"]
    for lower, upper, count in buckets(histogram):
        left, right = brackets(histogram, lower, upper)
        parts.append(f"{left}{format_number(lower)},{format_number(upper)}{right}:{format_number(count)}")
    return "{" + ", ".join(parts) + "}"


def brackets(histogram: NativeHistogram, lower: float, upper: float) -> tuple[str, str]:
    """Which bounds of a bucket belong to it."""
    if is_custom(histogram):
        return "[" if math.isinf(lower) else "(", "]"
    if lower < 0 < upper or lower == upper == 0:
        return "[", "]"
    return ("(", "]") if lower >= 0 else ("[", ")")

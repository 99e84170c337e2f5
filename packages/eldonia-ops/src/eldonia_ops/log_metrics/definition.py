"""What a metric made of log records is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.prometheus_conventions import DEFAULT_BUCKETS
from eldonia_ops.search.tree import EVERYTHING, Node


class LogMetricType(StrEnum):
    """How records become samples."""

    COUNTER = "counter"
    """Adds one for each record, or the number in its field."""
    GAUGE = "gauge"
    """The number in the field of the record that came last."""
    HISTOGRAM = "histogram"
    """How the numbers in a field are spread, in classic buckets."""


UNITS: Final[Mapping[str, tuple[str, float]]] = {
    **{"ns": ("seconds", 1e-9), "us": ("seconds", 1e-6), "ms": ("seconds", 1e-3), "s": ("seconds", 1.0)},
    **{"min": ("seconds", 60.0), "h": ("seconds", 3_600.0)},
    **{"B": ("bytes", 1.0), "kB": ("bytes", 1e3), "MB": ("bytes", 1e6), "GB": ("bytes", 1e9)},
    **{"KiB": ("bytes", 2.0**10), "MiB": ("bytes", 2.0**20), "GiB": ("bytes", 2.0**30)},
    "%": ("ratio", 0.01),
}
"""Units that a field may be in: Prometheus' base unit, and by how much a number is multiplied to be in it."""


@dataclass(frozen=True, slots=True)
class LogMetric:
    """One metric. ``search`` says which records count, ``text`` is how it was written.

    ``value`` is the field whose number is added, set or observed, None for one of each record; ``factor`` brings it to
    ``unit``. ``labels`` are names of labels, each with its field. At most ``max_series`` label sets are kept apart. One
    that is ``fed`` is counted by filters of the pipeline, and not by a search.
    """

    name: str
    type: LogMetricType = LogMetricType.COUNTER
    search: Node = EVERYTHING
    text: str = ""
    value: FieldName | None = None
    factor: float = 1.0
    unit: str = ""
    labels: tuple[tuple[str, FieldName], ...] = ()
    buckets: tuple[float, ...] = DEFAULT_BUCKETS
    help: str = ""
    max_series: int = 1_000
    fed: bool = False

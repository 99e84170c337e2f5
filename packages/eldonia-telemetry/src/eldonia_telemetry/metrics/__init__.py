"""Metrics: one registry a process, exposed as Prometheus text.

uploads = metrics.counter("uploads_total", "Files received.", ("kind",))
uploads.labels("image").inc()
"""

import os

from eldonia_telemetry.metrics.exposition import OPENMETRICS, TEXT, negotiate, render
from eldonia_telemetry.metrics.registry import Counter, Gauge, Histogram, Registry
from eldonia_telemetry.metrics.standard import StandardMetrics

registry = Registry()
"""The registry that ``/metrics`` shows."""

standard = StandardMetrics(registry)
"""The metrics with agreed names."""

counter = registry.counter
gauge = registry.gauge
histogram = registry.histogram

os.register_at_fork(after_in_child=registry.after_fork)


def exposition(accept: str = "") -> tuple[str, bytes]:
    """Content type and body for a scrape, by its Accept header."""
    content_type = negotiate(accept)
    return content_type, render(registry.snapshot(), content_type)


__all__ = [
    "OPENMETRICS",
    "TEXT",
    "Counter",
    "Gauge",
    "Histogram",
    "Registry",
    "counter",
    "exposition",
    "gauge",
    "histogram",
    "registry",
    "standard",
]

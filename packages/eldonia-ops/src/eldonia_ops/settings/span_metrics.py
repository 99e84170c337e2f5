"""Metrics that follow from spans."""

from dataclasses import dataclass
from typing import Annotated

from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag, Period, Whole
from eldonia_ops.settings.units import SECOND


@dataclass(frozen=True, slots=True)
class SpanMetricSettings:
    """Request rate, errors and latency of every service and operation out of its spans."""

    enabled: Annotated[
        bool,
        Setting(
            Flag(),
            "Whether `traces_span_metrics_calls_total` and `traces_span_metrics_duration_seconds` are made of spans, "
            "as OpenTelemetry's span metrics connector does. Turn it off where a collector sends them already.",
        ),
    ] = True
    interval: Annotated[int, Setting(Period(minimum=SECOND), "How often they are stored.")] = 15 * SECOND
    max_operations: Annotated[
        int,
        Setting(
            Whole(1, 100_000),
            "Operations that are kept apart, by service, name, kind and status; the rest is `(other)`. "
            "Each has 17 series.",
        ),
    ] = 2_000

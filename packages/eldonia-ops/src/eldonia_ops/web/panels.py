"""What the overview draws: the seed's four layers (section 9.2.1), each a row of panels."""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.services.span_counts import CALLS, DURATION


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. ``query`` is PromQL with ``$window`` for the rate window; ``legend`` names the label that
    names its lines ('' when there is one line). ``unit`` is one the charts can format. ``least``
    is the smallest top of the scale, so that noise near zero does not fill the panel.
    """

    key: str
    query: str
    unit: str
    legend: str = ""
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the seed's monitoring layers."""

    key: str
    panels: tuple[Panel, ...]


_SERVED: Final = 'span_kind!~"SPAN_KIND_CLIENT|SPAN_KIND_PRODUCER"'
_CALLS: Final = f"{CALLS}{{{_SERVED}}}"
_FAILED: Final = f'{CALLS}{{{_SERVED},status_code="STATUS_CODE_ERROR"}}'
_DURATIONS: Final = f"{DURATION}_bucket{{{_SERVED}}}"

LAYERS: Final = (
    Layer(
        "application",
        (
            # An application that only sends traces has no metrics of its own: those of its spans are taken.
            Panel(
                "requests",
                f"sum by (job) (rate(http_requests_total[$window])) or sum by (job) (rate({_CALLS}[$window]))",
                "per_second",
                "job",
                1,
            ),
            Panel(
                "errors",
                '100 * (sum by (job) (rate(http_requests_total{status=~"5.."}[$window])) '
                "or sum by (job) (rate(http_requests_total[$window])) * 0) "
                "/ sum by (job) (rate(http_requests_total[$window])) "
                f"or 100 * (sum by (job) (rate({_FAILED}[$window])) or sum by (job) (rate({_CALLS}[$window])) * 0) "
                f"/ sum by (job) (rate({_CALLS}[$window]))",
                "percent",
                "job",
                5,
            ),
            Panel(
                "latency",
                "histogram_quantile(0.95, sum by (job, le) (rate(http_request_duration_seconds_bucket[$window]))) "
                f"or histogram_quantile(0.95, sum by (job, le) (rate({_DURATIONS}[$window])))",
                "seconds",
                "job",
                0.1,
            ),
            Panel("business", "sum by (job) (rate(orders_total[$window])) * 60", "per_minute", "job", 1),
        ),
    ),
    Layer(
        "infrastructure",
        (
            Panel(
                "cpu",
                '100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$window])) * 100',
                "percent",
                "instance",
                100,
            ),
            Panel(
                "memory",
                "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
                "percent",
                "instance",
                100,
            ),
            Panel(
                "disk",
                "max by (mountpoint) (100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes))",
                "percent",
                "mountpoint",
                100,
            ),
            Panel(
                "network",
                'sum by (device) (rate(node_network_receive_bytes_total{device!="lo"}[$window]))',
                "bytes_per_second",
                "device",
                1000,
            ),
        ),
    ),
    Layer(
        "database",
        (
            Panel(
                "queries",
                "histogram_quantile(0.95, sum by (operation, le) "
                "(rate(db_client_operation_duration_seconds_bucket[$window])))",
                "seconds",
                "operation",
                0.05,
            ),
            Panel("connections", "sum by (datname) (pg_stat_database_numbackends)", "count", "datname", 10),
            Panel("replication", "max by (instance) (pg_replication_lag_seconds)", "seconds", "instance", 1),
            Panel("storage", "max by (datname) (pg_database_size_bytes)", "bytes", "datname", 1000),
        ),
    ),
    Layer(
        "external",
        (
            Panel("reachable", "min by (instance) (probe_success)", "up_down", "instance", 1),
            Panel("probe", "max by (instance) (probe_duration_seconds)", "seconds", "instance", 0.1),
            Panel(
                "payments",
                "sum by (status) (rate(payment_requests_total[$window])) * 60",
                "per_minute",
                "status",
                1,
            ),
            Panel("scraped", "sum by (job) (up)", "count", "job", 1),
        ),
    ),
)

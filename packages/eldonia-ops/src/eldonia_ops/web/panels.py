"""What the overview draws: the seed's four layers (section 9.2.1), each a row of panels, and what a business counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.services.span_counts import CALLS, DURATION


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart. ``query`` is PromQL with ``$window`` for the rate window; ``legend`` names the label that
    names its lines ('' when there is one line). ``unit`` is one the charts can format. ``least``
    is the smallest top of the scale, so that noise near zero does not fill the panel. ``title`` is empty where the
    catalog has one.
    """

    key: str
    query: str
    unit: str
    legend: str = ""
    least: float = 0.0
    title: str = ""


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
            # An application that only sends traces has no metrics of its own: those of its spans are taken. Where no
            # application counts its requests, an nginx in front may.
            Panel(
                "requests",
                f"sum by (job) (rate(http_requests_total[$window])) or sum by (job) (rate({_CALLS}[$window])) "
                "or sum by (job) (rate(nginx_http_requests_total[$window])) "
                f"unless on () (count(http_requests_total) or count({_CALLS}))",
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
            Panel(
                "connections",
                "sum by (datname) (pg_stat_database_numbackends) "
                "or label_replace(sum by (instance) (redis_connected_clients), "
                '"datname", "redis $1", "instance", "(.*)")',
                "count",
                "datname",
                10,
            ),
            Panel(
                "redis_commands",
                "sum by (instance) (rate(redis_commands_processed_total[$window]))",
                "per_second",
                "instance",
                1,
            ),
            Panel("redis_memory", "max by (instance) (redis_memory_used_bytes)", "bytes", "instance", 1000),
            Panel("replication", "max by (instance) (pg_replication_lag_seconds)", "seconds", "instance", 1),
            Panel("storage", "max by (datname) (pg_database_size_bytes)", "bytes", "datname", 1000),
        ),
    ),
    Layer(
        "external",
        (
            Panel("reachable", "min by (instance) (probe_success)", "up_down", "instance", 1),
            Panel("probe", "max by (instance) (probe_duration_seconds)", "seconds", "instance", 0.1),
            Panel("scraped", "sum by (job) (up)", "count", "job", 1),
        ),
    ),
)

MOST_BUSINESS: Final = 8
_TECHNICAL: Final = (
    "alertmanager_", "apache_", "argocd_", "aws_", "caddy_", "cadvisor_", "cassandra_", "clickhouse_", "consul_",
    "container_", "coredns_", "cortex_", "db_", "dotnet_", "elasticsearch_", "eldonia_ops_", "eldonia_telemetry_",
    "envoy_", "etcd_", "exporter_", "faas_", "fluentd_", "go_", "grafana_", "grpc_", "haproxy_", "hikaricp_",
    "http_", "istio_", "jaeger_", "jvm_", "kafka_", "kube_", "kubelet_", "logback_", "loki_", "messaging_",
    "mongodb_", "mysql_", "net_", "nginx_", "nginxexporter_", "node_", "nodejs_", "otel_", "otelcol_", "pg_",
    "pgbouncer_", "php_", "phpfpm_", "postgres_", "probe_", "process_", "prometheus_", "promhttp_", "python_",
    "rabbitmq_", "redis_", "rpc_", "ruby_", "scrape_", "statsd_", "system_", "target_", "thanos_", "tomcat_",
    "traces_", "traefik_", "varnish_", "windows_",
)  # fmt: skip
"""What names of metrics of exporters, runtimes and libraries begin with; the rest an application counts itself."""


def business_layer(metadata: Iterable[MetricMetadata]) -> Layer | None:
    """A row of what applications count themselves, such as orders and payments, each a minute; None when there is
    nothing. At most :data:`MOST_BUSINESS`, by name."""
    names = sorted(
        name
        for one in metadata
        if one.type is MetricType.COUNTER
        and not (name := one.name.removesuffix("_total") + "_total").startswith(_TECHNICAL)
        and _PLAIN.issuperset(name)
    )
    panels = tuple(
        Panel(
            "business",
            f"sum by (job) (rate({name}[$window])) * 60",
            "per_minute",
            "job",
            title=name.removesuffix("_total").replace("_", " "),
        )
        for name in dict.fromkeys(names)
    )
    return Layer("business", panels[:MOST_BUSINESS]) if panels else None


_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

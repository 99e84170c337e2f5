"""Every metric of the platform itself: its name, type, labels and HELP, said once.

``make check`` refuses a name in the source that is not declared here, and a declaration without HELP.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds of work that usually takes milliseconds."""
SLOW: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds in seconds of what crosses the network."""


class Type(StrEnum):
    """The types that we expose, as the exposition formats name them."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. ``counted_here``: :class:`~eldonia_ops.services.own_metrics.OwnMetrics` counts it; the value of any
    other is asked of the part that knows it. ``buckets`` are upper bounds in seconds."""

    name: str
    type: Type
    help: str
    labels: tuple[str, ...] = ()
    counted_here: bool = False
    buckets: tuple[float, ...] = ()


def _counter(name: str, help: str, *labels: str, counted_here: bool = False) -> Metric:
    return Metric(name, Type.COUNTER, help, labels, counted_here)


def _gauge(name: str, help: str, *labels: str) -> Metric:
    return Metric(name, Type.GAUGE, help, labels)


def _durations(name: str, help: str, *labels: str, buckets: tuple[float, ...] = FAST) -> Metric:
    return Metric(name, Type.HISTOGRAM, help, labels, True, buckets)


RULE_EVALUATION: Final = "eldonia_ops_rule_group_duration_seconds"
COLLECTION: Final = "eldonia_ops_scrape_duration_seconds"
INSERT: Final = "eldonia_ops_insert_duration_seconds"
TABLE_INSERT: Final = "eldonia_ops_table_insert_duration_seconds"
GROUP_FLUSH: Final = "eldonia_ops_alert_group_flush_duration_seconds"
DELIVERY: Final = "eldonia_ops_delivery_duration_seconds"
REQUEST: Final = "eldonia_ops_http_request_duration_seconds"
REQUESTS: Final = "eldonia_ops_http_requests_total"

METRICS: Final = (
    # What came in.
    _counter("eldonia_ops_logs_total", "Log records stored."),
    _counter("eldonia_ops_log_parse_errors_total", "Log records kept as text because they could not be read."),
    _gauge("eldonia_ops_log_patterns", "Patterns of log messages that are known."),
    _counter("eldonia_ops_log_records_without_pattern_total", "Log records whose messages have no form."),
    _counter("eldonia_ops_spans_total", "Spans stored."),
    _counter("eldonia_ops_samples_total", "Samples stored."),
    _counter("eldonia_ops_security_events_total", "Security events seen in log records."),
    _counter("eldonia_ops_log_retention_deleted_total", "Records that a rule of retention deleted.", "rule"),
    _gauge("eldonia_ops_log_metric_series", "Label sets of a metric that is made of logs.", "metric"),
    _counter("eldonia_ops_log_metric_records_total", "Records that a metric of logs counted.", "metric"),
    _counter("eldonia_ops_log_metric_overflow_total", "Of them those that went to (other).", "metric"),
    _counter("eldonia_ops_log_metric_skipped_total", "Records that matched and had no usable number.", "metric"),
    _gauge("eldonia_ops_span_metric_operations", "Operations whose spans are counted."),
    _counter("eldonia_ops_span_metric_spans_dropped_total", "Spans that were not counted: too many operations."),
    _counter("eldonia_ops_index_retention_deleted_total", "Documents deleted because of the policy of their index."),
    _counter("eldonia_ops_refused_times_total", "Items refused because their time is too old or in the future."),
    _counter("eldonia_ops_refused_total", "Items of telemetry that were refused.", "signal", "reason"),
    # The log pipeline.
    _counter("eldonia_ops_pipeline_events_total", "Events that sources gave to the pipeline."),
    _counter("eldonia_ops_pipeline_events_lost_total", "Events of the pipeline that no output took."),
    _gauge("eldonia_ops_pipeline_held_events", "Events that filters hold back to join them."),
    _gauge("eldonia_ops_pipeline_buffer_bytes", "Bytes that wait in the buffers of outputs."),
    _gauge("eldonia_ops_pipeline_buffer_events", "Events that wait in the buffers of outputs."),
    _counter("eldonia_ops_pipeline_failed_writes_total", "Writes of outputs that failed."),
    # Rules and alerts.
    _counter("eldonia_ops_rule_evaluations_total", "Evaluations of rule groups."),
    _counter("eldonia_ops_rule_evaluations_missed_total", "Evaluations left out because the one before took too long."),
    _counter("eldonia_ops_rule_results_unstored_total", "Results of rules that the telemetry store did not take."),
    _gauge("eldonia_ops_posted_alerts_waiting", "Alerts that have been acknowledged and wait to be taken in."),
    _gauge("eldonia_ops_alert_groups_failing", "Alert groups that cannot be flushed."),
    _counter("eldonia_ops_alert_group_failures_total", "Flushes of alert groups that failed."),
    _counter("eldonia_ops_notifications_total", "Attempts to deliver a notification.", "integration", "outcome"),
    # The platform itself.
    _gauge("eldonia_ops_build_info", "The version that runs; always 1.", "version"),
    _counter("eldonia_ops_clock_set_back_total", "How often the clock of this machine was set back."),
    _gauge("eldonia_ops_loop_failing", "Whether a loop, or an item of one, fails again and again.", "loop"),
    _counter("eldonia_ops_loop_failures_total", "Turns of a loop that failed.", "loop"),
    _gauge("eldonia_ops_loop_last_success_timestamp_seconds", "When a turn of a loop last succeeded.", "loop"),
    _gauge(
        "eldonia_ops_config_last_reload_successful", "Whether the last attempt to load the configuration succeeded."
    ),
    _gauge(
        "eldonia_ops_config_last_reload_success_timestamp_seconds",
        "When the configuration was last loaded successfully.",
    ),
    _counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds."),
    _gauge("process_resident_memory_bytes", "Resident memory, in bytes."),
    _gauge("process_start_time_seconds", "Start time of the process since the Unix epoch, in seconds."),
    # Listeners.
    _gauge("eldonia_ops_listener_connections", "Connections that are open at a listener.", "listener"),
    _counter("eldonia_ops_listener_connections_total", "Connections that a listener has accepted.", "listener"),
    _counter(
        "eldonia_ops_listener_connections_refused_total", "Connections that were ended for want of room.", "listener"
    ),
    # Outputs of the log pipeline.
    _gauge("eldonia_ops_pipeline_output_queued_bytes", "Bytes that wait in the buffer of an output.", "output"),
    _gauge("eldonia_ops_pipeline_output_queued_chunks", "Chunks that wait in the buffer of an output.", "output"),
    _gauge("eldonia_ops_pipeline_output_oldest_chunk_timestamp_seconds", "When the oldest chunk was begun.", "output"),
    _counter("eldonia_ops_pipeline_output_events_total", "Events that an output has written.", "output"),
    _counter("eldonia_ops_pipeline_output_failures_total", "Attempts of an output to write that failed.", "output"),
    _counter("eldonia_ops_pipeline_output_given_up_events_total", "Events that an output gave up.", "output"),
    _counter("eldonia_ops_pipeline_output_dropped_events_total", "Events dropped because a buffer was full.", "output"),
    _counter("eldonia_ops_pipeline_output_broken_chunks_total", "Chunks that could not be read from disk.", "output"),
    _gauge(
        "eldonia_ops_pipeline_output_server_available",
        "Whether a server of an output gives heartbeats.",
        "output",
        "server",
    ),
    # How long the loops take.
    _durations(RULE_EVALUATION, "Time to evaluate a rule group."),
    _durations(
        COLLECTION, "Time to scrape or probe a target, or to read this host or a database.", "kind", buckets=SLOW
    ),
    _durations(INSERT, "Time from the acceptance of a batch until it is stored.", "signal"),
    _durations(TABLE_INSERT, "Time of one insert of gathered rows into a table of the telemetry engine.", "table"),
    _durations(GROUP_FLUSH, "Time to flush the alert groups whose turn it is, in one transaction."),
    _durations(DELIVERY, "Time of one attempt to deliver a notification.", "integration", buckets=SLOW),
    _durations(REQUEST, "Time to answer an HTTP request.", "api"),
    _counter(REQUESTS, "HTTP requests answered.", "listener", "api", "route", "method", "code", counted_here=True),
)
"""All of them. ``api`` is the dialect that was addressed: native, prometheus, alertmanager, jaeger, otlp, page.
``listener`` is ``main`` or the name of one of ``listeners``."""

BY_NAME: Final = {metric.name: metric for metric in METRICS}

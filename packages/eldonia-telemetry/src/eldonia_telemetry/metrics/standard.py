"""The metrics that every service has, under the names that the alert rules use."""

import platform
from collections.abc import Iterator
from typing import Final

from eldonia_telemetry import dropped_data, process
from eldonia_telemetry.metrics.registry import Counter, Gauge, Histogram, Line, Registry, Snapshot

DURATION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 5.0, 7.5, 10.0)
"""Seconds; 2.0 is among them since the response-time alert asks about it."""


class StandardMetrics:
    """Requests (rate, errors, duration), security, payments, business and the process itself."""

    def __init__(self, registry: Registry) -> None:
        self.requests: Counter = registry.counter(
            "http_requests_total", "HTTP requests answered.", ("method", "handler", "status")
        )
        self.duration: Histogram = registry.histogram(
            "http_request_duration_seconds",
            "Time from the request's arrival to the end of the answer.",
            ("method", "handler"),
            buckets=DURATION_BUCKETS,
        )
        self.in_flight: Gauge = registry.gauge("http_requests_in_flight", "HTTP requests being answered.")
        self.being_answered: set[object] = set()
        """What ``in_flight`` counts: adding to a set is one step, and needs no lock."""
        self.in_flight.set_function(lambda: len(self.being_answered))
        self.database: Histogram = registry.histogram(
            "db_client_operation_duration_seconds",
            "Time that database statements took.",
            ("system", "operation"),
            buckets=DURATION_BUCKETS,
        )
        self.failed_logins: Counter = registry.counter("auth_failed_logins_total", "Sign-ins refused.")
        self.security_events: Counter = registry.counter(
            "security_events_total", "Security events recorded.", ("type", "severity")
        )
        self.payments: Counter = registry.counter(
            "payment_requests_total", "Requests to the payment gateway by outcome.", ("status",)
        )
        self.orders: Counter = registry.counter("orders_total", "Orders placed.")
        self.revenue: Counter = registry.counter(
            "revenue_total", "Money taken, in the currency's main unit.", ("currency",)
        )
        self.signups: Counter = registry.counter("signups_total", "Accounts created.")
        registry.register(_process)
        registry.register(_dropped_data)


def _process() -> Iterator[Snapshot]:
    now = process.usage()
    rows: list[tuple[str, str, str, float | None]] = [
        ("process_cpu_seconds_total", "counter", "User and system CPU time spent.", now.cpu_seconds),
        ("process_resident_memory_bytes", "gauge", "Memory in RAM.", now.resident_bytes),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory.", now.virtual_bytes),
        ("process_start_time_seconds", "gauge", "Start of the process, Unix seconds.", now.start_time),
        ("process_open_fds", "gauge", "Open file descriptors.", now.open_fds),
        ("process_max_fds", "gauge", "How many descriptors may be open.", now.max_fds),
        ("process_threads", "gauge", "Threads of the process.", now.threads),
    ]
    for name, kind, help, value in rows:
        if value is not None:
            yield Snapshot(name, kind, help, (Line("", (), value),))
    labels = (("implementation", platform.python_implementation()), ("version", platform.python_version()))
    yield Snapshot("python_info", "gauge", "The Python in use.", (Line("", labels, 1),))


def _dropped_data() -> Iterator[Snapshot]:
    lines = [
        Line("", (("reason", reason), ("signal", signal)), number)
        for (signal, reason), number in sorted(dropped_data.snapshot().items())
    ]
    yield Snapshot("eldonia_telemetry_lost_total", "counter", "What the telemetry library could not do.", lines)

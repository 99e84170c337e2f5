"""Assert on what an application reports.

with capture() as seen:
    client.post("/orders")
assert seen.records[-1].message == "order placed"
assert seen.increase("orders_total") == 1
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eldonia_telemetry import metrics, runtime
from eldonia_telemetry.records import DEBUG, LogEntry
from eldonia_telemetry.settings import Settings

if TYPE_CHECKING:
    from eldonia_telemetry.traces.span import Span


class Captured:
    """Records, spans, security events and metric increases since :func:`capture` began, oldest first."""

    def __init__(self) -> None:
        self.records: list[LogEntry] = []
        self.lines: list[bytes] = []
        self.spans: list[Span] = []
        self.threshold = DEBUG
        self._before = _values()

    @property
    def security_events(self) -> list[dict[str, Any]]:
        """Metadata of the security records: eventType, severity, eventId, details; plus userId and ipAddress."""
        return [
            {**record.metadata, "userId": record.user_id, "ipAddress": record.ip_address}
            for record in self.records
            if record.component == "security" and record.metadata and "eventType" in record.metadata
        ]

    def increase(self, name: str, **labels: str) -> float:
        """How much one sample grew since the beginning (a sample that was not there counts as 0)."""
        key = (name, tuple(sorted(labels.items())))
        return _values().get(key, 0.0) - self._before.get(key, 0.0)

    # What a runtime needs of a sink and of an exporter.
    def write(self, entry: LogEntry, line: bytes) -> None:
        """Keep one record."""
        self.records.append(entry)
        self.lines.append(line)

    def put(self, span: "Span") -> None:
        """Keep one span."""
        self.spans.append(span)

    def flush(self, timeout: float) -> bool:
        """Nothing is held back."""
        return True

    def close(self, timeout: float = 0.0) -> None:
        """Nothing to let go of."""

    def after_fork(self) -> None:
        """Nothing to renew."""


@contextmanager
def capture(
    *, level: int = DEBUG, service: str = "test", redact: bool = True, trace_ratio: float = 1.0
) -> Iterator[Captured]:
    """Take everything that is reported inside the block instead of writing or sending it."""
    captured = Captured()
    settings = Settings(service=service, level=level, redact=redact, trace_ratio=trace_ratio)
    before = runtime.replace(runtime.Runtime(settings, (captured,), captured))
    try:
        yield captured
    finally:
        runtime.replace(before)


def _values() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (family.name + line.suffix, tuple(sorted(line.labels))): line.value
        for family in metrics.registry.snapshot()
        for line in family.lines
    }

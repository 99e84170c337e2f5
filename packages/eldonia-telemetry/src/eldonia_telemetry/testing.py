"""Assert on what an application reports.

    with capture() as seen:
        client.post("/orders")
    assert seen.record(message="order placed").metadata == {"order_id": 42}
    assert seen.span("POST /orders").attributes["http.response.status_code"] == 201
    assert seen.event("failed_login")["userId"] == "a@example.com"
    assert seen.increase("orders_total") == 1

``record``, ``span`` and ``event`` want exactly one; when there is none or there are several, the
``AssertionError`` shows what was there. Lists of everything are in ``records``, ``spans`` and ``security_events``.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from eldonia_telemetry import metrics, runtime
from eldonia_telemetry.records import DEBUG, LogEntry, decode
from eldonia_telemetry.settings import Settings

if TYPE_CHECKING:
    from eldonia_telemetry.traces.span import Span

T = TypeVar("T")


class Captured:
    """Records, spans, security events and metric increases since :func:`capture` began, oldest first."""

    takes_encoded = False
    takes_joined = True
    """Spans that an OpenTelemetry SDK takes care of are kept here too."""

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

    def record(
        self, message: str | None = None, *, level: str | None = None, component: str | None = None, **fields: Any
    ) -> LogEntry:
        """The one record that fits.

        ``message`` is the whole text or a part of it; ``fields`` are attributes of the record (``operation``,
        ``user_id``, ``trace_id``, …), else names in its metadata.
        """

        def fits(one: LogEntry) -> bool:
            return (
                (message is None or message in one.message)
                and (level is None or level == one.level)
                and (component is None or component == one.component)
                and all(_field(one, name) == value for name, value in fields.items())
            )

        shown = [f"{one.level} {one.component}: {one.message} {one.metadata or ''}" for one in self.records]
        return _one([one for one in self.records if fits(one)], "record", shown)

    def span(self, name: str | None = None, **attributes: Any) -> "Span":
        """The one finished span that fits; write ``http_route=`` for the attribute ``http.route``."""

        def fits(one: "Span") -> bool:
            given = {key.replace(".", "_"): value for key, value in one.attributes.items()}
            return (name is None or name == one.name) and all(
                key in given and given[key] == value for key, value in attributes.items()
            )

        shown = [f"{one.name} {one.attributes}" for one in self.spans]
        return _one([one for one in self.spans if fits(one)], "span", shown)

    def event(self, type: str | None = None, **details: Any) -> dict[str, Any]:
        """The one security event that fits; see :attr:`security_events`."""

        def fits(one: dict[str, Any]) -> bool:
            inner = one.get("details") or {}
            return (type is None or type == one["eventType"]) and all(
                key in inner and inner[key] == value for key, value in details.items()
            )

        events = self.security_events
        return _one([one for one in events if fits(one)], "security event", [str(one) for one in events])

    def children(self, parent: "Span") -> "list[Span]":
        """The finished spans right below ``parent``."""
        return [one for one in self.spans if one.parent_span_id == parent.span_id and one.trace_id == parent.trace_id]

    def value(self, name: str, **labels: str) -> float | None:
        """One sample now, such as a gauge's; None when there is none."""
        return _values().get((name, tuple(sorted(labels.items()))))

    def clear(self) -> None:
        """Forget what came so far: what follows is asserted on alone."""
        self.records.clear()
        self.lines.clear()
        self.spans.clear()
        self._before = _values()

    def increase(self, name: str, **labels: str) -> float:
        """How much one sample grew since the beginning (a sample that was not there counts as 0)."""
        key = (name, tuple(sorted(labels.items())))
        return _values().get(key, 0.0) - self._before.get(key, 0.0)

    # What a runtime needs of a sink and of an exporter.
    def write(self, line: bytes) -> None:
        """Keep one record."""
        self.records.append(decode(line))
        self.lines.append(line)

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Keep several."""
        for line in lines:
            self.write(line)

    def put(self, span: "Span") -> None:
        """Keep one span."""
        self.spans.append(span)

    def put_all(self, spans: Sequence[Any]) -> None:
        """Spans come one by one: an encoded one could not be asked for its attributes.

        Raises:
            TypeError: always.
        """
        raise TypeError("takes no encoded spans")

    def flush(self, timeout: float) -> bool:
        """Nothing is held back."""
        return True

    def close(self, timeout: float = 0.0) -> None:
        """Nothing to let go of."""

    def after_fork(self) -> None:
        """Nothing to renew."""


@contextmanager
def capture(
    *,
    level: int = DEBUG,
    service: str = "test",
    redact: bool = True,
    trace_ratio: float = 1.0,
    trace_errors: bool = True,
    join_opentelemetry: bool = True,
    redact_emails: bool | None = None,
    redact_phones: bool | None = None,
    redact_fields: Iterable[str] | None = None,
) -> Iterator[Captured]:
    """Take everything that is reported inside the block instead of writing or sending it.

    The arguments are those of :func:`eldonia_telemetry.init`, ``level`` one of :mod:`eldonia_telemetry.records`.
    Fields that are redacted in addition to secrets are those of the application, unless they are given.
    """
    captured = Captured()
    own = runtime.current.settings
    settings = Settings(
        service=service,
        level=level,
        access_log_delay=0.0,
        redact=redact,
        trace_ratio=trace_ratio,
        trace_errors=trace_errors,
        join_opentelemetry=join_opentelemetry,
        redact_emails=own.redact_emails if redact_emails is None else redact_emails,
        redact_phones=own.redact_phones if redact_phones is None else redact_phones,
        redact_fields=own.redact_fields if redact_fields is None else tuple(redact_fields),
    )
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


def _field(record: LogEntry, name: str) -> Any:
    if name in record.__struct_fields__:
        return getattr(record, name)
    return (record.metadata or {}).get(name)


def _one(found: list[T], what: str, shown: list[str]) -> T:
    if len(found) != 1:
        there = "\n  ".join(shown[-50:]) or "(nothing)"
        raise AssertionError(f"{len(found) or 'no'} {what}{'s' if len(found) > 1 else ''} like that among:\n  {there}")
    return found[0]

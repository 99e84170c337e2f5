"""What is set up in this process: sinks, level, exporter. One at a time, replaced as a whole by ``init``."""

import atexit
import contextlib
import math
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from eldonia_telemetry import context, dropped_data, record_encoder, redact, values
from eldonia_telemetry.deferred_records import DeferredRecords
from eldonia_telemetry.rate_limit import Repeats
from eldonia_telemetry.records import DEBUG, ERROR, INFO, ErrorDetail, Performance
from eldonia_telemetry.settings import Settings, resolve
from eldonia_telemetry.sinks import Sink
from eldonia_telemetry.sinks.console import ConsoleSink, is_terminal
from eldonia_telemetry.sinks.rotating_file import RotatingFileSink

if TYPE_CHECKING:
    from eldonia_telemetry.traces.otlp_json import Pieces
    from eldonia_telemetry.traces.span import Span

EXIT_TIMEOUT: Final = 2.0
"""Seconds that the end of the process may be held up to deliver what is queued."""

PATIENCE: Final = 0.25
"""Seconds that a record waits for access records that another thread is writing, to come after them.

The writer may be a signal handler or a finaliser whose thread holds what the other thread needs."""

NEVER_THINNED: Final = frozenset({"security", "business"})
"""Components whose records are counted: neither sampled nor limited."""


_random = random.Random()  # its own: an application that seeds `random` must not steer the sampling
os.register_at_fork(after_in_child=_random.seed)


class Exporter(Protocol):
    """Takes finished spans."""

    takes_encoded: bool
    """Whether it has ``put_all``."""

    def put(self, span: "Span") -> None: ...  # noqa: D102
    def put_all(self, spans: "Sequence[Pieces]") -> None: ...  # noqa: D102
    def flush(self, timeout: float) -> bool: ...  # noqa: D102
    def close(self, timeout: float) -> None: ...  # noqa: D102
    def after_fork(self) -> None: ...  # noqa: D102


class Counting(Protocol):
    """Counts requests of one kind."""

    def count(self, seconds: float, trace_id: str | None, at: float, plain: bool) -> None:
        """Count one, without a lock: a signal handler that logs may have interrupted the thread that holds it."""
        ...


class Prepared(msgspec.Struct):
    """What entries of the backlog have to say: records, spans, and for each who counts it, in which nothing was odd."""

    records: list[bytes]
    spans: "list[Pieces]"
    counts: list[tuple[Counting, float, str | None, float]]


class Entry(Protocol):
    """What waits in the backlog."""

    def emit(self, now: "Runtime", prepared: Prepared) -> None:
        """Add what there is to say. It may have to be said again, if this was interrupted."""
        ...


class Runtime:
    """The sinks and the exporter in use, and the path every record takes to them."""

    def __init__(self, settings: Settings, sinks: tuple[Sink, ...], exporter: Exporter | None = None) -> None:
        self.settings = settings
        self.threshold = settings.level
        self.sinks = sinks
        self.exporter = exporter
        self._redact = settings.redact
        self._service = settings.service
        self.origin = record_encoder.Origins()
        self.closing = record_encoder.closing(settings.environment)
        self._repeats = Repeats(settings.log_repeat_limit) if settings.log_repeat_limit else None
        self._log_ratio = settings.log_ratio
        self.thins_out = self._repeats is not None or self._log_ratio < 1
        self._sample_below = int(settings.trace_ratio * (1 << 64))
        self.keeps_errors = exporter is not None and settings.trace_errors
        self.takes_encoded = exporter is None or exporter.takes_encoded
        self.deferred: DeferredRecords[Entry, Prepared] = DeferredRecords(
            self._prepare, self._write, settings.access_log_delay
        )

    def emit(
        self,
        level: int,
        component: str,
        message: object,
        metadata: Mapping[str, Any] | None = None,
        operation: str | None = None,
        user_id: object = None,
        session_id: object = None,
        service: str = "",
        exception: BaseException | None = None,
        *,
        code: object = None,
        request_id: object = None,
        ip_address: object = None,
        user_agent: object = None,
        performance: Performance | None = None,
        error: ErrorDetail | None = None,
        at_ns: int = 0,
        repeats: object = None,
    ) -> None:
        """Write one record to every sink that wants its level. Never raises.

        What is not given comes from the context. ``at_ns`` is Unix nanoseconds, 0 for now. ``repeats``
        decides which records count as the same, if it is not the message (a format without its arguments).
        """
        try:
            if self.thins_out and component not in NEVER_THINNED:
                if not self._keeps(level, component, message if repeats is None else repeats):
                    return
                if level <= INFO and self._log_ratio < 1:
                    metadata = {**(metadata or {}), "sampleRatio": self._log_ratio}
            hide = self._redact
            bound = context.bound.get()
            if bound.metadata:
                metadata = {**bound.metadata, **metadata} if metadata else bound.metadata
            request = bound.request
            if request is not None:
                if operation is None:
                    operation = request.operation()
                # Bound in another thread of this request, such as a dependency's.
                if user_id is None and bound.user_id is None:
                    user_id = request.user_id
                if session_id is None and bound.session_id is None:
                    session_id = request.session_id
            if user_id is session_id is request_id is ip_address is user_agent is None:
                made_by, who = bound.piece
                if made_by is not self:
                    who = record_encoder.who(*_persons(bound), hide=hide)
                    bound.piece = (self, who)
            else:
                given = (user_id, session_id, request_id, ip_address, user_agent)
                both = zip(given, _persons(bound), strict=True)
                who = record_encoder.who(*(there if here is None else here for here, there in both), hide=hide)
            if exception is not None:
                error = values.exception(exception, code=code, redact=hide)
            trace = context.trace_context()
            pieces = [
                record_encoder.opening(at_ns or time.time_ns()),
                self.origin(level, service or self._service, component, operation or ""),
                who,
                record_encoder.content(message, metadata, hide),
                b"" if error is None else record_encoder.error(error),
                b"" if performance is None else record_encoder.performance(performance),
                b"" if trace is None else record_encoder.trace(trace.trace_id, trace.span_id),
                self.closing,
            ]
            line = b"".join(pieces)
            if len(line) > record_encoder.MAX_LINE:
                pieces[3] = record_encoder.truncated(message, len(line), hide)
                line = b"".join(pieces)
            self.deliver(level, line)
        except Exception as failure:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("log", "record could not be built, its message goes alone", failure)
            with contextlib.suppress(Exception):
                self._alone(level, component, message, {"incomplete": type(failure).__name__})

    def deliver(self, level: int, line: bytes) -> None:
        """Pass a line to the sinks as it is: the caller has bounded and redacted its content."""
        deferred = self.deferred
        if deferred.waiting or deferred.emitting_thread:
            deferred.flush(PATIENCE)
        for sink in self.sinks:
            if level >= sink.threshold:
                try:
                    sink.write(line)
                except Exception as error:  # noqa: BLE001  one sink must not take the others down
                    dropped_data.count("log", f"{type(sink).__name__} failed", error)

    def _prepare(self, entries: Sequence[Entry]) -> Prepared:
        """Make of what has waited in the backlog what it has to say."""
        prepared = Prepared([], [], [])
        for entry in entries:
            try:
                entry.emit(self, prepared)
            except Exception as error:  # noqa: BLE001  telemetry never raises into its host
                dropped_data.count("log", "request could not be recorded", error)
        return prepared

    def _write(self, prepared: Prepared) -> None:
        """Write the records, hand on the spans and count."""
        records, spans = prepared.records, prepared.spans
        if records:
            for sink in self.sinks:
                if sink.threshold <= INFO:
                    try:
                        sink.write_all(records)
                    except Exception as error:  # noqa: BLE001  one sink must not take the others down
                        dropped_data.count("log", f"{type(sink).__name__} failed", error, len(records))
        exporter = self.exporter
        if spans and exporter is not None:
            try:
                exporter.put_all(spans)
            except Exception as error:  # noqa: BLE001  telemetry never raises into its host
                dropped_data.count("span", "could not be queued", error, len(spans))
        for counting, seconds, trace_id, at in prepared.counts:
            counting.count(seconds, trace_id, at, True)

    def _keeps(self, level: int, component: str, what: object) -> bool:
        """Whether a record passes sampling and the limit of repetitions."""
        if level <= INFO and self._log_ratio < 1:
            trace = context.trace_context()
            # All records of a trace or none, by the same bits as the trace's own sampling.
            low = _random.getrandbits(64) if trace is None else int(trace.trace_id[16:], 16)
            if low >= self._log_ratio * (1 << 64):
                return False
        repeats = self._repeats
        if repeats is None or type(what) is not str:
            return True
        now = time.monotonic()
        if now >= repeats.next_end or repeats.crowded:
            self._emit_repeats(now)
        return repeats.admits((level, component, what), now, time.time_ns())

    def _emit_repeats(self, now: float) -> None:
        """Write what was held back as one record each; they belong to no request."""
        if self._repeats is None:
            return
        for held in self._repeats.due(now):
            level, component, message = held.key
            since = datetime.fromtimestamp(held.since_ns / 1e9, UTC).isoformat(timespec="milliseconds")
            self._alone(level, component, message, {"repeated": held.number, "since": since.replace("+00:00", "Z")})

    def _alone(self, level: int, component: str, message: object, metadata: dict[str, Any]) -> None:
        """Write a record without context."""
        opening, origin = record_encoder.opening(time.time_ns()), self.origin(level, self._service, component, "")
        self.deliver(level, opening + origin + record_encoder.content(message, metadata, self._redact) + self.closing)

    def export(self, span: "Span") -> None:
        """Hand a finished span to the exporter, if there is one. Never raises."""
        exporter = self.exporter
        if exporter is not None:
            try:
                exporter.put(span)
            except Exception as error:  # noqa: BLE001  telemetry never raises into its host
                dropped_data.count("span", "could not be queued", error)

    def samples(self, trace_id: int) -> bool:
        """The ratio's verdict on a new trace, by the low 64 bits of its id (as TraceIdRatioBased does)."""
        return self.exporter is not None and (trace_id & 0xFFFF_FFFF_FFFF_FFFF) < self._sample_below

    def flush(self, timeout: float = EXIT_TIMEOUT) -> bool:
        """Deliver what is queued; False when ``timeout`` seconds were not enough."""
        deadline = time.monotonic() + timeout
        self._emit_repeats(math.inf)
        done = self.deferred.flush(max(timeout, PATIENCE))
        for sink in self.sinks:
            done = sink.flush(max(0.0, deadline - time.monotonic())) is not False and done
        if self.exporter is not None:
            done = self.exporter.flush(max(0.0, deadline - time.monotonic())) and done
        return done

    def close(self, timeout: float = EXIT_TIMEOUT) -> None:
        """Deliver what is queued within ``timeout`` seconds and let go of everything."""
        deadline = time.monotonic() + timeout
        self._emit_repeats(math.inf)
        self.deferred.close(max(timeout, PATIENCE))
        for sink in self.sinks:
            sink.flush(0.0)  # all begin at once
        if self.exporter is not None:
            self.exporter.close(timeout)
        for sink in self.sinks:
            sink.close(max(0.0, deadline - time.monotonic()))

    def after_fork(self) -> None:
        """Make everything usable in the child process; what was held back is emitted by the parent."""
        if self._repeats is not None:
            self._repeats = Repeats(self.settings.log_repeat_limit)
        self.deferred.after_fork()
        for sink in self.sinks:
            sink.after_fork()
        if self.exporter is not None:
            self.exporter.after_fork()


def _persons(bound: context.Bound) -> tuple[str | None, ...]:
    return (bound.user_id, bound.session_id, bound.request_id, bound.ip_address, bound.user_agent)


def build(settings: Settings) -> Runtime:
    """Open what the settings ask for. What cannot be opened is reported and left out."""
    sinks: list[Sink] = []
    if settings.log_dir:
        for name, threshold in (("combined.log", DEBUG), ("error.log", ERROR)):
            sink = RotatingFileSink(
                os.path.join(settings.log_dir, name),
                max_bytes=settings.log_max_bytes,
                max_files=settings.log_max_files,
                every=settings.log_rotate_every,
                compress=settings.log_compress,
                threshold=threshold,
            )
            sinks.append(sink)
    if settings.otlp_endpoint or settings.elasticsearch_url:
        from eldonia_telemetry.sinks import network

        sinks += network.build(settings, _resource(settings))
    console = settings.console
    if console is None:
        console = not settings.log_dir or is_terminal(1)
    if console:
        sinks.append(ConsoleSink())
    exporter: Exporter | None = None
    if settings.otlp_endpoint:
        from eldonia_telemetry.traces.export import SpanExporter

        try:
            exporter = SpanExporter(
                settings.otlp_endpoint,
                settings.ingest_token,
                _resource(settings),
                redact=settings.redact,
                ca_file=settings.tls_ca,
                headers=dict(settings.otlp_headers),
            )
        except ValueError as error:
            dropped_data.count("setup", "no traces are exported", error)
    return Runtime(settings, tuple(sinks), exporter)


def _resource(settings: Settings) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "service.name": settings.service,
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
        "telemetry.sdk.name": "eldonia-telemetry",
        "telemetry.sdk.language": "python",
    }
    if settings.version:
        resource["service.version"] = settings.version
    if settings.environment:
        resource["deployment.environment.name"] = settings.environment
    return resource


followers: list[Callable[[Runtime], None]] = []
"""Called with every runtime that takes over."""


def replace(new: Runtime) -> Runtime:
    """Put another runtime in place and return the one before, still open."""
    global current
    before, current = current, new
    before.deferred.flush()
    settings = new.settings
    redact.configure(emails=settings.redact_emails, phones=settings.redact_phones, fields=settings.redact_fields)
    for follow in followers:
        follow(new)
    return before


def _after_fork() -> None:
    dropped_data.after_fork()
    current.after_fork()
    _leave_with_multiprocessing()


_known_to_multiprocessing = False


def _leave_with_multiprocessing() -> None:
    """Be called when a worker of ``multiprocessing`` ends: it leaves by ``os._exit``, past ``atexit``.

    Before it begins it forgets all finalizers and then runs what was registered for after a fork; one
    that imports us when it has begun needs the finalizer itself.
    """
    global _known_to_multiprocessing  # noqa: PLW0603
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None and not _known_to_multiprocessing:
        _known_to_multiprocessing = True
        util.register_after_fork(_at_exit, _in_child)
        util.Finalize(None, _at_exit, exitpriority=0)


def _in_child(close: Callable[[], None]) -> None:
    """Called in every child of ``multiprocessing`` once it knows what it is, before it begins to work."""
    global leaving  # noqa: PLW0603
    leaving = False
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(None, close, exitpriority=0)
    for call in in_children:
        try:
            call()
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("setup", "child process could not be set up", error)


in_children: list[Callable[[], None]] = []
"""Called in a child of ``multiprocessing`` before it begins to work."""


leaving = False
"""Whether this process is about to end and delivers what is queued."""

deferred_signals: list[int] = []
"""Signals that arrived while it did, in order; they end the process afterwards."""


def _at_exit() -> None:
    global leaving  # noqa: PLW0603
    leaving = True
    try:
        current.close(EXIT_TIMEOUT)
    except Exception as error:  # noqa: BLE001  the host's exit is not ours to disturb
        dropped_data.count("setup", "could not close", error)
    for number in deferred_signals:
        os.kill(os.getpid(), number)


current = Runtime(resolve({}, {}), (ConsoleSink(),))
"""The runtime in use: until :func:`eldonia_telemetry.init`, records of info and above go to the console."""

os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
_leave_with_multiprocessing()

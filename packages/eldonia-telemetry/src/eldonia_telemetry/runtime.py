"""What is set up in this process: sinks, level, exporter. One at a time, replaced as a whole by ``init``."""

import atexit
import contextlib
import math
import os
import random
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from eldonia_telemetry import context, losses, redact, values
from eldonia_telemetry.records import DEBUG, ERROR, INFO, LEVEL_NAMES, ErrorDetail, LogEntry, Performance, timestamp
from eldonia_telemetry.repeats import Repeats
from eldonia_telemetry.settings import Settings, resolve
from eldonia_telemetry.sinks import Sink
from eldonia_telemetry.sinks.console import ConsoleSink, is_terminal
from eldonia_telemetry.sinks.rotating_file import RotatingFileSink

if TYPE_CHECKING:
    from eldonia_telemetry.traces.span import Span

MAX_RECORD: Final = 256 * 1024
"""Bytes of one encoded record; a larger one loses its metadata and is marked."""
EXIT_TIMEOUT: Final = 2.0
"""Seconds that the end of the process may be held up to deliver what is queued."""

NEVER_THINNED: Final = frozenset({"security", "business"})
"""Components whose records are counted: neither sampled nor limited."""


_random = random.Random()  # its own: an application that seeds `random` must not steer the sampling
os.register_at_fork(after_in_child=_random.seed)

_encoder = msgspec.json.Encoder()


class Exporter(Protocol):
    """Takes finished spans."""

    def put(self, span: "Span") -> None: ...  # noqa: D102
    def flush(self, timeout: float) -> bool: ...  # noqa: D102
    def close(self, timeout: float) -> None: ...  # noqa: D102
    def after_fork(self) -> None: ...  # noqa: D102


class Runtime:
    """The sinks and the exporter in use, and the path every record takes to them."""

    def __init__(self, settings: Settings, sinks: tuple[Sink, ...], exporter: Exporter | None = None) -> None:
        self.settings = settings
        self.threshold = settings.level
        self.sinks = sinks
        self.exporter = exporter
        self._redact = settings.redact
        self._service = settings.service
        self._environment = settings.environment or None
        self._repeats = Repeats(settings.log_repeat_limit) if settings.log_repeat_limit else None
        self._log_ratio = settings.log_ratio
        self.thins_out = self._repeats is not None or self._log_ratio < 1
        self._sample_below = int(settings.trace_ratio * (1 << 64))
        self.keeps_errors = exporter is not None and settings.trace_errors

    def emit(
        self,
        level: int,
        component: str,
        message: object,
        *,
        service: str = "",
        operation: str | None = None,
        user_id: object = None,
        session_id: object = None,
        request_id: object = None,
        ip_address: object = None,
        user_agent: object = None,
        exception: BaseException | None = None,
        code: object = None,
        performance: Performance | None = None,
        error: ErrorDetail | None = None,
        metadata: Mapping[str, Any] | None = None,
        at_ns: int = 0,
        repeats: object = None,
    ) -> None:
        """Write one record to every sink that wants its level. Never raises.

        What is not given comes from the context. ``at_ns`` is Unix nanoseconds, 0 for now. ``repeats``
        is what records are told to be the same by, if not the message (a format without its arguments).
        """
        try:
            if self.thins_out and component not in NEVER_THINNED:
                if not self._keeps(level, component, message if repeats is None else repeats):
                    return
                if level <= INFO and self._log_ratio < 1:
                    metadata = {**(metadata or {}), "sampleRatio": self._log_ratio}
            bound = context.current()
            hide = self._redact
            request = bound.request
            if request is not None:
                if operation is None:
                    operation = request.operation()
                # Bound in another thread of this request, such as a dependency's.
                user_id = user_id or bound.user_id or request.user_id
                session_id = session_id or bound.session_id or request.session_id
            if bound.metadata:
                metadata = {**bound.metadata, **metadata} if metadata else bound.metadata
            trace = context.trace_context()
            entry = LogEntry(
                timestamp=timestamp(at_ns or time.time_ns()),
                level=LEVEL_NAMES[level],
                service=service or self._service,
                component=component,
                operation=operation or "",
                user_id=bound.user_id if user_id is None else values.text(user_id, redact=hide),
                session_id=bound.session_id if session_id is None else values.text(session_id, redact=hide),
                request_id=bound.request_id if request_id is None else values.text(request_id, redact=hide),
                ip_address=bound.ip_address if ip_address is None else values.text(ip_address, redact=hide),
                user_agent=bound.user_agent if user_agent is None else values.text(user_agent, redact=hide),
                message=redact.redact_text(message)
                if hide and type(message) is str and len(message) <= values.MAX_TEXT
                else values.text(message, redact=hide),
                metadata=values.fields(metadata, redact=hide) if metadata else None,
                error=error if exception is None else values.exception(exception, code=code, redact=hide),
                performance=performance,
                trace_id=None if trace is None else trace.trace_id,
                span_id=None if trace is None else trace.span_id,
                environment=self._environment,
            )
            self.deliver(level, entry)
        except Exception as failure:  # noqa: BLE001  telemetry never raises into its host
            losses.count("log", "record could not be built, its message goes alone", failure)
            with contextlib.suppress(Exception):
                self.deliver(level, self._bare(level, component, message, {"incomplete": type(failure).__name__}))

    def deliver(self, level: int, entry: LogEntry) -> None:
        """Hand a record to the sinks as it is: whoever built it has bounded and redacted what is in it."""
        line = _line(entry)
        for sink in self.sinks:
            if level >= sink.threshold:
                try:
                    sink.write(entry, line)
                except Exception as error:  # noqa: BLE001  one sink must not take the others down
                    losses.count("log", f"{type(sink).__name__} failed", error)

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
            self._tell_repeats(now)
        return repeats.admits((level, component, what), now, time.time_ns())

    def _tell_repeats(self, now: float) -> None:
        """Write what was held back as one record each; they belong to no request."""
        if self._repeats is None:
            return
        for held in self._repeats.due(now):
            level, component, message = held.key
            more = {"repeated": held.number, "since": timestamp(held.since_ns)}
            self.deliver(level, self._bare(level, component, message, more))

    def _bare(self, level: int, component: str, message: object, metadata: dict[str, Any]) -> LogEntry:
        """A record without context."""
        return LogEntry(
            timestamp=timestamp(time.time_ns()),
            level=LEVEL_NAMES[level],
            service=self._service,
            component=component,
            operation="",
            message=values.text(message, redact=self._redact),
            metadata=metadata,
            environment=self._environment,
        )

    def export(self, span: "Span") -> None:
        """Hand a finished span to the exporter, if there is one. Never raises."""
        exporter = self.exporter
        if exporter is not None:
            try:
                exporter.put(span)
            except Exception as error:  # noqa: BLE001  telemetry never raises into its host
                losses.count("span", "could not be queued", error)

    def samples(self, trace_id: int) -> bool:
        """The ratio's verdict on a new trace, by the low 64 bits of its id (as TraceIdRatioBased does)."""
        return self.exporter is not None and (trace_id & 0xFFFF_FFFF_FFFF_FFFF) < self._sample_below

    def flush(self, timeout: float = EXIT_TIMEOUT) -> bool:
        """Deliver what is queued; False when ``timeout`` seconds were not enough."""
        deadline = time.monotonic() + timeout
        self._tell_repeats(math.inf)
        done = True
        for sink in self.sinks:
            done = sink.flush(max(0.0, deadline - time.monotonic())) is not False and done
        if self.exporter is not None:
            done = self.exporter.flush(max(0.0, deadline - time.monotonic())) and done
        return done

    def close(self, timeout: float = EXIT_TIMEOUT) -> None:
        """Deliver what is queued within ``timeout`` seconds and let go of everything."""
        deadline = time.monotonic() + timeout
        self._tell_repeats(math.inf)
        for sink in self.sinks:
            sink.flush(0.0)  # all begin at once
        if self.exporter is not None:
            self.exporter.close(timeout)
        for sink in self.sinks:
            sink.close(max(0.0, deadline - time.monotonic()))

    def after_fork(self) -> None:
        """Make everything usable in the child process; what was held back is the parent's to tell."""
        if self._repeats is not None:
            self._repeats = Repeats(self.settings.log_repeat_limit)
        for sink in self.sinks:
            sink.after_fork()
        if self.exporter is not None:
            self.exporter.after_fork()


def _line(entry: LogEntry) -> bytes:
    try:
        line = _encoder.encode(entry)
    except UnicodeEncodeError:  # lone surrogates; a second, careful pass
        entry = msgspec.convert(values.encodable(msgspec.to_builtins(entry)), LogEntry)
        line = _encoder.encode(entry)
    if len(line) > MAX_RECORD:
        entry.metadata = {"truncated": True, "originalBytes": len(line)}
        entry.message = entry.message[: values.MAX_TEXT]
        line = _encoder.encode(entry)
    return line + b"\n"


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
                settings.otlp_endpoint, settings.ingest_token, _resource(settings), redact=settings.redact
            )
        except ValueError as error:
            losses.count("setup", "no traces are exported", error)
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
    settings = new.settings
    redact.configure(emails=settings.redact_emails, phones=settings.redact_phones, fields=settings.redact_fields)
    for follow in followers:
        follow(new)
    return before


def _after_fork() -> None:
    losses.after_fork()
    current.after_fork()
    forked = sys.modules.get("multiprocessing.util")
    if forked is not None:
        # Its workers leave by os._exit, past atexit, and forget the parent's finalizers before they begin.
        forked.register_after_fork(current, lambda _: forked.Finalize(None, _at_exit, exitpriority=0))


def _at_exit() -> None:
    try:
        current.close(EXIT_TIMEOUT)
    except Exception as error:  # noqa: BLE001  the host's exit is not ours to disturb
        losses.count("setup", "could not close", error)


current = Runtime(resolve({}, {}), (ConsoleSink(),))
"""The runtime in use: until :func:`eldonia_telemetry.init`, records of info and above go to the console."""

os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)

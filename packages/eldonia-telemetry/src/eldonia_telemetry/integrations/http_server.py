"""One HTTP request from its arrival to the end of the answer, whatever carries it (ASGI, WSGI).

For every request: request id and W3C trace context in, a server span, the metrics
``http_requests_total{method,handler,status}``, ``http_request_duration_seconds{method,handler}``
(with exemplars) and ``http_requests_in_flight``, one access log record, the context for all other
records, an operation of :mod:`eldonia_telemetry.performance`, and recognition of attacks.
"""

import contextlib
import contextvars
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from eldonia_telemetry import auth, context, dropped_data, metrics, record_encoder, runtime, security
from eldonia_telemetry.integrations import outcomes, sign_in
from eldonia_telemetry.integrations.client_address import ClientAddress
from eldonia_telemetry.integrations.outcomes import UNMATCHED
from eldonia_telemetry.integrations.stdlib import LOGGED
from eldonia_telemetry.performance import operation_recorder
from eldonia_telemetry.performance.operations import Measurement, innermost
from eldonia_telemetry.performance.operations import current as operation_in_progress
from eldonia_telemetry.records import ERROR, INFO, Performance
from eldonia_telemetry.security import body as bodies
from eldonia_telemetry.security import scanners
from eldonia_telemetry.security.cross_site import SAFE, CrossSite
from eldonia_telemetry.security.detection import Detection, inspect, inspect_fields
from eldonia_telemetry.traces import Kind, Span, otlp_json, start_span, tracer
from eldonia_telemetry.traces.propagation import received
from eldonia_telemetry.traces.span import ERROR as SPAN_ERROR

REFUSED: Final = b'{"detail":"The request was refused."}'
QUIET_PATHS: Final = ("/health", "/healthz", "/metrics", "/favicon.ico")

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"})
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
_REQUEST_ID_NAMES: Final = frozenset({"x-request-id", b"x-request-id"})
_MAX_USER_AGENT: Final = 512
_MAX_CLIENTS: Final = 2048
# A generator of its own: an application that seeds `random` must not make its processes share ids.
_ids = random.Random()
os.register_at_fork(after_in_child=_ids.seed)

_SERVER: Final = int(Kind.SERVER)

Detecting = Literal["observe", "block", "off"]
_Client = tuple[str | None, str, bytes, bytes]
"""The client's name, the scanner that it is (or ''), and what records and spans say of it."""


class Observer:
    """The arguments of a middleware, and the start of every exchange.

    Args:
        quiet_paths: counted, but neither logged (unless they fail) nor traced.
        trusted_proxies: addresses or networks whose ``X-Forwarded-For`` is believed.
        detection: ``observe``, ``block`` or ``off``.
        trusted_origins: other sites whose pages may post here with the user's cookies.
        login_paths: ends of paths where a POST that is refused is a failed login (:mod:`.sign_in`).
    """

    def __init__(
        self,
        *,
        quiet_paths: Iterable[str],
        trusted_proxies: Iterable[str],
        detection: Detecting,
        trusted_origins: Iterable[str],
        login_paths: Iterable[str],
    ) -> None:
        if detection not in {"observe", "block", "off"}:
            dropped_data.count("setup", "detection is none of observe, block, off; observe applies")
        self.quiet = frozenset(_several(quiet_paths))
        self.detects = detection != "off"
        self.blocks = detection == "block"
        self.sign_in = sign_in.Recognition(_several(login_paths))
        self.being_answered = metrics.standard.being_answered
        self._clients: dict[tuple[str, bytes, str], _Client] = {}
        self._clients_of: runtime.Runtime | None = None
        self._address = ClientAddress(_several(trusted_proxies))
        self._cross_site = CrossSite(_several(trusted_origins))

    def begin(
        self,
        method: str,
        path: str,
        query: bytes,
        raw_path: bytes,
        scheme: str,
        peer: str,
        headers: Mapping[bytes, bytes],
        route: Callable[[], str],
    ) -> "Exchange":
        """Take in a request. ``headers`` have lower-case names; ``route`` returns the template once it is known.

        Raises:
            Exception: something here is at fault; serve the request without it.
        """
        method = method if method in _METHODS else "OTHER"
        get = headers.get
        given = get(b"x-request-id")
        if given is None or not _REQUEST_ID.fullmatch(given):
            given = b"%032x" % _ids.getrandbits(128)
        id = given.decode("ascii")
        forwarded = get(b"x-forwarded-for")
        address = peer if forwarded is None else self._address.of(peer, forwarded)
        now = runtime.current
        raw_agent = get(b"user-agent", b"")
        client = self._clients.get((address, raw_agent, scheme))
        if client is None or self._clients_of is not now:
            client = self._client(now, address, raw_agent, scheme)
        agent, tool, piece, attributes = client
        lazy_span = tracer.LazySpan(time.time_ns(), time.perf_counter_ns())
        exchange = Exchange(self, method, path, id, headers, route, lazy_span)
        exchange.id_bytes = given
        exchange.scheme, exchange.client_attributes = scheme, attributes
        exchange.bound = context.Bound(
            None, None, id, address or None, agent, None, exchange, (now, b',"requestId":"%b"%b' % (given, piece))
        )
        if path not in self.quiet:
            traceparent = lazy_span.traceparent = get(b"traceparent")
            if (
                b"tracestate" in headers
                or tracer.joins(now)
                or context.active_span.get() is not None
                or context.bound.get().request is not None
            ):
                parent = None if traceparent is None else received(traceparent, get(b"tracestate", b""))
                lazy_span.started = start_span(method, kind=_SERVER, parent=parent)
                lazy_span.started.begin_at(lazy_span.start_ns, lazy_span.clock_ns)
            exchange.traced = True
        if self.detects:
            try:
                found = inspect(path, query, raw_path)
                if found is not None:
                    exchange.find(found)
                if tool:
                    exchange.find(Detection("scanner", "suspicious_activity", "medium", "user-agent", tool))
                if method not in SAFE:
                    self._look_further(exchange, headers)
            except Exception as error:  # noqa: BLE001  the request is served and recorded all the same
                dropped_data.count("security", "request could not be inspected", error)
        return exchange

    def _look_further(self, exchange: "Exchange", headers: Mapping[bytes, bytes]) -> None:
        """What only requests that may change something call for."""
        if bodies.is_readable(headers.get(b"content-type", b"")):
            exchange.body = bytearray()
        if b"cookie" in headers:
            found = self._cross_site.judge(headers, headers.get(b"x-forwarded-host", b""))
            if found is not None:
                exchange.find(found)

    def _client(self, now: runtime.Runtime, address: str, raw_agent: bytes, scheme: str) -> "_Client":
        """Who calls, remembered for the next request."""
        if self._clients_of is not now:
            self._clients = {}
            self._clients_of = now
        agent = raw_agent[:_MAX_USER_AGENT].decode("latin-1") or None
        tool = scanners.recognise(agent) if agent and self.detects else ""
        hide = now.settings.redact
        shown = {"url.scheme": scheme, "client.address": address or None, "user_agent.original": agent}
        client = (
            agent,
            tool,
            record_encoder.who(None, None, None, address or None, agent, hide=hide),
            otlp_json.attributes(shown, redact=hide),
        )
        if len(self._clients) < _MAX_CLIENTS and len(raw_agent) <= _MAX_USER_AGENT:
            self._clients[address, raw_agent, scheme] = client
        return client

    def look_at_body(self, exchange: "Exchange") -> list[tuple[str, str]]:
        """Inspect what has been copied of the body; returns its fields."""
        copied, exchange.body = exchange.body, None
        if not copied:
            return []
        fields = bodies.fields(exchange.headers.get(b"content-type", b""), bytes(copied[: bodies.MAX_BODY]))
        for found in (inspect_fields(fields), self._cross_site.judge_form(exchange.headers, fields)):
            if found is not None:
                exchange.find(found)
        return fields


class Exchange(Measurement):
    """One request in progress. :meth:`enter` before the application runs, :meth:`end` after it, once."""

    # What most requests never change is kept here once instead of in each request.
    status = 0
    user_id: str | None = None
    session_id: str | None = None
    login_reported = False
    login_signalled: tuple[str, str] | None = None
    forged = False
    refused_here = False
    traced = False
    _activated = False
    body: bytearray | None = None
    fields: Sequence[tuple[str, str]] = ()
    answer_html: bytearray | None = None
    caught: BaseException | None = None
    findings: Sequence[Detection] = ()
    id_bytes = b""
    client_attributes = b""
    scheme = ""
    bound: context.Bound
    _token: contextvars.Token[context.Bound]

    def __init__(
        self,
        observer: Observer,
        method: str,
        path: str,
        id: str,
        headers: Mapping[bytes, bytes],
        route: Callable[[], str],
        lazy_span: tracer.LazySpan,
    ) -> None:
        self.name = ""
        parent = innermost.get()
        self.parent = operation_in_progress() if parent is None and context.bound.get().request is not None else parent
        self._observer = observer
        self._route = route
        self.method = method
        self.path = path
        self.id = id
        self.headers = headers
        self.lazy_span = lazy_span

    @property
    def milliseconds(self) -> float:
        """Since the start."""
        return (time.perf_counter_ns() - self.lazy_span.clock_ns) / 1e6

    @property
    def span(self) -> Span | None:
        """The request's own span; in most requests it is made when it is first asked for."""
        if not self.traced:
            return None
        return self.lazy_span.started or self.lazy_span.span(self.method, _SERVER)

    def flush(self) -> None:
        """Keep the route that is known by now. Never raises."""
        template = self._handler()
        if template:
            self._route = lambda: template

    def matched(self, template: str) -> None:
        """Keep the template of the route that a framework has chosen."""
        self._route = lambda: template

    def _handler(self) -> str:
        """The template of the route, '' while nothing has matched. Never raises: an odd route costs no record."""
        try:
            return self._route()
        except Exception as error:  # noqa: BLE001  telemetry never breaks a request
            dropped_data.count("setup", "the route of a request could not be read", error)
            return ""

    def find(self, found: Detection) -> None:
        """Note what a detector says, to be reported once the context is there. One forged form is one event."""
        if found.event_type == "csrf_attempt":
            if self.forged:
                return
            self.forged = True
        self.findings = (*self.findings, found)

    def operation(self) -> str:
        """Method and template, as log records name the operation; '' while nothing has matched."""
        handler = self._handler()
        return f"{self.method} {handler}" if handler else ""

    def answers(self, headers: Iterable[tuple[Any, Any]]) -> bool:
        """Look at the headers of an answer, names and values as text or as bytes.

        Returns whether the application has set ``X-Request-ID`` itself.
        """
        own = False
        for name, _ in headers:
            if len(name) == 12 and name.lower() in _REQUEST_ID_NAMES:
                own = True
        if self.status == 200 and self.method == "POST" and self._observer.sign_in.may_show_form(self, headers):
            self.answer_html = bytearray()
        return own

    def keep_answer(self, chunk: bytes) -> None:
        """Copy the beginning of an answer that may show a login form again."""
        kept = self.answer_html
        if kept is not None and len(kept) < sign_in.MAX_ANSWER:
            kept += chunk[: sign_in.MAX_ANSWER - len(kept)]

    def keep(self, chunk: bytes) -> None:
        """Copy a part of the body for inspection, up to the bound."""
        kept = self.body
        if kept is not None and len(kept) < bodies.MAX_BODY + 1:
            kept += chunk[: bodies.MAX_BODY + 1 - len(kept)]

    def enter(self) -> None:
        """Make the request's context current."""
        self._token = context.bound.set(self.bound)
        # The context knows the request, and with it the operation and the span, unless there are outer ones.
        span = self.lazy_span.started
        if span is not None and (span.outside or context.active_span.get() is not None):
            span.activate()
            self._activated = True
        if self.parent is not None:
            innermost.set(self)
        self._observer.being_answered.add(self)

    def refuse(self) -> bool:
        """Report what has been found so far; True when the request is to be answered with 403."""
        if not self.findings:
            return False
        self.refused_here = self._observer.blocks and any(one.certain for one in self.findings)
        self._report()
        return self.refused_here

    def look_at_body(self) -> None:
        """Inspect the copied body now."""
        try:
            self.fields = self._observer.look_at_body(self)
        except Exception as error:  # noqa: BLE001  the request is served and recorded all the same
            dropped_data.count("security", "request could not be inspected", error)

    def end(self, failure: BaseException | None = None) -> None:
        """Record what came of it and leave the context. Never raises."""
        lazy_span = self.lazy_span
        took_ns = max(0, time.perf_counter_ns() - lazy_span.clock_ns)
        self._observer.being_answered.discard(self)
        try:
            self._end(lazy_span, took_ns, failure)
        except Exception as error:  # noqa: BLE001  telemetry never breaks a request
            dropped_data.count("setup", "request could not be recorded", error)
        if self._activated and lazy_span.started is not None:
            lazy_span.started.deactivate()
        if innermost.get() is self:  # in another context there is nothing to restore
            innermost.set(self.parent)
        try:  # noqa: SIM105  once a request; this way costs nothing
            context.bound.reset(self._token)
        except ValueError:
            pass  # entered in another context, which has ended with it
        del self.bound, self._token  # they refer back to this: leave nothing to the garbage collector

    def _end(self, lazy_span: tracer.LazySpan, took_ns: int, failure: BaseException | None) -> None:
        # Without an answer the server sends 500, or, when the client has left, nothing (nginx' 499).
        gone = failure is not None and not isinstance(failure, Exception)
        status = self.status or (499 if gone else 500)
        if self.body:
            self.look_at_body()
        if self.findings:
            self._report()
        method = self.method
        if method == "POST" and not self.login_reported and (status >= 400 or self.answer_html):
            self._look_for_failed_login(status)
        handler = self._handler() or UNMATCHED
        outcome = outcomes.known.get((method, handler, status)) or outcomes.outcome(method, handler, status)
        now, bound = runtime.current, self.bound
        if (
            failure is None
            and status < 500
            and self.traced
            and outcome.plain
            and took_ns <= operation_recorder.thresholds.slow * 1e9
            and not (self.errors or self.counted or now.thins_out)
            and self.user_id is self.session_id is None
            and context.bound.get() is bound
            and bound.piece[0] is now
        ):
            span = lazy_span.started
            exported = now.takes_encoded and (span is None or _is_bare(span))
            end_ns = lazy_span.start_ns + took_ns
            if not exported:
                span = self.span  # as long as there can be one that has not ended
            elif span is not None:
                span.name, span.ended, span.end_ns = outcome.span_name, True, end_ns
            lazy_span.end_ns = end_ns
            who, client = bound.piece[1], self.client_attributes
            now.deferred.add(
                outcomes.Ended(outcome, self.path, self.id_bytes, who, client, lazy_span, exported), end_ns
            )
            if not exported:
                self._end_span(outcome, handler, status, end_ns)
        else:
            self._end_with_care(now, outcome, handler, status, took_ns, failure)
        if outcomes.full:
            outcomes.settle_full()

    def _end_with_care(
        self,
        now: runtime.Runtime,
        outcome: outcomes.Outcome,
        handler: str,
        status: int,
        took_ns: int,
        failure: BaseException | None,
    ) -> None:
        seconds = took_ns / 1e9
        # What is raised once the answer has begun, by a stream or a background task, is a failure whatever the status.
        error = failure if isinstance(failure, Exception) and not (self.status and _left(failure)) else None
        failed = status >= 500 or error is not None
        if error is None and failed:
            error = self.caught
        if failed:
            self.count_error(error)
        span = self.span
        trace_id, at = None, 0.0
        if span is not None and span.recording:
            if error is not None:
                span.record_exception(error)
            elif failed:
                span.set_error(f"HTTP {status}")
            if span.context.sampled or span.status == SPAN_ERROR:
                trace_id, at = span.context.trace_id, (span.start_ns + took_ns) / 1e9
        loud = self.path not in self._observer.quiet
        slow = seconds > operation_recorder.thresholds.slow
        counts = slow or self.errors or self.counted
        outcome.count(seconds, trace_id, at, loud and not counts)
        if (loud or failed) and (ERROR if failed else INFO) >= now.threshold:
            self._log(now, handler, outcome, status, seconds, error, failed=failed)
        if loud and counts:
            operation_recorder.record(outcome.operation, seconds * 1000, self, slow=slow)
            if slow:
                operation_recorder.slow_request(outcome.operation, seconds * 1000)
        if isinstance(failure, Exception):
            mark_logged(failure)
        self._end_span(outcome, handler, status, self.lazy_span.start_ns + took_ns)

    def _end_span(self, outcome: outcomes.Outcome, handler: str, status: int, end_ns: int) -> None:
        span = self.span
        if span is None:
            return
        span.end_ns = end_ns
        if span.recording:
            span.name = outcome.span_name
            bound = self.bound
            shown: dict[str, Any] = {
                "http.request.method": self.method,
                "url.path": self.path,
                "url.scheme": self.scheme,
                "client.address": bound.ip_address,
                "http.request.id": self.id,
                "user_agent.original": bound.user_agent,
                "http.response.status_code": status,
                "http.route": None if handler == UNMATCHED else handler,
                "enduser.id": self.user_id,
            }
            span.attributes = {name: value for name, value in shown.items() if value} | span.attributes
        span.end()

    def _log(
        self,
        now: runtime.Runtime,
        handler: str,
        outcome: outcomes.Outcome,
        status: int,
        seconds: float,
        error: BaseException | None,
        *,
        failed: bool,
    ) -> None:
        """Write the access record, with all the care that it may need."""
        method, path, milliseconds = self.method, self.path, seconds * 1000
        metadata: dict[str, Any] = {"method": method, "path": path, "handler": handler, "status": status}
        if self.counted:
            metadata.update(self.counts())
        now.emit(
            ERROR if failed else INFO,
            "http",
            f"{method} {path} {status} {milliseconds:.1f}ms",
            metadata,
            outcome.operation,
            self.user_id,
            self.session_id,
            "",
            error,
            performance=Performance(round(milliseconds, 3)),
        )

    def _report(self) -> None:
        found, self.findings = self.findings, ()
        for one in found:
            security.record(
                one.event_type,
                one.severity,
                details={
                    "detector": one.kind,
                    "where": one.where,
                    "matched": one.matched,
                    "path": self.path[:512],
                    "blocked": self.refused_here,
                },
            )

    def _look_for_failed_login(self, status: int) -> None:
        # A form that was refused as forged, or a request that was blocked here, has tried no account.
        if not self._observer.detects or self.refused_here or (self.forged and status == 403):
            return
        reason = self._observer.sign_in.refusal(self.path, status, self.fields, bytes(self.answer_html or b""))
        if reason:
            auth.failed_login(bodies.account(self.fields), reason=reason, path=self.path[:512])


def _several(given: Iterable[str]) -> Iterable[str]:
    """A text alone is one entry, not as many as it has characters."""
    return (given,) if isinstance(given, str) else given


def _left(error: Exception) -> bool:
    """Whether it only says that the client has gone while the answer was being sent (Starlette's)."""
    return type(error).__name__ == "ClientDisconnect"


def _is_bare(span: Span) -> bool:
    """Whether a request's span holds nothing but what the request itself holds."""
    return (
        span.recording
        and not (span.ended or span.attributes or span.events or span.status or span.context.tracestate)
        and span.held is None
        and type(span) is Span
    )


def current() -> Exchange | None:
    """The request in progress, as the middleware sees it."""
    request = context.bound.get().request
    return request if isinstance(request, Exchange) else None


def caught(error: BaseException) -> None:
    """Tell about an exception that a framework turned into an answer by itself."""
    exchange = current()
    if exchange is not None:
        exchange.caught = error
        mark_logged(error)


def mark_logged(error: BaseException) -> None:
    """Keep the same exception from being reported a second time, by the framework's or the server's logger."""
    # An exception class with slots refuses; it is reported twice then.
    with contextlib.suppress(AttributeError, TypeError):
        setattr(error, LOGGED, True)

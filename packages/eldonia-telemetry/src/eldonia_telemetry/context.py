"""Who and what the code is working for at the moment: carried by ``contextvars``.

The middleware binds the request's fields; applications add theirs with :func:`bind`. Tasks and
``asyncio.to_thread`` inherit the context by themselves; for other threads use :func:`carry`.
"""

import contextlib
import contextvars
from collections.abc import Callable, Mapping
from sys import modules
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from eldonia_telemetry.traces.propagation import SpanContext
    from eldonia_telemetry.traces.span import Span

P = ParamSpec("P")
R = TypeVar("R")


class Request(Protocol):
    """What the middleware knows about the request in progress."""

    user_id: str | None
    session_id: str | None
    login_reported: bool
    login_signalled: tuple[str, str] | None
    """The account and the event of a refused sign-in that a framework has reported."""

    @property
    def span(self) -> "Span | None":
        """The request's own span."""
        ...

    def operation(self) -> str:
        """Method and route template, '' while no route has matched."""
        ...


class Bound(msgspec.Struct):
    """The fields that every record in this context carries. Once bound, they stay as they are.

    ``piece`` is what the first record made of them, for the others, and the runtime that made it.
    """

    user_id: str | None = None
    session_id: str | None = None
    request_id: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    metadata: Mapping[str, Any] | None = None
    request: Request | None = None
    piece: tuple[Any, bytes] = (None, b"")


bound: contextvars.ContextVar[Bound] = contextvars.ContextVar("eldonia_telemetry_bound", default=Bound())  # noqa: B039
"""What is bound here; its default is for reading."""

active_span: contextvars.ContextVar["Span | None"] = contextvars.ContextVar("eldonia_telemetry_span", default=None)
"""The span that the code is working in, where that is not the request's own; set by :mod:`eldonia_telemetry.traces`."""

outside: "Callable[[], SpanContext | None] | None" = None
"""Asks the OpenTelemetry SDK that this process has joined, if any; set by :mod:`eldonia_telemetry.traces`."""


def trace_context() -> "SpanContext | None":
    """The trace and span that the code is working in."""
    if outside is not None and "opentelemetry.sdk.trace" in modules:
        joined = outside()
        if joined is not None:
            return joined
    span = current_span()
    return None if span is None else span.context


def current_span() -> "Span | None":
    """The span that the code is working in."""
    span = active_span.get()
    if span is None:
        request = bound.get().request
        if request is not None:
            return request.span
    return span


class Binding:
    """The result of :func:`bind`: leave it alone to keep the fields, or use it in a ``with`` to take them back."""

    __slots__ = ("_token",)

    def __init__(self, token: contextvars.Token[Bound] | None) -> None:
        self._token = token

    def undo(self) -> None:
        """Restore what was bound before; does nothing the second time or in another context."""
        token, self._token = self._token, None
        if token is not None:
            # Made in another context, it has ended with that.
            with contextlib.suppress(ValueError, RuntimeError):
                bound.reset(token)

    def __enter__(self) -> "Binding":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.undo()


def bind(
    *,
    user_id: object = None,
    session_id: object = None,
    request_id: object = None,
    ip_address: object = None,
    user_agent: object = None,
    **metadata: Any,
) -> Binding:
    """Add fields to every record that this context writes from now on.

    ``user_id`` and ``session_id`` also reach the access log line of the request in progress, even
    when bound in the thread that an endpoint runs in. Other names become metadata.
    """
    before = bound.get()
    after = Bound(
        before.user_id if user_id is None else _text(user_id),
        before.session_id if session_id is None else _text(session_id),
        before.request_id if request_id is None else _text(request_id),
        before.ip_address if ip_address is None else _text(ip_address),
        before.user_agent if user_agent is None else _text(user_agent),
        before.metadata if not metadata else {**(before.metadata or {}), **metadata},
        before.request,
    )
    if after.request is not None:
        after.request.user_id = after.user_id
        after.request.session_id = after.session_id
    return Binding(bound.set(after))


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Wrap a function so that it runs with the present context, in whatever thread calls it."""
    snapshot = contextvars.copy_context()

    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        # A context can be entered once at a time; a copy lets the same wrapper run in several threads.
        return snapshot.copy().run(function, *args, **kwargs)

    return carried


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    try:
        return str(value)
    except Exception:  # noqa: BLE001  a broken __str__ must not reach the host
        return f"<{type(value).__name__}>"

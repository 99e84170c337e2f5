"""What went wrong with a network request, in words that a person understands."""

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpx

_WORDS = {
    errno.ECONNREFUSED: "connection refused: nothing listens there",
    errno.ECONNRESET: "the connection was reset by the other side",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "the network is unreachable",
    errno.EPIPE: "the other side closed the connection",
    errno.ETIMEDOUT: "the connection timed out",
}


def explain(error: BaseException, timeout_seconds: float = 0.0) -> str:
    """One clause about an exception of httpx, asyncio, ssl or the socket layer. Never holds a URL's password."""
    if isinstance(error, TimeoutError | httpx.TimeoutException | asyncio.TimeoutError):
        phase = {
            httpx.ConnectTimeout: "no connection",
            httpx.ReadTimeout: "no answer",
            httpx.PoolTimeout: "no free connection",
        }.get(type(error), "not finished")
        return f"{phase} within {timeout_seconds:g} s" if timeout_seconds else "timed out"
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or cause}"
        if isinstance(cause, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(cause, OSError) and cause.errno:
            return _WORDS.get(cause.errno, os.strerror(cause.errno))
    if isinstance(error, httpx.RemoteProtocolError):
        return "the other side does not answer in HTTP, or broke off"
    # httpcore words a group of failed addresses as "All connection attempts failed".
    if isinstance(error, httpx.ConnectError):
        return _WORDS[errno.ECONNREFUSED] if "attempts failed" in str(error) else f"no connection: {error}"
    return str(error) or type(error).__name__


@contextlib.contextmanager
def lost_while_connecting() -> Iterator[None]:
    """Around a request of httpx: a connection that is lost as soon as it is made is an :class:`httpx.ConnectError`.

    httpcore asks the new connection for its TLS object. anyio (4.16) first asks the socket for the other side's
    address, and a transport that has closed meanwhile has no socket: an AttributeError, which says nothing.
    """
    try:
        yield
    except AttributeError as error:
        if error.name != "getpeername":
            raise
        raise httpx.ConnectError("the other side closed the connection at once") from error


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting and len(found) < 50:
        cause = waiting.pop(0)
        if cause is None or cause in found:
            continue
        found.append(cause)
        waiting += [cause.__cause__, cause.__context__]
        if isinstance(cause, BaseExceptionGroup):
            waiting += cause.exceptions
    return found


def status_words(code: int) -> str:
    """``HTTP 503 Service Unavailable``."""
    try:
        return f"HTTP {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"HTTP {code}"

"""An HTTP listener: bound first, then served until the process is asked to stop; SIGHUP reloads."""

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from eldonia_ops.app.connections import PatientProtocol
from eldonia_ops.app.reloading import Reloading
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.settings import Listen

log = logging.getLogger("eldonia_ops")


async def serve_until_stopped(
    app: ASGIApp,
    listener: socket.socket,
    reloads: Reloading,
    started: Callable[[], None],
    tls: ssl.SSLContext | None = None,
) -> None:
    """Answer requests at a socket, over TLS if asked, until SIGTERM or SIGINT; SIGHUP reloads."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # failed sign-ins slow down by address, which no client may choose
        timeout_graceful_shutdown=5,
        http=PatientProtocol,
        ws="none",
        lifespan="off",
    )
    config.load()
    config.ssl = tls
    server = _Server(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with _reloading_at_hangup(reloads):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        started()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving
    log.info("stopping")


@contextlib.contextmanager
def _reloading_at_hangup(reloads: Reloading) -> Generator[None, None, None]:
    """SIGHUP reads the configuration anew. While the platform stops it is ignored: it must not end it half-way."""
    under_way: set[asyncio.Task[Any]] = set()

    def hangup() -> None:
        task = asyncio.create_task(reloads.reload("SIGHUP"))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup)
    try:
        yield
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        # Ignored and not handled: the interpreter removes its handlers before the process has ended. Nothing is
        # started from here on that would inherit this.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for task in under_way:
            task.cancel()


class _Server(uvicorn.Server):
    """Leaves signals to us: the stores have to be closed in order after the last answer."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture nothing."""
        yield


def bind(listen: Listen) -> socket.socket:
    """A socket bound to an address.

    Raises:
        ConfigError: it is taken, or cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((listen.host, listen.port))
    except OSError as error:
        listener.close()
        hint = "is another eldonia-ops running? choose another address with --listen"
        raise ConfigError(Diagnostic(f"cannot listen on {listen}: {error.strerror}", hint=hint)) from None
    return listener


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

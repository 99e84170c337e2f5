"""An HTTP listener: bound first, then served until the process is asked to stop; SIGHUP reloads."""

import asyncio
import contextlib
import functools
import logging
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from eldonia_ops.app.listening.connections import PatientProtocol, Places
from eldonia_ops.app.listening.tls_server import TlsServer
from eldonia_ops.app.reloading import Reloading
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.settings import Listen

log = logging.getLogger("eldonia_ops")


class HttpServer(uvicorn.Server):
    """Answers requests at one socket, over TLS if asked.

    Signals are left to us: the stores have to be closed in order after the last answer. ``places`` are shared with the
    other listeners of the process; ``listener`` is the socket.
    """

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        listener: socket.socket,
        places: Places,
        tls: ssl.SSLContext | None = None,
        *,
        keep_alive_seconds: int = 5,
    ) -> None:
        protocol: Any = functools.partial(PatientProtocol, places=places, counts=places.of(name))
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # failed sign-ins slow down by address, which no client may choose
            timeout_graceful_shutdown=5,
            timeout_keep_alive=keep_alive_seconds,
            http=protocol,
            ws="none",
            lifespan="off",
        )
        config.load()
        config.ssl = tls
        super().__init__(config)
        self.listener = listener
        self._serving: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture nothing."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, but for TLS: there handshakes are bounded."""
        if self.config.ssl is None:
            await super().startup(sockets)
            return
        await self.lifespan.startup()
        servers: list[Any] = [TlsServer(one, self._protocol, self.config.ssl) for one in sockets or ()]
        self.servers = servers
        self.started = True

    def _protocol(self) -> asyncio.Protocol:
        make: Any = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    async def start(self) -> "asyncio.Task[None]":
        """Accept connections; the task ends with the server.

        Raises:
            OSError: the socket cannot be listened on.
        """
        self._serving = asyncio.create_task(self.serve(sockets=[self.listener]))
        while not self.started and not self._serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        if self._serving.done():
            await self._serving
        return self._serving

    def close(self) -> None:
        """Accept no more connections, from now on."""
        for server in self.servers:
            server.close()
        self.should_exit = True

    async def stop(self) -> None:
        """Accept no more connections, and wait until those under way have been answered, for 5 seconds at most."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving


async def _nothing_else() -> None:
    pass


async def serve_until_stopped(
    server: HttpServer,
    reloads: Reloading,
    started: Callable[[], None],
    stop_others: Callable[[], Awaitable[None]] = _nothing_else,
) -> None:
    """Answer requests until SIGTERM or SIGINT; SIGHUP reloads. ``stop_others`` stops what else listens, meanwhile."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with _reloading_at_hangup(reloads):
        serving = await server.start()
        stopping = asyncio.create_task(stop.wait())
        started()
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.gather(server.stop(), stop_others())
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


def bind(
    listen: Listen,
    who: str = "",
    hint: str = "is another eldonia-ops running? choose another address with --listen",
) -> socket.socket:
    """A socket bound to an address; ``who`` and ``hint`` are for the message if that fails.

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
        message = f"{who}{' ' if who else ''}cannot listen on {listen}: {error.strerror}"
        raise ConfigError(Diagnostic(message, hint=hint)) from None
    return listener


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """The URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

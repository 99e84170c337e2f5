"""The platform behind its HTTP listener, from start to orderly end."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Callable, Generator, Mapping

import uvicorn

from eldonia_ops.app.connections import PatientProtocol
from eldonia_ops.app.intakes import installed_intakes
from eldonia_ops.app.platform import RunningPlatform, running_platform
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import is_loopback
from eldonia_ops.settings import Listen, Settings
from eldonia_ops.web.app import create_app
from eldonia_ops.web.limits import RequestLimits

log = logging.getLogger("eldonia_ops")

OnStart = Callable[[RunningPlatform, str], None]
"""Is told the running platform and the address that it listens on."""


async def serve(settings: Settings, environment: Mapping[str, str], on_start: OnStart) -> None:
    """Run the platform until SIGTERM or SIGINT.

    Raises:
        ConfigError: a file is faulty, the address is taken, or it is not loopback and there is no token yet.
    """
    with _bind(settings.listen) as listener:
        async with running_platform(settings, environment) as platform:
            app = create_app(
                platform,
                external_url=settings.external_url,
                loopback=is_loopback(settings.listen.host),
                limits=RequestLimits(
                    ingest=settings.limits.request,
                    ingest_decoded=settings.limits.request_expanded,
                    labels=settings.limits.labels,
                    label_value=settings.limits.label_value,
                ),
                intakes=installed_intakes(),
                resolve_timeout_ms=platform.resolve_timeout_ms,
            )
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
            server = _Server(config)
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop.set)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            stopping = asyncio.create_task(stop.wait())
            host, port = listener.getsockname()[:2]
            on_start(platform, f"http://{f'[{host}]' if ':' in host else host}:{port}")
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            stopping.cancel()
            await serving
            log.info("stopping")


class _Server(uvicorn.Server):
    """Leaves signals to us: the stores have to be closed in order after the last answer."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture nothing."""
        yield


def _bind(listen: Listen) -> socket.socket:
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

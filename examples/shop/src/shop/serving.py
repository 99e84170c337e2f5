"""Runs an ASGI application as a process of its own: one line when it listens, a clean end on SIGTERM."""

import signal
import socket
import sys
from typing import Any

import uvicorn


def serve(name: str, app: Any, host: str, port: int, *, http: Any = "auto") -> int:
    """Serve until SIGTERM or SIGINT and return the exit code.

    Port 0 takes a free one. ``<name> listening on http://host:port`` goes to standard output once
    connections are accepted. A port that is taken ends in exit code 2.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            sys.stderr.write(f"{name}: cannot listen on {host}:{port}: {error.strerror}\n")
            return 2
        config = uvicorn.Config(
            app, http=http, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=3
        )
        # The server raises the signal once more when it is done; this turns that into an ordinary end,
        # in which exit handlers run.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        shown = f"[{host}]" if ":" in host else host
        server = _Server(config, f"{name} listening on http://{shown}:{listener.getsockname()[1]}\n")
        server.run(sockets=[listener])
        return 0 if server.started else 1


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, announcement: str) -> None:
        super().__init__(config)
        self._announcement = announcement

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(self._announcement)
            sys.stdout.flush()

"""HTTP connections that cannot be held open, or filled, for nothing.

uvicorn waits for ever for the rest of a request's head and takes one of any size, from people who have
shown no token yet: a thousand half requests used up the files that a process may open, and with them
the scrapes, the stores and the pages.
"""

import asyncio
import resource
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS: Final = 20.0
"""How long the head of a request may take to arrive, also the first on a new connection."""

HEAD_BYTES: Final = 64 * 1024
"""How large it may be; as much again arrives unnoticed in the chunk that ends it."""

_OWN_FILES: Final = 256
_MOST_CONNECTIONS: Final = 2_000


def most_connections() -> int:
    """How many connections there may be at once, so that files remain for everything else."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(16, min(_MOST_CONNECTIONS, (soft if soft > 0 else _MOST_CONNECTIONS * 2) - _OWN_FILES))


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience."""

    head_seconds = HEAD_SECONDS
    head_bytes = HEAD_BYTES

    def __init__(self, *positional: Any, **named: Any) -> None:
        super().__init__(*positional, **named)
        self._most = most_connections()
        self._in_head = True
        self._size = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection begins; one too many ends at once."""
        super().connection_made(transport)
        if len(self.connections) > self._most:
            transport.abort()
            return
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a head that grows without end ends the connection."""
        super().data_received(data)
        if self._in_head:
            self._size += len(data)
            if self._size > self.head_bytes:
                self._give_up()
            elif self._patience is None and not self.transport.is_closing():
                self._wait()

    def on_message_begin(self) -> None:
        """A request begins; between two of them uvicorn's own limit counts."""
        super().on_message_begin()
        self._in_head, self._size = True, 0

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        if not self.transport.is_closing():
            self.transport.abort()

"""Accepts connections over TLS, with bounds on those whose handshake has not ended.

Such a client has shown nothing yet, and asyncio neither counts it nor gives it to a protocol: a thousand that connected
and said nothing held all files that a process may open, for a minute each, and with them the pages, the scrapes and the
stores.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from typing import Final

from eldonia_ops.app.listening.connections import most_connections
from eldonia_ops.web.login_throttle import network_of

log = logging.getLogger("eldonia_ops.listeners")

HANDSHAKE_SECONDS: Final = 10.0
CROWDED_SECONDS: Final = 1.0
"""How long a handshake may take while others wait for its place."""

_AT_ONCE: Final = 64
_PAUSE_SECONDS: Final = 0.05
_BACKLOG: Final = 2048


class TlsServer:
    """Serves the connections of a bound socket by protocols that ``protocol`` makes, once their handshake has ended.

    ``most`` handshakes may be under way. While there is no place, the oldest of the network that has most of them gives
    its own up when it has had :data:`CROWDED_SECONDS`; others wait to be accepted. Like an ``asyncio.Server`` it is
    closed and waited for.
    """

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext,
        *,
        most: int = 0,
        seconds: float = HANDSHAKE_SECONDS,
    ) -> None:
        self._bound = bound
        self._protocol = protocol
        self._tls = tls
        self._most = most or max(16, most_connections() // 8)
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._pending: dict[asyncio.Task[None], tuple[str, float]] = {}
        self._closed = False
        bound.setblocking(False)
        bound.listen(_BACKLOG)
        self._go_on()

    @property
    def pending(self) -> int:
        """How many handshakes are under way."""
        return len(self._pending)

    def close(self) -> None:
        """Accept no more, and give up the handshakes that are under way."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError, ValueError):
                self._loop.remove_reader(self._bound.fileno())
            self._bound.close()
            for task in self._pending:
                task.cancel()

    async def wait_closed(self) -> None:
        """Wait until no handshake is under way."""
        await asyncio.gather(*self._pending, return_exceptions=True)

    def _go_on(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._bound.fileno(), self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            if len(self._pending) >= self._most and not self._make_room():
                self._pause()
                return
            try:
                connection, address = self._bound.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                log.warning("no connection is accepted for a moment: %s", error.strerror)
                self._pause()
                return
            connection.setblocking(False)
            task = self._loop.create_task(self._shake_hands(connection))
            self._pending[task] = (network_of(str(address[0])), self._loop.time())
            task.add_done_callback(self._forget)

    def _pause(self) -> None:
        self._loop.remove_reader(self._bound.fileno())
        self._loop.call_later(_PAUSE_SECONDS, self._go_on)

    def _make_room(self) -> bool:
        crowd = Counter(network for network, _ in self._pending.values()).most_common(1)[0][0]
        oldest, since = next((task, since) for task, (network, since) in self._pending.items() if network == crowd)
        if self._loop.time() - since < CROWDED_SECONDS:
            return False
        self._pending.pop(oldest)
        oldest.cancel()
        return True

    async def _shake_hands(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=self._seconds
            )
        except OSError as error:  # a failed handshake and one that took too long are such errors, too
            log.debug("a TLS handshake failed: %s", error)

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._pending.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a connection could not be served", exc_info=error)

"""HTTP connections that cannot be held open, or filled, for nothing.

uvicorn waits without a limit for the rest of a request's head and takes one of any size, from people who have
shown no token yet: a thousand half requests used up the files that a process may open, and with them
the scrapes, the stores and the pages. And who fills all places with slow requests must not shut others out: when there
is no place left, the client that has most of them gives up the one that has waited longest for its own client.
"""

import asyncio
import resource
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from eldonia_ops.web.login_throttle import network_of

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


@dataclass(slots=True)
class Counts:
    """The connections of one listener: ``open`` now, ``accepted`` and ``refused`` since the start."""

    open: int = 0
    accepted: int = 0
    refused: int = 0


@dataclass(slots=True)
class Places:
    """The connections of all listeners of this process, which share the files that it may open.

    ``reserved`` places are kept for connections that are no HTTP. ``counts`` are by the name of the listener.
    """

    known: "set[PatientProtocol]" = field(default_factory=set)
    reserved: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)

    def of(self, listener: str) -> Counts:
        """The counts of a listener; one that is opened again goes on with its own."""
        return self.counts.setdefault(listener, Counts())


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with an end to its patience. ``places`` are shared with other listeners."""

    head_seconds = HEAD_SECONDS
    head_bytes = HEAD_BYTES

    def __init__(
        self, *positional: Any, places: Places | None = None, counts: Counts | None = None, **named: Any
    ) -> None:
        super().__init__(*positional, **named)
        self._known = self.connections if places is None else places.known
        self._most = max(1, most_connections() - (places.reserved if places is not None else 0))
        self._counts = counts or Counts()
        self._address = ""
        self._waiting_since: float | None = None
        self._in_head = True
        self._size = 0
        self._head_timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection begins; one too many ends at once."""
        super().connection_made(transport)
        self._known.add(self)
        self._counts.accepted += 1
        self._counts.open += 1
        peer = transport.get_extra_info("peername")
        self._address = network_of(str(peer[0])) if peer else ""
        self._waiting_since = self.loop.time()
        if self._make_room() is self:
            return
        self._wait()

    def _make_room(self) -> "PatientProtocol | None":
        """If there are too many connections, end one; returns it."""
        known = [one for one in self._known if isinstance(one, PatientProtocol)]
        counts = Counter(one._address for one in known)
        # A quarter of the places is kept for others than the one client, as long as that client is not alone.
        own_share = self._most if len(counts) == 1 else max(1, self._most - self._most // 4)
        if len(self._known) <= self._most and counts[self._address] <= own_share:
            return None
        crowd = self._address if counts[self._address] > own_share else counts.most_common(1)[0][0]
        waiting = [
            (one._waiting_since, number, one)
            for number, one in enumerate(known)
            if one._address == crowd and one._waiting_since is not None and not one.transport.is_closing()
        ]
        victim = min(waiting)[2] if waiting else self
        victim._counts.refused += 1
        victim.transport.abort()
        return victim

    def connection_lost(self, exc: Exception | None) -> None:
        """A connection has ended."""
        self._stop_waiting()
        self._known.discard(self)
        self._counts.open -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a head that grows without end ends the connection."""
        super().data_received(data)
        if self._in_head:
            self._size += len(data)
            if self._size > self.head_bytes:
                self._give_up()
            elif self._head_timeout is None and not self.transport.is_closing():
                self._wait()

    def on_message_begin(self) -> None:
        """A request begins; between two of them uvicorn's own limit counts."""
        super().on_message_begin()
        self._in_head, self._size = True, 0
        self._waiting_since = self.loop.time()

    def on_message_complete(self) -> None:
        """It has arrived whole; now it is us who are waited for."""
        self._waiting_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It has been answered; the connection waits for another."""
        self._waiting_since = self.loop.time()
        super().on_response_complete()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _wait(self) -> None:
        self._head_timeout = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timeout is not None:
            self._head_timeout.cancel()
            self._head_timeout = None

    def _give_up(self) -> None:
        self._head_timeout = None
        if not self.transport.is_closing():
            self.transport.abort()

"""The connection of one delivery to a mail server, which can be cut while a thread waits for the server."""

import contextlib
import smtplib
import socket
import threading
from typing import Any


class Line:
    """Holds a second descriptor of the connection: TLS takes the first one over, but what shuts down the connection by
    this one ends every wait for it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._cut = False

    def take(self, connected: socket.socket) -> None:
        """Know the connection."""
        with self._lock:
            self._close()
            self._socket = connected.dup()
            if self._cut:
                self._shut()

    def cut(self) -> None:
        """End the connection, also one that is made later; each read or write fails at once."""
        with self._lock:
            self._cut = True
            self._shut()
            self._close()

    def _shut(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class PlainClient(smtplib.SMTP):
    """An SMTP client that gives its connection to a line."""

    def __init__(self, line: Line, *positional: Any, **named: Any) -> None:
        self._line = line
        super().__init__(*positional, **named)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._line.take(connected)
        return connected


class TlsClient(smtplib.SMTP_SSL, PlainClient):
    """The same with TLS from the start: the line has the connection before the handshake begins."""

    def __init__(self, line: Line, *positional: Any, **named: Any) -> None:
        self._line = line
        smtplib.SMTP_SSL.__init__(self, *positional, **named)

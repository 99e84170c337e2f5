"""Records on standard output: coloured for people at a terminal, JSON lines otherwise."""

import os
import select
import sys
import threading
from collections.abc import Sequence
from typing import Final

import msgspec

from eldonia_telemetry import dropped_data
from eldonia_telemetry.records import DEBUG, LogEntry, decode

_COLOURS: Final = {"error": "\x1b[31m", "warn": "\x1b[33m", "info": "\x1b[32m", "debug": "\x1b[90m"}
_DIM: Final = "\x1b[90m"
_OFF: Final = "\x1b[0m"
_WAIT_MS: Final = 50
"""How long a reader that does not keep up may hold the application; then the record is dropped and counted."""


class ConsoleSink:
    """Writes to one descriptor; ``colour`` None decides by whether it is a terminal (and by ``NO_COLOR``).

    The descriptor is the application's too, so it stays blocking, and every piece that is written is
    no larger than the room that ``poll`` promises.
    """

    def __init__(self, fd: int | None = None, *, threshold: int = DEBUG, colour: bool | None = None) -> None:
        self.threshold = threshold
        self._fd = _standard_output() if fd is None else fd
        self._colour = is_terminal(self._fd) and "NO_COLOR" not in os.environ if colour is None else colour
        self._lock = threading.RLock()  # a signal handler may log while its thread is in here
        self._torn = False
        self._wait_ms = _WAIT_MS

    def write(self, line: bytes) -> None:
        """Write one record, or drop it when the reader has not kept up for 50 ms.

        The records after that wait for nothing until the reader reads again.
        """
        if self._fd < 0:
            return
        data = paint(decode(line)).encode("utf-8", "replace") if self._colour else line
        try:
            with self._lock:
                self._write(b"\n" + data if self._torn else data)
        except OSError as error:
            dropped_data.count("log", "console not writable", error)

    def write_all(self, lines: Sequence[bytes]) -> None:
        """Write several, as many at a time as a pipe takes whole: other processes may write to it too."""
        piece: list[bytes] = []
        size = 0
        for line in lines:
            if piece and (self._colour or size + len(line) > select.PIPE_BUF):
                self.write(b"".join(piece))
                piece, size = [], 0
            piece.append(line)
            size += len(line)
        if piece:
            self.write(b"".join(piece))

    def _write(self, data: bytes) -> None:
        poll = select.poll()  # one of its own: two threads must not share one
        poll.register(self._fd, select.POLLOUT)
        left = data
        while left:
            if not poll.poll(0) and not (self._wait_ms and poll.poll(self._wait_ms)):
                self._wait_ms = 0
                self._torn = self._torn or len(left) < len(data)
                dropped_data.count(
                    "log", "console reader does not keep up", amount=left.lstrip(b"\n").count(b"\n") or 1
                )
                return
            left = left[os.write(self._fd, left[: select.PIPE_BUF]) :]
        self._torn, self._wait_ms = False, _WAIT_MS

    def flush(self, timeout: float) -> None:
        """Nothing is held back."""

    def close(self, timeout: float = 0.0) -> None:
        """The descriptor is not ours to close."""

    def after_fork(self) -> None:
        """Another thread may have been writing when the process forked."""
        self._lock = threading.RLock()


def paint(entry: LogEntry) -> str:
    """One record for human eyes, ending in a newline; control characters in values are made visible."""
    colour = _COLOURS.get(entry.level, "")
    parts = [
        f"{_DIM}{entry.timestamp[11:23]}{_OFF} {colour}{entry.level.upper():5}{_OFF} "
        f"{_DIM}{entry.service}/{entry.component}{_OFF} {_visible(entry.message)}"
    ]
    if entry.operation:
        parts.append(f"{_DIM}[{_visible(entry.operation)}]{_OFF}")
    if entry.performance is not None and "ms" not in entry.message:
        parts.append(f"{entry.performance.duration:.1f}ms")
    for name in ("user_id", "request_id", "trace_id"):
        value = getattr(entry, name)
        if value:
            parts.append(f"{_DIM}{name}={_OFF}{_visible(value)}")
    for name, value in (entry.metadata or {}).items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        parts.append(f"{_DIM}{_visible(name)}={_OFF}{_visible(shown)}")
    line = " ".join(parts) + "\n"
    if entry.error is not None:
        stack = entry.error.stack or f"{entry.error.name}: {entry.error.message}"
        line += "".join(f"    {_visible(row)}\n" for row in stack.rstrip().splitlines())
    return line


def _visible(value: str) -> str:
    """A text that cannot steer the terminal: escape sequences and line breaks shown, not obeyed."""
    return value if value.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)


def _standard_output() -> int:
    try:
        return sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return -1  # none: a daemon, or a test that replaced it


def is_terminal(fd: int) -> bool:
    """Whether people look at what is written to this descriptor; False when it is closed."""
    try:
        return fd >= 0 and os.isatty(fd)
    except OSError:
        return False

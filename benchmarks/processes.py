"""Child processes of the measurements: on loopback, stopped by their own handle."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def python(
    arguments: Sequence[str], log: Path, port: int, *, seconds: float = 120
) -> Iterator[subprocess.Popen[bytes]]:
    """``python arguments…`` from the moment it accepts connections on ``port`` until the context is left.

    Raises:
        RuntimeError: it ended, or did not listen in time; the message holds its last words.
    """
    with started_program([sys.executable, *arguments], log, port, seconds=seconds) as child:
        yield child


@contextlib.contextmanager
def started_program(
    command: Sequence[str], log: Path, port: int, *, seconds: float = 120
) -> Iterator[subprocess.Popen[bytes]]:
    """The same for any command.

    Raises:
        RuntimeError: it ended, or did not listen in time; the message holds its last words.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=os.environ.copy()
        )
        try:
            deadline = time.monotonic() + seconds
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
                    break
                if child.poll() is not None or time.monotonic() > deadline:
                    words = log.read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"{' '.join(command)} did not come up:\n{words}")
                time.sleep(0.05)
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes], patience_seconds: float = 20) -> None:
    """SIGTERM, and SIGKILL when that is not heeded."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

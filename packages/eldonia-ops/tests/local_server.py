"""Programs that listen on a loopback port, as long as a test needs them."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running_server(command: Sequence[str | Path | None], port: int) -> Iterator[Callable[[], None]]:
    """A program that listens on the port until the context is left; the value stops it earlier.

    Raises:
        RuntimeError: it did not listen within 20 seconds.
    """
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/"
    )

    def stop() -> None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    try:
        _wait_for(port, process)
        yield stop
    finally:
        stop()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < give_up_at:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} did not listen on {port}")

"""The demonstration's processes: started on loopback, their output kept, stopped by their pid."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path


def free_port(preferred: int) -> int:
    """The preferred loopback port when nothing listens there, else one that the system picks."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on 127.0.0.1")


@dataclass(slots=True)
class Process:
    """One child process. Its output goes to ``log``."""

    name: str
    arguments: list[str]
    log: Path
    environment: dict[str, str] = field(default_factory=dict)
    _child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again); appends to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                [sys.executable, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
                # Ctrl-C belongs to the demonstration, which stops the others in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id, 0 when it never started."""
        return self._child.pid if self._child else 0

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child is not None and self._child.poll() is None

    def kill(self) -> None:
        """``kill -9``, and wait for its end."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()

    def stop(self, patience_seconds: float = 10.0) -> None:
        """SIGTERM, then SIGKILL when it takes too long."""
        if self._child is None or self._child.poll() is not None:
            return
        self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(patience_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def last_words(self, lines: int = 8) -> str:
        """The end of its log, for messages about why it died."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def resident_bytes(self) -> int:
        """Resident memory now (Linux), 0 when unknown."""
        with contextlib.suppress(OSError, IndexError, ValueError):
            pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
            return pages * os.sysconf("SC_PAGE_SIZE")
        return 0


def wait_for_port(port: int, process: Process, seconds: float) -> bool:
    """Whether something accepts connections on a loopback port before the time is up or the process ends."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.running:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
        time.sleep(0.05)
    return False

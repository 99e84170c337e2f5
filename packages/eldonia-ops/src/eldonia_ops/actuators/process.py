"""Supervises a program of the operator's: starts it, finds it again after our own death, restarts it.

The child lives in a session of its own and writes to a file, so it outlives the platform. Before it becomes
the program it writes its own ``/proc`` entry to the pid file; a process number that was given to somebody
else since is recognised by its start time and the host's boot id. Linux only.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eldonia_ops.actuators.command import merged_env
from eldonia_ops.actuators.commands import signal_group, signal_name, spawn, tail, wait
from eldonia_ops.ports import ActuatorError

_LAUNCHER: Final = (
    "IFS= read -r stat < /proc/$$/stat && IFS= read -r boot < /proc/sys/kernel/random/boot_id && "
    'printf "%s\\n%s\\n" "$stat" "$boot" > "$0" && exec "$@"'
)
"""Run by sh: note who we are in the pid file, then become the program. The number and start time stay the same."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_LARGEST_LOG = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """What to run. ``env`` is added to :func:`~eldonia_ops.actuators.commands.base_environment`.

    ``log_file`` takes both output streams; larger than 5 MB, it goes to ``<log_file>.1`` at a start or at
    :meth:`SupervisedProcess.trim_log`. ``stop_ms``: how long SIGTERM may take before SIGKILL. ``settle_ms``:
    a program that ends sooner after its start did not start.
    """

    name: str
    argv: tuple[str, ...]
    pid_file: Path
    log_file: Path
    cwd: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    stop_ms: int = 10_000
    settle_ms: int = 500


@dataclass(frozen=True, slots=True)
class Running:
    """A process that is certainly ours: its number and its start in clock ticks since boot."""

    pid: int
    start_ticks: int


class SupervisedProcess:
    """Implements :class:`eldonia_ops.ports.Actuator`. Starting, stopping and restarting exclude each other."""

    def __init__(self, spec: ProcessSpec) -> None:
        self._spec = spec
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = asyncio.Lock()

    def running(self) -> Running | None:
        """The live process, started by us now or in an earlier life; None when there is none."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        noted = self._noted()
        return noted if noted is not None and _alive(noted.pid) == noted else None

    def _noted(self) -> Running | None:
        """What the pid file says, if it was written since the host was started."""
        try:
            stat, boot, *_ = self._spec.pid_file.read_text().split("\n")
            return _parse(stat) if boot == _BOOT_ID.read_text().strip() else None
        except (OSError, ValueError):
            return None

    async def ensure_started(self) -> str:
        """Start the program unless it runs already; returns what was found or done, in a sentence.

        Raises:
            ActuatorError: it could not be started, or ended at once.
        """
        async with self._lock:
            found = self.running()
            if found is not None:
                return f"{self._spec.name} runs already (process {found.pid})"
            started = await self._start()
            return f"started {self._spec.name} (process {started.pid})"

    async def restart(self) -> str:
        """Stop the program if it runs, and start it.

        Raises:
            ActuatorError: it could not be stopped or started, or ended at once.
        """
        async with self._lock:
            stopped = await self._stop()
            started = await self._start()
        return f"restarted {self._spec.name} ({stopped}; now process {started.pid})"

    async def stop(self) -> str:
        """Stop the program and whatever it left in its session; returns what was done.

        Raises:
            ActuatorError: it is still there after SIGKILL.
        """
        async with self._lock:
            return await self._stop()

    def trim_log(self) -> bool:
        """Copy a large output to ``<log_file>.1`` and empty it under the running program; whether that was done.

        The program goes on writing at the end of the same file. What it writes in the very moment between copy
        and truncation is lost, as with logrotate's ``copytruncate``.

        Raises:
            OSError: it cannot be copied; it is left as it was.
        """
        log_file = self._spec.log_file
        try:
            if log_file.stat().st_size <= _LARGEST_LOG:
                return False
        except FileNotFoundError:
            return False
        aside = log_file.with_name(f"{log_file.name}.1.part")
        try:
            shutil.copyfile(log_file, aside)
            os.replace(aside, f"{log_file}.1")
        except OSError:
            aside.unlink(missing_ok=True)
            raise
        os.truncate(log_file, 0)
        return True

    async def _start(self) -> Running:
        spec = self._spec
        try:
            self._child, begin = self._launch()
        except OSError as error:
            raise ActuatorError(f"{spec.name}: {error.filename}: {error.strerror}") from None
        code = await wait(self._child, spec.settle_ms / 1000)
        started = self.running()
        if code is None and started is not None:
            return started
        if code is None:
            signal_group(self._child.pid, signal.SIGKILL)
            await wait(self._child, 1)
            raise ActuatorError(f"{spec.name} was started and could not write {spec.pid_file}")
        self._child = None
        how = f"ended at once with {code}" if code >= 0 else f"was ended at once by {signal_name(-code)}"
        said = self._said(begin)
        raise ActuatorError(f"{spec.name} {how}" + (f": {said}" if said else ""))

    def _launch(self) -> "tuple[subprocess.Popen[bytes], int]":
        """Start the program; also where its output begins in the log file."""
        spec = self._spec
        for path in (spec.pid_file, spec.log_file):
            path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if spec.log_file.stat().st_size > _LARGEST_LOG:
                os.replace(spec.log_file, f"{spec.log_file}.1")
        spec.pid_file.unlink(missing_ok=True)
        with open(spec.log_file, "ab") as output:
            argv = ["/bin/sh", "-c", _LAUNCHER, str(spec.pid_file), *spec.argv]
            begin = output.seek(0, os.SEEK_END)
            return spawn(argv, cwd=spec.cwd or None, env=merged_env(spec.env), output=output), begin

    def _said(self, begin: int) -> str:
        with open(self._spec.log_file, "rb") as log:
            return tail(log, begin)

    async def _stop(self) -> str:
        found = self.running()
        if found is None:
            if self._child is None:
                self._end_leftovers()
                return "it was not running"
            found = Running(self._child.pid, 0)
        begun = time.monotonic()
        signal_group(found.pid, signal.SIGTERM)
        if await self._gone(found, self._spec.stop_ms / 1000):
            # What the program started and left behind must not hold the port.
            signal_group(found.pid, signal.SIGKILL)
            self._spec.pid_file.unlink(missing_ok=True)
            return f"process {found.pid} stopped within {time.monotonic() - begun:.1f} s"
        signal_group(found.pid, signal.SIGKILL)
        if not await self._gone(found, 5):
            raise ActuatorError(f"{self._spec.name} (process {found.pid}) does not end, not even by SIGKILL")
        self._spec.pid_file.unlink(missing_ok=True)
        return f"process {found.pid} was killed, since it did not stop within {self._spec.stop_ms / 1000:g} s"

    def _end_leftovers(self) -> None:
        """End what a crashed program left in its session, so that it does not hold the port."""
        noted = self._noted()
        # While the number belongs to no process, a group of that number can only be the old one.
        if noted is not None and not Path(f"/proc/{noted.pid}").exists():
            signal_group(noted.pid, signal.SIGKILL)
        self._spec.pid_file.unlink(missing_ok=True)

    async def _gone(self, found: Running, seconds: float) -> bool:
        if self._child is not None and self._child.pid == found.pid:
            if await wait(self._child, seconds) is None:
                return False
            self._child = None
            return True
        # Started in an earlier life, so it is not our child and its parent reaps it.
        deadline = time.monotonic() + seconds
        while self.running() == found:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(0.02)
        return True


def _alive(pid: int) -> Running | None:
    try:
        return _parse(Path(f"/proc/{pid}/stat").read_text())
    except (OSError, ValueError):
        return None


def _parse(stat: str) -> Running | None:
    """Process number and start time of a line of ``/proc/<pid>/stat``; None for a zombie.

    Raises:
        ValueError: it is no such line.
    """
    head, _, rest = stat.rpartition(") ")
    fields = rest.split()
    if len(fields) < 20:
        raise ValueError("not a line of /proc/<pid>/stat")
    if fields[0] in ("Z", "X", "x"):
        return None
    return Running(int(head.split(" ", 1)[0]), int(fields[19]))

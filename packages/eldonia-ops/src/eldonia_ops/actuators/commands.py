"""Runs a program to its end: no shell, a time limit, and the end of what it wrote for the error message.

The telemetry engine in this process does not survive ``fork``. ``subprocess.Popen`` without ``preexec_fn``
and without a change of user starts children by ``vfork`` and ``exec`` on Linux (CPython's _posixsubprocess,
``start_new_session`` included): nothing but system calls happens in the child before ``exec``, and no fork
handler runs. asyncio's own functions are avoided since uvloop starts processes its own way.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Final

from eldonia_ops.model.concealed import without_secrets
from eldonia_ops.ports import ActuatorError

_TAIL_BYTES = 2_000
_TERMINATE_SECONDS = 2.0


_PASSED_ON: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"}
)
_PASSED_ON_KINDS: Final = ("LC_", "DOCKER_", "CONTAINER_", "DBUS_")


def base_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What programs that we start inherit: where things are and how people write, and how to reach docker and
    systemd.

    Not the rest: it holds tokens, addresses with passwords and keys of ours, which no program needs that only runs
    beside us. What one does need is named in its settings.
    """
    return {name: value for name, value in environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_KINDS)}


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended: its exit code (negative for a signal) and the end of its output, both streams."""

    code: int
    output: str


def spawn(
    argv: Sequence[str],
    *,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
    output: "IO[bytes] | int" = subprocess.DEVNULL,
) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, with no input and no other open file of ours. Without ``env`` it gets
    :func:`base_environment`.

    Raises:
        ActuatorError: it cannot be started; the message says why.
    """
    try:
        return subprocess.Popen(  # noqa: S603 - argv comes from the operator's configuration and no shell reads it
            list(argv),
            cwd=cwd,
            env=base_environment() if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            close_fds=True,
        )
    except FileNotFoundError as error:
        missing = cwd if cwd and error.filename == cwd else argv[0]
        raise ActuatorError(f"{missing} does not exist") from None
    except (OSError, ValueError) as error:
        raise ActuatorError(f"{argv[0]} cannot be started: {getattr(error, 'strerror', None) or error}") from None


async def wait(process: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """The exit code, or None when the process still runs after ``seconds``. Reaps it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = 0.005
    while (code := process.poll()) is None:
        left = deadline - loop.time()
        if left <= 0:
            return None
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, 0.1)
    return code


async def run(
    argv: Sequence[str],
    *,
    timeout_seconds: float,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program and wait for it; at the time limit, or when cancelled, its whole session is ended.

    Raises:
        ActuatorError: it cannot be started or does not end in time.
    """
    # A file and not a pipe: a daemon that the program leaves behind may keep a pipe open without end.
    with tempfile.TemporaryFile() as output:
        process = spawn(argv, cwd=cwd, env=env, output=output)
        try:
            code = await wait(process, timeout_seconds)
        except BaseException:
            signal_group(process.pid, signal.SIGKILL)
            process.poll()
            raise
        if code is None:
            signal_group(process.pid, signal.SIGTERM)
            if await wait(process, _TERMINATE_SECONDS) is None:
                signal_group(process.pid, signal.SIGKILL)
                await wait(process, _TERMINATE_SECONDS)
            raise ActuatorError(f"{argv[0]} did not end within {timeout_seconds:g} s{_said(tail(output))}")
        return Finished(code, tail(output))


async def succeed(
    argv: Sequence[str],
    *,
    timeout_seconds: float,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run a program that must exit with 0.

    Raises:
        ActuatorError: it cannot be started, does not end in time or fails.
    """
    finished = await run(argv, timeout_seconds=timeout_seconds, cwd=cwd, env=env)
    if finished.code:
        how = f"exited with {finished.code}" if finished.code > 0 else f"was ended by {signal_name(-finished.code)}"
        raise ActuatorError(f"{argv[0]} {how}{_said(finished.output)}")
    return finished


def tail(output: IO[bytes], begin: int = 0) -> str:
    """The last 2,000 bytes of a file, as text without secrets; nothing in front of the byte ``begin``.

    Programs repeat their arguments when they do not like them, and everybody who may read incidents reads this.
    """
    size = os.fstat(output.fileno()).st_size
    begin = max(begin, size - _TAIL_BYTES)
    return without_secrets(os.pread(output.fileno(), _TAIL_BYTES, begin).decode("utf-8", "replace").strip())


def signal_group(leader: int, number: int) -> bool:
    """Send a signal to the session that a child leads; False when no process is left in it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)
        return True
    return False


def signal_name(number: int) -> str:
    """``SIGKILL`` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _said(output: str) -> str:
    return f": {output}" if output else ""

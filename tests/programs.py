"""Processes of ours that tests start, wait for and kill."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest


def free_port() -> int:
    """A loopback port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """One process of ours; what it prints is kept and shown when a test fails."""

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        self.name = name
        self.output = folder / f"{name}.out"
        self._arguments = arguments
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if it ran before; its output is appended."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ELDONIA_")}
        with self.output.open("ab") as output:
            self._child = subprocess.Popen(
                [sys.executable, *self._arguments],
                cwd=self.output.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """``kill -9``."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._child is not None
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
        try:
            return self._child.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"{self.name} did not end within 20 s of SIGTERM:\n{self.said()}")

    def wait(self, seconds: float) -> int:
        """Its exit code, once it ends by itself."""
        assert self._child is not None
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.name} had not ended after {seconds:g} s:\n{self.said()}")

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._child is not None and self._child.poll() is None

    def said(self) -> str:
        """Everything that it printed so far."""
        return self.output.read_text(encoding="utf-8", errors="replace") if self.output.exists() else ""

    def end(self) -> None:
        """Make sure that nothing of it is left: it leads a process group of its own."""
        if self._child is None:
            return
        if self._child.poll() is None:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()


def eventually(look: Callable[[], Any], what: str, seconds: float, *programs: Program) -> Any:
    """The first true answer of ``look``; fails with what the programs printed when there is none in time.

    A look that makes a client of httpx makes it with ``verify=False``: otherwise each reads the certificates of all
    authorities, which takes more than the question.
    """
    deadline = time.monotonic() + seconds
    fault = ""
    while time.monotonic() < deadline:
        try:
            if found := look():
                return found
        except httpx.HTTPError as error:
            fault = f" (last: {error or type(error).__name__})"
        if dead := [program for program in programs if not program.running]:
            pytest.fail(f"waiting for {what}, but {dead[0].name} has ended:\n{dead[0].said()}")
        time.sleep(0.1)
    outputs = "\n".join(f"--- {program.name}\n{program.said()[-5000:]}" for program in programs)
    pytest.fail(f"not within {seconds:g} s: {what}{fault}\n{outputs}")

"""`eldonia-ops serve` as a process of its own, for tests of what is done to a platform from outside."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from local_server import free_port

_START_SECONDS = 180
"""It takes two seconds, and a minute on a machine that does ten other things."""


@dataclass(slots=True)
class Serving:
    """A platform that runs. Its settings and data lie in ``folder``."""

    folder: Path
    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def token(self) -> str:
        """The admin's."""
        return (self.data / "admin.token").read_text().strip()

    def client(self) -> httpx.Client:
        """A client with the admin's token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def serving(
    folder: Path,
    settings: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    port: int = 0,
    arguments: Sequence[str] = (),
) -> Iterator[Serving]:
    """A platform until the context is left, ready when it begins. ``arguments`` are further ones of ``serve``.

    Raises:
        RuntimeError: it did not become ready within three minutes; the message holds its log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    text = {"listen": f"127.0.0.1:{port}", "data": "data", "host": {"enabled": False}, **(settings or {})}
    file = folder / "eldonia-ops.yml"
    file.write_text(yaml.safe_dump(text))
    file.chmod(0o600)
    log = folder / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "eldonia_ops", "serve", "--config", str(file), *arguments],
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdout=output,
            stderr=output,
        )
    running = Serving(folder, f"http://127.0.0.1:{port}", process)
    try:
        until = time.monotonic() + _START_SECONDS
        while not _is_ready(running.url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"it did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def run_command(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run `eldonia-ops` in a folder, without a terminal; its exit code and what it printed. ``given`` is its input."""
    return subprocess.run(
        [sys.executable, "-m", "eldonia_ops", *arguments],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), **(environment or {})},
        capture_output=True,
        text=True,
        input=given,
        check=False,
    )

"""Daemons that ship logs, as Debian packages them: started in the foreground, and what the platform then has stored."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from serving import Serving


def stored(platform: Serving, source: str = "") -> list[dict[str, Any]]:
    """All records of the last days that came by a source, newest first."""
    with platform.client() as http:
        answer = http.get("/api/ops/v1/logs/export.ndjson", params={"since": "-20d"})
    assert answer.status_code == 200, answer.text
    found = [json.loads(line) for line in answer.text.splitlines()]
    return [one for one in found if source in ("", one["source"])]


def await_stored(platform: Serving, count: int, source: str = "", *, seconds: float = 60) -> list[dict[str, Any]]:
    """The records, once there are so many, or what is there when the time is over."""
    until = time.monotonic() + seconds
    while len(found := stored(platform, source)) < count and time.monotonic() < until:
        time.sleep(0.2)
    return found


@contextlib.contextmanager
def daemon(
    command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None
) -> "Iterator[subprocess.Popen[bytes]]":
    """A program in the foreground until the context is left. What it prints is added to ``log``."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=output, cwd=log.parent, env=environment
        )
    try:
        yield process
        assert process.poll() is None, f"it ended: {log.read_text()}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

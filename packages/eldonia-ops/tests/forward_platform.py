"""A platform whose forward listener is open, and what it has stored."""

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_server import free_port
from serving import Serving, serving


@dataclass(slots=True)
class ForwardPlatform:
    running: Serving
    port: int

    def stored(self, **query: str) -> list[dict[str, Any]]:
        """All records of the last days, newest first."""
        with self.running.client() as http:
            answer = http.get("/api/ops/v1/logs/export.ndjson", params={"since": "-20d", **query})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def await_stored(self, count: int, **query: str) -> list[dict[str, Any]]:
        """The records, once there are so many."""
        until = time.monotonic() + 20
        while len(found := self.stored(**query)) < count and time.monotonic() < until:
            time.sleep(0.1)
        assert len(found) == count, self.log()
        return found

    def log(self) -> str:
        return (self.running.folder / "serve.log").read_text()


@contextlib.contextmanager
def forward_platform(
    folder: Path, listener: dict[str, Any] | None = None, *, port: int = 0, main: int = 0
) -> Iterator[ForwardPlatform]:
    port = port or free_port()
    settings = {
        "rules": {"defaults": False},
        "listeners": {"forward": {"port": port, "anonymous": "ingest", **(listener or {})}},
    }
    with serving(folder, settings, port=main) as running:
        yield ForwardPlatform(running, port)


logging.getLogger("fluent").setLevel(logging.CRITICAL)

"""The two that are asked: each is reached over HTTP, as a client reaches it."""

import contextlib
import json
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.opensearch.documents import MAPPINGS, Document
from benchmarks.processes import free_port, python

INDEX = "compare"
FILTERED = "compare-errors"
"""An alias with a filter."""

_AT_ONCE = 5_000


class Side:
    """One server."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"Authorization": f"ApiKey {token}"} if token else {}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON that it answers; ``body`` is JSON, or bytes as they are."""
        data = body if isinstance(body, bytes | None) else json.dumps(body, ensure_ascii=False).encode()
        lines = path.partition("?")[0].rpartition("/")[2] in ("_bulk", "_msearch")
        headers = {**self._headers, "Content-Type": "application/x-ndjson" if lines else "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def fill(self, lines: Sequence[Document]) -> None:
        """A fresh index with the documents, and the alias."""
        self.ask("DELETE", f"/{INDEX}")
        settings = {"number_of_shards": 1, "number_of_replicas": 0}
        alias = {"filter": {"term": {"level.keyword": "error"}}}
        made = self.ask("PUT", f"/{INDEX}", {"settings": settings, "mappings": MAPPINGS, "aliases": {FILTERED: alias}})
        if "error" in made:
            sys.exit(f"{self.url} made no index: {made}")
        for start in range(0, len(lines), _AT_ONCE):
            parts: list[str] = []
            for place, line in enumerate(lines[start : start + _AT_ONCE], start):
                parts += (json.dumps({"index": {"_id": str(place)}}), json.dumps(line, ensure_ascii=False))
            answer = self.ask("POST", f"/{INDEX}/_bulk", ("\n".join(parts) + "\n").encode())
            if answer.get("errors", True):
                sys.exit(f"{self.url} refused documents: {str(answer)[:300]}")
        self.ask("POST", f"/{INDEX}/_refresh")


@contextlib.contextmanager
def ours() -> Iterator[Side]:
    """The platform as a process of its own, with an empty store."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        settings = folder / "eldonia-ops.yml"
        settings.write_text(
            f"listen: 127.0.0.1:{free_port()}\ndata: {folder / 'data'}\nhost: {{enabled: false}}\n"
            f"listeners: {{elasticsearch: {{port: {port}}}}}\nretention: {{logs: 3650d}}\n"
        )
        settings.chmod(0o600)
        arguments = ["-m", "eldonia_ops", "serve", "--config", str(settings)]
        with python(arguments, folder / "serve.log", port, seconds=300):
            yield Side(f"http://127.0.0.1:{port}", (folder / "data" / "admin.token").read_text().strip())

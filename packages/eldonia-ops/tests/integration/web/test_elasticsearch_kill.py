"""What was acknowledged by ``_bulk`` is there after kill -9, once; what was deleted does not come back."""

import json
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from local_server import free_port
from serving import serving

ROUNDS = 3


def lines(*some: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in some)


class Sender(threading.Thread):
    """Sends documents with and without ids until the platform is gone; ``stored`` are those that were acknowledged."""

    def __init__(self, url: str, token: str, number: int) -> None:
        super().__init__()
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"ApiKey {token}"}, trust_env=False, timeout=30
        )
        self.number = number
        self.stored: set[str] = set()
        self.named: dict[str, int] = {}
        self.unsure: set[str] = set()
        self.turn = 0

    def run(self) -> None:
        try:
            while True:
                self.send()
        except httpx.HTTPError:
            return

    def send(self) -> None:
        self.turn += 1
        now = datetime.now(UTC).isoformat()
        keys = [f"{self.number}-{self.turn}-{n}" for n in range(40)]
        plain = [part for key in keys for part in ({"create": {"_index": "k"}}, {"@timestamp": now, "key": key})]
        id = f"s{self.number}-{self.turn % 5}"
        named = [{"index": {"_index": "n", "_id": id}}, {"@timestamp": now, "turn": self.turn}]
        gone = f"s{self.number}-{(self.turn + 2) % 5}"
        delete = [{"delete": {"_index": "n", "_id": gone}}] if self.turn % 3 == 0 else []
        self.unsure |= {id, gone} if delete else {id}
        answer = self.http.post("/_bulk", content=lines(*plain, *named, *delete))
        assert answer.status_code == 200, answer.text
        assert all(next(iter(one.values()))["status"] in (200, 201, 404) for one in answer.json()["items"]), answer.text
        self.stored.update(keys)
        self.named[id] = self.turn
        self.unsure -= {id, gone}
        if delete:
            self.named.pop(gone, None)


def test_nothing_acknowledged_is_lost_or_there_twice(tmp_path: Path) -> None:
    port = free_port()
    settings = {"listeners": {"elasticsearch": {"port": port}}}
    url = f"http://127.0.0.1:{port}"
    stored: set[str] = set()
    named: dict[str, int] = {}
    unsure: set[str] = set()
    for turn in range(ROUNDS):
        with serving(tmp_path / "ops", settings) as running:
            check(url, running.token, stored, named, unsure)
            senders = [Sender(url, running.token, turn * 10 + n) for n in range(3)]
            for sender in senders:
                sender.start()
            time.sleep(1.5)
            running.kill()
            for sender in senders:
                sender.join()
                stored |= sender.stored
                named |= sender.named
                unsure |= sender.unsure
    with serving(tmp_path / "ops", settings) as running:
        check(url, running.token, stored, named, unsure)
    assert len(stored) > 500


def check(url: str, token: str, stored: set[str], named: dict[str, int], unsure: set[str]) -> None:
    with httpx.Client(base_url=url, auth=("x", token), trust_env=False, timeout=60) as http:
        found: list[str] = []
        after: list[Any] = []
        while stored:
            body = {"size": 5_000, "sort": [{"key": "asc"}], "query": {"exists": {"field": "key"}}}
            hits = http.post("/k/_search", json={**body, **({"search_after": after} if after else {})}).json()["hits"][
                "hits"
            ]
            if not hits:
                break
            found += [one["_source"]["key"] for one in hits]
            after = hits[-1]["sort"]
        assert len(found) == len(set(found))
        assert stored <= set(found)
        # Of a change that was interrupted one half does not stay alone: no document is there twice.
        hits = http.post("/n/_search?ignore_unavailable=true", json={"size": 1_000}).json()["hits"]["hits"]
        ids = [one["_id"] for one in hits]
        assert len(ids) == len(set(ids))
        for id, turn in named.items():
            if id not in unsure:
                assert http.get(f"/n/_doc/{id}").json()["_source"]["turn"] == turn

"""Kills a platform under load again and again, and counts: what was acknowledged is there, and there once.

    python scripts/kills.py [WAY ...] [--rounds 100] [--pause 0.3] [--folder FOLDER] [--seed 1]

WAY is how lines come in; without one all ways send at the same time to one platform, and each is counted apart:

    tail      files that are rotated, through a pipeline to the store
    buffered  the same, with a buffer of files before the store, as the file of the seed has it
    memory    the same, with a buffer in memory before another server, which knows chunks by their ids
    concat    files whose lines a filter puts together, with the time after which it waits no more
    source    chunks of Fluentd's forward protocol to a source of a pipeline; each is sent until it is acknowledged
    held      the same with that filter: what is acknowledged may be held back
    http      requests to a source of type http; each has an Idempotency-Key and is sent until it is answered
    forward   chunks to the listener of the platform
    bulk      documents with ids by Elasticsearch's _bulk
    events    requests as of http to the listener http_input
    syslog    messages over TCP. There are no receipts: lost ones are counted, and are no fault
    otlp      log records as OTLP
    loki      pushes as of Loki's clients

Prints a line of JSON for each way. Ends with 1 if a line is lost or there twice. SIGINT ends the kills, and counts.
"""

import argparse
import contextlib
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from kill_ways import WAYS, Load, Place, Receiver

_START_SECONDS: Final = 180.0
_SETTLE_SECONDS: Final = 300.0
_NAME: Final = re.compile(r"[a-z]+-[0-9]+-[0-9]+-[0-9]+")


class Platform:
    """A platform in a process of its own, that can be killed and started again."""

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.port = free_port()
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        text = {
            "listen": f"127.0.0.1:{self.port}", "data": "data", "host": {"enabled": False},
            "rules": {"defaults": False}, **settings,
        }  # fmt: skip
        self._file = folder / "eldonia-ops.yml"
        self._file.write_text(yaml.safe_dump(text))
        self._file.chmod(0o600)

    def token(self) -> str:
        """The administrator's."""
        return (self.folder / "data" / "admin.token").read_text().strip()

    def start(self) -> None:
        """Start, and wait until it is ready."""
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "eldonia_ops", "serve", "--config", str(self._file)],
                cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/-/ready", trust_env=False, timeout=5).status_code == 200:
                    return
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "serve.log").read_text()[-3_000:])
            time.sleep(0.05)

    def end(self, number: int) -> None:
        """Send it a signal, and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(60)

    def lines(self, way: str) -> Counter[str]:
        """How often each line of a way is stored."""
        found: Counter[str] = Counter()
        headers = {"Authorization": f"Bearer {self.token()}"}
        url = f"http://127.0.0.1:{self.port}/api/ops/v1/logs/export.ndjson"
        params = {"since": "-20d", "service": way}
        with (
            httpx.Client(trust_env=False, timeout=120, headers=headers) as http,
            http.stream("GET", url, params=params) as answer,
        ):
            answer.raise_for_status()
            for line in answer.iter_lines():
                found.update(_NAME.findall(json.loads(line)["message"]))
        return found


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Sent:
    """What a way sends, and what came of it elsewhere."""

    way: str
    load: Load
    receiver: Receiver


def prepared(ways: Sequence[str], folder: Path, pause: float) -> tuple[Platform, list[Sent]]:
    """The platform, and what each way sends."""
    ports = {way: free_port() for way in ways}
    receivers = {way: Receiver() for way in ways}
    conf = "".join(
        WAYS[way].conf({"way": way, "folder": folder, "port": ports[way], "receiver": receivers[way].port})
        for way in ways
    )
    listeners = {
        listener: {"port": ports[way], "anonymous": "none" if listener == "elasticsearch" else "ingest"}
        for way in ways
        if (listener := WAYS[way].listener)
    }
    settings: dict[str, Any] = {"listeners": listeners}
    if conf:
        (folder / "fluent.conf").write_text(conf)
        settings["pipeline"] = {"file": "fluent.conf"}
    platform = Platform(folder, settings)
    sent: list[Sent] = []
    for way in ways:
        (folder / way).mkdir()
        receivers[way].start()
        place = Place(way, folder, platform.port, ports[way], platform.token, pause)
        sent.append(Sent(way, Load(WAYS[way].load(place)), receivers[way]))
    return platform, sent


def found_of(platform: Platform, one: Sent) -> Counter[str]:
    """How often each line of a way has come to its end."""
    return Counter(one.receiver.found) if WAYS[one.way].elsewhere else platform.lines(one.way)


def counted(ways: Sequence[str], rounds: int, folder: Path, seed: int, pause: float) -> list[dict[str, Any]]:
    """What came of so many kills, for each way."""
    chance = random.Random(seed)
    enough = threading.Event()
    signal.signal(signal.SIGINT, lambda _number, _frame: enough.set())
    platform, sent = prepared(ways, folder, pause)
    began = time.monotonic()
    try:
        platform.start()
        for one in sent:
            one.load.start()
        for one in sent:
            while not found_of(platform, one):
                time.sleep(0.5)
            one.load.followed.set()
        done = 0
        for number in range(rounds):
            if enough.is_set():
                break
            if number:
                platform.start()
            time.sleep(chance.uniform(0.2, 2.0))
            platform.end(signal.SIGKILL)
            done += 1
            print(f"kill {number + 1} after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        platform.start()
        time.sleep(1.0)
        for one in sent:
            one.load.stopped.set()
        names = {one.way: one.load.stop() for one in sent}
        until = time.monotonic() + _SETTLE_SECONDS
        for one in sent:
            while found_of(platform, one).total() < len(names[one.way]) and time.monotonic() < until:
                if WAYS[one.way].may_lose:
                    break
                time.sleep(1.0)
        time.sleep(5.0)  # for what may come too often
        return [result(one, done, names[one.way], found_of(platform, one), time.monotonic() - began) for one in sent]
    finally:
        for one in sent:
            one.load.stopped.set()
        platform.end(signal.SIGTERM)


def result(one: Sent, rounds: int, names: list[str], found: Counter[str], seconds: float) -> dict[str, Any]:
    """What is lost, and what is there twice."""
    wanted = Counter(names)
    lost, twice = wanted - found, found - wanted
    return {
        "way": one.way,
        "kills": rounds,
        "acknowledged": len(names),
        "sent_again": one.load.again,
        "lost": lost.total(),
        "twice": twice.total(),
        "seconds": round(seconds, 1),
        "examples": [*list(lost)[:3], *list(twice)[:3]],
    }


def main() -> int:
    """Run some ways, or all."""
    parser = argparse.ArgumentParser(description="kill -9 under load, counted")
    parser.add_argument("ways", nargs="*", metavar="WAY", help=f"of {', '.join(WAYS)}; none: all")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that each sender rests after a turn")
    parser.add_argument("--folder", type=Path, help="keeps what is written; must not exist")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if unknown := set(arguments.ways) - set(WAYS):
        parser.error(f"there is no way {', '.join(sorted(unknown))}: {', '.join(WAYS)}")
    ways = list(dict.fromkeys(arguments.ways)) or list(WAYS)
    with tempfile.TemporaryDirectory() as made:
        folder = (arguments.folder or Path(made)).resolve()
        folder.mkdir(parents=True, exist_ok=arguments.folder is None)
        results = counted(ways, arguments.rounds, folder, arguments.seed, arguments.pause)
    for one in results:
        print(json.dumps(one), flush=True)
    return 1 if any(one["twice"] or (one["lost"] and not WAYS[one["way"]].may_lose) for one in results) else 0


if __name__ == "__main__":
    sys.exit(main())

"""Kills a platform under load again and again, and counts: what was acknowledged is there, and there once.

    python scripts/kills.py WAY [--rounds 100] [--folder FOLDER] [--seed 1]

WAY is how lines come in:

    tail      files that are rotated, through a pipeline to the store
    buffered  the same, with a buffer of files before the store, as the file of the seed has it
    source    chunks of Fluentd's forward protocol to a source of a pipeline; each is sent until it is acknowledged
    forward   the same to the listener of the platform
    bulk      documents with ids by Elasticsearch's _bulk; each request is sent until it is answered

Prints one line of JSON. Ends with 1 if a line is lost or there twice.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from eldonia_ops.protocols.fluent_forward import Compression, encode_event, encode_packed

SENDERS: Final = 3
EVENTS: Final = 200
_START_SECONDS: Final = 90.0
_SETTLE_SECONDS: Final = 300.0
_MOST_RECORDS: Final = 1_000_000
_CONF: Final = """
<source>
  @type tail
  path {folder}/logs/*.log
  pos_file {folder}/app.pos
  tag app.*
  read_from_head true
  <parse>
    @type json
  </parse>
</source>
<source>
  @type forward
  bind 127.0.0.1
  port {port}
</source>
<filter **>
  @type record_transformer
  <record>
    via ${{tag}}
  </record>
</filter>
<match **>
  @type eldonia
  {buffer}
</match>
"""
_BUFFER: Final = """<buffer>
    @type file
    path {folder}/buffer
    flush_interval 1s
    chunk_limit_size 1m
  </buffer>"""


class Load:
    """Sends lines by some threads until it is stopped. ``names`` are the messages that have to be there."""

    def __init__(self, work: Callable[["Load", int], None], threads: int) -> None:
        self.stopped = threading.Event()
        self.followed = threading.Event()
        self.names: list[list[str]] = [[] for _ in range(threads)]
        self.again = 0
        self._threads = [threading.Thread(target=work, args=(self, number), daemon=True) for number in range(threads)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> list[str]:
        """End, and wait until all that was begun is acknowledged. The messages."""
        self.stopped.set()
        for thread in self._threads:
            thread.join(120)
            if thread.is_alive():
                raise RuntimeError("a sender does not come to its end")
        return [name for some in self.names for name in some]


def write_files(folder: Path) -> Callable[[Load, int], None]:
    """Appends to a file at some thousand lines a second. One is rotated by its name, the other copied and cut."""

    def work(load: Load, number: int) -> None:
        chance = random.Random(number)
        path = folder / "logs" / f"app{number}.log"
        path.parent.mkdir(exist_ok=True)
        turn = 0
        while not load.stopped.is_set():
            names = [f"{number}-{turn}-{event}" for event in range(chance.randrange(1, 60))]
            with path.open("ab", buffering=0) as file:
                # A writer that is cut off in the middle of a line goes on with it.
                data = "".join(map(_line, names)).encode()
                cut = chance.randrange(len(data))
                file.write(data[:cut])
                file.write(data[cut:])
            load.names[number] += names
            turn += 1
            # What is rotated away before anybody followed the file is left alone, as it should be.
            if path.stat().st_size > 400_000 and load.followed.is_set():
                _rotate(path, copied=number % 2 == 1)
            time.sleep(0.02)

    return work


def _line(name: str) -> str:
    document = {"time": time.time_ns() / 1e9, "level": "info", "service": "kill", "message": name, "padding": "x" * 60}
    return json.dumps(document) + "\n"


def _rotate(path: Path, *, copied: bool) -> None:
    for number in range(len(list(path.parent.glob(f"{path.name}.*"))), 0, -1):
        os.rename(f"{path}.{number}", f"{path}.{number + 1}")
    if copied:
        shutil.copy(path, f"{path}.1")
        os.truncate(path, 0)
    else:
        os.rename(path, f"{path}.1")


def send_chunks(port: int) -> Callable[[Load, int], None]:
    """Sends chunks one behind another, each until it is acknowledged."""

    def work(load: Load, number: int) -> None:
        connection: socket.socket | None = None
        turn = 0
        while not load.stopped.is_set():
            names = [f"{number}-{turn}-{event}" for event in range(EVENTS)]
            chunk = uuid.uuid4().hex
            now = time.time_ns()
            body = b"".join(
                encode_event(now + at, {"level": "info", "message": name, "service": "kill"})
                for at, name in enumerate(names)
            )
            compression = Compression.GZIP if turn % 2 else Compression.NONE
            message = encode_packed("kill.packed", body, count=EVENTS, chunk=chunk, compression=compression)
            while True:
                try:
                    if connection is None:
                        connection = socket.create_connection(("127.0.0.1", port), 2)
                        connection.settimeout(20)
                    connection.sendall(message)
                    received = b""
                    while not received.endswith(chunk.encode()):
                        data = connection.recv(1_000)
                        if not data:
                            raise ConnectionError
                        received += data
                    break
                except OSError:
                    load.again += 1
                    if connection is not None:
                        connection.close()
                        connection = None
                    time.sleep(0.05)
            load.names[number] += names
            turn += 1

    return work


def send_bulk(port: int, token: Callable[[], str]) -> Callable[[Load, int], None]:
    """Creates documents, each request until it is answered; one that is there already was created before."""

    def work(load: Load, number: int) -> None:
        http = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=20)
        turn = 0
        while not load.stopped.is_set():
            names = [f"{number}-{turn}-{event}" for event in range(EVENTS)]
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            parts = [
                part
                for name in names
                for part in (
                    {"create": {"_index": "kill", "_id": name}},
                    {"@timestamp": at, "message": name, "service": "kill"},
                )
            ]
            body = b"".join(json.dumps(part).encode() + b"\n" for part in parts)
            headers = {"Content-Type": "application/x-ndjson"}
            while True:
                with contextlib.suppress(httpx.HTTPError, OSError):
                    headers["Authorization"] = f"Bearer {token()}"
                    answer = http.post("/_bulk", content=body, headers=headers)
                    if answer.status_code == 200:
                        outcomes = {one["create"]["status"] for one in answer.json()["items"]}
                        if outcomes <= {201, 409}:
                            break
                load.again += 1
                time.sleep(0.05)
            load.names[number] += names
            turn += 1

    return work


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
                cwd=self.folder, stdout=log, stderr=log,
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

    def messages(self, *, many: bool = False) -> Counter[str]:
        """How often each message is stored.

        A download has at most a million records. Of ``many`` there is one for each last digit of the turn: the second
        of the three numbers of a message.
        """
        found: Counter[str] = Counter()
        headers = {"Authorization": f"Bearer {self.token()}"}
        url = f"http://127.0.0.1:{self.port}/api/ops/v1/logs/export.ndjson"
        queries = [f"message:/^[0-9]+-[0-9]*{digit}-/" for digit in range(10)] if many else [""]
        with httpx.Client(trust_env=False, timeout=120, headers=headers) as http:
            for query in queries:
                params = {"since": "-20d", "service": "kill", "query": query}
                before = found.total()
                with http.stream("GET", url, params=params) as answer:
                    answer.raise_for_status()
                    found.update(json.loads(line)["message"] for line in answer.iter_lines() if line)
                if found.total() - before >= _MOST_RECORDS:
                    raise SystemExit("too many records for one download: fewer rounds")
        return found


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def prepared(way: str, folder: Path) -> tuple[Platform, Load]:
    """The platform and the load of a way."""
    port = free_port()
    if way in ("tail", "buffered", "source"):
        (folder / "logs").mkdir()
        buffer = _BUFFER.format(folder=folder) if way == "buffered" else ""
        (folder / "fluent.conf").write_text(_CONF.format(folder=folder, port=port, buffer=buffer))
        platform = Platform(folder, {"pipeline": {"file": "fluent.conf"}})
        return platform, Load(send_chunks(port), SENDERS) if way == "source" else Load(write_files(folder), 2)
    if way == "forward":
        platform = Platform(folder, {"listeners": {"forward": {"port": port, "anonymous": "ingest"}}})
        return platform, Load(send_chunks(port), SENDERS)
    platform = Platform(folder, {"listeners": {"elasticsearch": {"port": port}}})
    return platform, Load(send_bulk(port, platform.token), SENDERS)


def counted(way: str, rounds: int, folder: Path, seed: int) -> dict[str, Any]:
    """What came of so many kills."""
    chance = random.Random(seed)
    platform, load = prepared(way, folder)
    began = time.monotonic()
    try:
        platform.start()
        load.start()
        while not platform.messages():
            time.sleep(0.5)
        load.followed.set()
        for number in range(rounds):
            if number:
                platform.start()
            time.sleep(chance.uniform(0.2, 2.0))
            platform.end(signal.SIGKILL)
        platform.start()
        time.sleep(1.0)
        names = load.stop()
        wanted = Counter(names)
        many = len(names) > _MOST_RECORDS // 2
        until = time.monotonic() + _SETTLE_SECONDS
        while (found := platform.messages(many=many)).total() < len(names) and time.monotonic() < until:
            time.sleep(1.0)
        time.sleep(3.0)  # for what may come too often
        found = platform.messages(many=many)
    finally:
        load.stopped.set()
        platform.end(signal.SIGTERM)
    lost = wanted - found
    twice = found - wanted
    return {
        "way": way,
        "kills": rounds,
        "acknowledged": len(names),
        "sent_again": load.again,
        "lost": lost.total(),
        "twice": twice.total(),
        "seconds": round(time.monotonic() - began, 1),
        "examples": [*list(lost)[:3], *list(twice)[:3]],
    }


def main() -> int:
    """Run one way."""
    parser = argparse.ArgumentParser(description="kill -9 under load, counted")
    parser.add_argument("way", choices=("tail", "buffered", "source", "forward", "bulk"))
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="keeps what is written; must not exist")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=arguments.folder is None)
        result = counted(arguments.way, arguments.rounds, folder, arguments.seed)
    print(json.dumps(result), flush=True)
    return 1 if result["lost"] or result["twice"] else 0


if __name__ == "__main__":
    sys.exit(main())

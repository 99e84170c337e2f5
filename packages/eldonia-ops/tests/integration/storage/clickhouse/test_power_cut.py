"""A power cut at any moment loses nothing acknowledged and doubles nothing.

A power cut is played by a copy of the folder at one instant: the writer is stopped, the folder copied, the writer goes
on. Every other round, and in a long run every round, the writer is killed as well and starts again over what it left.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

CHILD = Path(__file__).with_name("crash_child.py")
ROUNDS = int(os.environ.get("ELDONIA_POWER_CUTS", "6"))
KINDS = {"log": "logs", "span": "spans", "row": "rows", "single": "singles", "histogram": "histograms"}


class Writer:
    """A process that writes and says what was acknowledged; a thread listens."""

    def __init__(self, folder: Path, acknowledged: dict[str, set[Any]]) -> None:
        self.process = subprocess.Popen([sys.executable, str(CHILD), str(folder), "write"], stdout=subprocess.PIPE)
        self.began = threading.Event()
        self._acknowledged = acknowledged
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)
        self._thread.join(60)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        heard: set[str] = set()
        for line in self.process.stdout:
            try:
                kind, what = json.loads(line)
            except ValueError:
                continue  # torn by the kill
            if kind in KINDS:
                self._acknowledged[KINDS[kind]].update(what if kind == "log" else [what])
                heard.add(kind)
                if len(heard) == len(KINDS):
                    self.began.set()


def stored(folder: Path) -> dict[str, list[Any]]:
    """What a start finds in a folder."""
    done = subprocess.run(
        [sys.executable, str(CHILD), str(folder), "read"], stdout=subprocess.PIPE, timeout=120, check=True
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


def check(folder: Path, acknowledged: dict[str, set[Any]], round: str) -> None:
    found = stored(folder)
    assert found["detached"] == [], round
    for kind, expected in acknowledged.items():
        counts = Counter(found[kind])
        assert expected <= counts.keys(), f"{round}: {len(expected - counts.keys())} {kind} lost"
        assert [what for what, count in counts.items() if count > 1] == [], f"{round}: {kind} doubled"


def test_a_power_cut_loses_nothing_acknowledged_and_doubles_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(2**32)
    print(f"seed of the moments: {seed}")
    chance = random.Random(seed)
    acknowledged: dict[str, set[Any]] = {kind: set() for kind in KINDS.values()}
    folder = tmp_path / "live"
    writer = Writer(folder, acknowledged)
    try:
        for round in range(ROUNDS):
            assert writer.began.wait(120)
            time.sleep(chance.uniform(0.0, 1.0))
            before = {kind: set(some.copy()) for kind, some in acknowledged.items()}
            writer.process.send_signal(signal.SIGSTOP)
            shutil.copytree(folder, tmp_path / "copy", symlinks=True)
            # The writer is still stopped: otherwise it would take both cores from the process that reads the copy.
            check(tmp_path / "copy", before, f"round {round}")
            shutil.rmtree(tmp_path / "copy")
            if round % 2 or ROUNDS > 20:
                writer.kill()
                # All that was said before the end counts.
                before = {kind: set(some) for kind, some in acknowledged.items()}
                if len(acknowledged["logs"]) > 100_000:  # a fresh folder now and then keeps the rounds short
                    check(folder, before, f"after kill {round}")
                    shutil.rmtree(folder)
                    acknowledged = {kind: set() for kind in KINDS.values()}
                writer = Writer(folder, acknowledged)
            else:
                writer.process.send_signal(signal.SIGCONT)
            if ROUNDS > 20 and not round % 10:
                with capsys.disabled():
                    print(round, {kind: len(some) for kind, some in before.items()}, flush=True)
    finally:
        writer.kill()
    check(folder, acknowledged, "at the end")

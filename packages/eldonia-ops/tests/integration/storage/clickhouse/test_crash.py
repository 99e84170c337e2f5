"""What was acknowledged is there after kill -9."""

import json
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

CHILD = Path(__file__).with_name("crash_child.py")
# What is acknowledged in each round before its kill is due, so that on a slow machine, too, something of all is there.
ROUNDS = ("row", "log", "histogram", "single", "span", "row", "histogram")


def start(directory: Path, mode: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(CHILD), str(directory), mode], stdout=subprocess.PIPE)


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    acknowledged: dict[str, set[object]] = {kind: set() for kind in ("logs", "spans", "rows", "singles", "histograms")}
    randomness = random.Random()
    for round, awaited in enumerate((*ROUNDS, "")):
        last = not awaited
        child = start(tmp_path, "read" if last else "write")
        assert child.stdout is not None
        killer = threading.Timer(120, child.kill)
        killer.start()
        armed = False
        for line in child.stdout:
            try:
                kind, what = json.loads(line)
            except ValueError:
                assert not line.endswith(b"\n"), line  # only the last line can be torn
                continue
            if kind in acknowledged:
                assert acknowledged[kind] <= set(what), f"round {round}: {kind} lost"
                assert len(what) == len(set(what)), f"round {round}: {kind} repeated"
            elif kind == "detached":
                assert what == []
            elif kind == "log":
                acknowledged["logs"].update(what)
            else:
                acknowledged[kind + "s"].add(what)
            if not armed and kind == awaited:
                armed = True
                killer.cancel()
                killer = threading.Timer(randomness.uniform(0.05, 0.6), child.send_signal, [signal.SIGKILL])
                killer.start()
        killer.cancel()
        assert child.wait(60) == (0 if last else -signal.SIGKILL)
    # Nothing at all would prove nothing.
    assert all(acknowledged.values()), {k: len(v) for k, v in acknowledged.items()}


def test_a_broken_part_is_put_aside_and_reported(tmp_path: Path) -> None:
    with start(tmp_path, "write") as child:
        assert child.stdout is not None
        awaited = {"log", "span"}
        for line in child.stdout:
            awaited.discard(json.loads(line)[0])
            if not awaited:
                break
        child.kill()
    # A start that ends well: what was only in the write-ahead log is in parts.
    assert start(tmp_path, "read").communicate()[0]
    parts = tmp_path.glob("data/store/*/*/*_*_*_*/data.packed")
    next(part for part in parts if b"parse_error" in part.read_bytes()).unlink()
    with start(tmp_path, "read") as child:
        assert child.stdout is not None
        notified = dict(json.loads(line) for line in child.stdout)
    assert child.returncode == 0
    assert [part["table"] for part in notified["detached"]] == ["logs"]
    assert notified["spans"]

"""A tail that is killed at random moments: every line is stored, and none twice."""

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

CHILD = """
import asyncio, sqlite3, sys
from eldonia_ops.collectors.tail.discovery import FileTail
from eldonia_ops.collectors.tail.batches import TailOptions
from eldonia_ops.collectors.tail.join import JoinBounds

database, pattern = sys.argv[1:]
db = sqlite3.connect(database, isolation_level=None)

class Store:
    async def load_position(self, path):
        return db.execute("SELECT identity, at FROM position WHERE path = ?", (path,)).fetchone()

    async def save_position(self, path, identity, offset):
        db.execute("INSERT OR REPLACE INTO position VALUES (?, ?, ?)", (path, identity, offset))

    async def source_position(self, source):
        return db.execute("SELECT max(at) FROM line WHERE source = ?", (source,)).fetchone()[0]

    async def sink(self, batch):
        known = await self.source_position(batch.source) or 0
        await asyncio.sleep(0.002)
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO line VALUES (?, ?, ?)",
                       [(batch.source, line.offset, line.data.decode()) for line in batch.lines if line.offset > known])
        db.execute("COMMIT")
        await asyncio.sleep(0.002)

store = Store()
options = TailOptions(poll_seconds=0.005, discover_seconds=0.02, batch_lines=40, rotation_grace_seconds=0.1,
                      join=JoinBounds(seconds=0.05))
asyncio.run(FileTail([pattern], store.sink, store, options).run())
"""


PLAIN = ("line {} {}",)
PARTS = (
    "2026-11-29T00:00:02.5Z stdout P line {} {}",
    "2026-11-29T00:00:02.5Z stdout F line {} {}",
    "2026-11-29T00:00:02.5Z stderr P line {} {}",
    "2026-11-29T00:00:02.5Z stderr F line {} {}",
    "2026-11-29T00:00:02,5 ERROR line {} {}",
    "\tat line {} {}",
)


@pytest.mark.parametrize(
    ("way", "forms"),
    [("rename", PLAIN), ("copy and truncate", PLAIN), ("rename", PARTS)],
    ids=["rename", "copy and truncate", "lines that belong together"],
)
def test_kill_9_loses_nothing_and_doubles_nothing(tmp_path, way, forms):
    random.seed(7)
    database, path = tmp_path / "store.db", tmp_path / "app.log"
    db = sqlite3.connect(database, isolation_level=None)
    db.executescript(
        "PRAGMA journal_mode = WAL; CREATE TABLE line (source TEXT, at INTEGER, text TEXT);"
        "CREATE TABLE position (path TEXT PRIMARY KEY, identity TEXT, at INTEGER);"
    )

    def start():
        return subprocess.Popen([sys.executable, "-c", CHILD, str(database), str(path)], start_new_session=True)

    def rotate():
        for number in range(60, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                os.rename(f"{path}.{number}", f"{path}.{number + 1}")
        if way == "rename":
            os.rename(path, f"{path}.1")
        else:
            shutil.copy(path, f"{path}.1")
            os.truncate(path, 0)

    def stored():
        """How many lines: those that were joined are separated by line ends."""
        found = db.execute("SELECT count(*) + sum(length(text) - length(replace(text, char(10), ''))) FROM line")
        return found.fetchone()[0] or 0

    path.write_bytes(b"line 0 x\n")
    written = 1
    child = start()
    kills = 0
    try:
        # What is rotated away before anybody followed the file is left alone, as it should be.
        give_up = time.monotonic() + 60
        while not stored() and time.monotonic() < give_up:
            time.sleep(0.01)
        next_kill = time.monotonic() + random.uniform(0.3, 0.6)
        while kills < 8 or written < 5_000:
            with path.open("ab", buffering=0) as out:
                for _ in range(random.randrange(1, 60)):
                    form = forms[random.randrange(len(forms))]
                    out.write((form.format(written, "x" * random.randrange(40)) + "\n").encode())
                    written += 1
            if path.stat().st_size > 20_000:
                rotate()
            if time.monotonic() > next_kill:
                child.kill()
                assert child.wait() == -signal.SIGKILL
                kills += 1
                child = start()
                next_kill = time.monotonic() + random.uniform(0.25, 0.7)
            time.sleep(0.01)
        with path.open("ab", buffering=0) as out:  # the last act may have been to rename the file away
            out.write(f"line {written} x\n".encode())
            written += 1
        give_up = time.monotonic() + 60
        while stored() < written and time.monotonic() < give_up:
            time.sleep(0.05)
        time.sleep(0.3)  # for what may come too often
    finally:
        child.kill()
        child.wait()
    texts = [text for (text,) in db.execute("SELECT text FROM line ORDER BY rowid")]
    numbers = [int(part.partition("line ")[2].split()[0]) for text in texts for part in text.split("\n")]
    db.close()
    assert sorted(numbers) == list(range(written))
    if forms is PLAIN:
        assert numbers == sorted(numbers), "the order within the path is kept"
    else:
        assert len(texts) < written * 0.9, "lines were joined"

"""Questions to a million log records, as the page and the command line ask them, and what a record takes on the disk.

The lines are those of a generator that the environment variable ``ELDONIA_LOG_GENERATOR`` names: a Python program that
takes ``--lines``, ``--seed``, ``--start`` and ``--out``, writes JSON lines of six hours, and beside them the right
answers as ``.meta.json``. So other stores can be asked about the same lines. Without it nothing is measured.
``ELDONIA_LOG_MILLIONS=20`` asks about twenty million, of five days, each million with a seed of its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.harness import AsyncContender, Row, Table, alternate_async, durations
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery, LogStore, TelemetryStore
from eldonia_ops.search import parse_search
from eldonia_ops.search.pipes.parser import parse_pipeline
from eldonia_ops.services.logs.pipelines import run_pipeline, width_of
from eldonia_ops.storage.clickhouse import open_telemetry_store

_GENERATOR = "ELDONIA_LOG_GENERATOR"
_MILLIONS = "ELDONIA_LOG_MILLIONS"
_FIRST_SEED = 42
_SPAN_SECONDS = 6 * 3_600
_BATCH = 5_000
_SETTLE_SECONDS = 20.0


def run(quick: bool) -> list[Table]:
    """Milliseconds a question."""
    generator = os.environ.get(_GENERATOR, "")
    if not generator:
        return [Table("Log queries", [], notes=[f"{_GENERATOR} names no generator of lines: nothing was measured"])]
    with tempfile.TemporaryDirectory() as name:
        files = 1 if quick else int(os.environ.get(_MILLIONS, "1"))
        lines = _Lines(Path(name), generator, 20_000 if quick else 1_000_000, files)
        return asyncio.run(_measure(Path(name), lines, 3 if quick else 11, settle=not quick))


class _Lines:
    """Files of lines, one behind another in time; the next is written while one is read."""

    def __init__(self, folder: Path, generator: str, lines: int, files: int) -> None:
        self._folder = folder
        self._generator = generator
        self._lines = lines
        self.files = files
        self.start = int(time.time()) - (files + 1) * _SPAN_SECONDS
        self.answers: dict[str, Any] = {}

    def batches(self) -> Iterator[list[LogRecord]]:
        """All records. Words and ids that one record holds are those of the first file."""
        waiting = [self._begun(0)]
        for number in range(self.files):
            if number + 1 < self.files:
                waiting.append(self._begun(number + 1))
            if waiting.pop(0).wait():
                raise RuntimeError("the generator failed")
            path = self._folder / f"lines-{number}"
            answers = json.loads(Path(f"{path}.meta.json").read_text())
            self.answers = _added(self.answers, answers)
            records = _records(path, "qzneedle" if number == 0 else f"qz{number}needle")
            while batch := list(islice(records, _BATCH)):
                yield batch
            path.unlink()

    def _begun(self, number: int) -> subprocess.Popen[bytes]:
        when = datetime.fromtimestamp(self.start + number * _SPAN_SECONDS, UTC).isoformat()
        command = [sys.executable, self._generator, "--lines", str(self._lines), "--seed", str(_FIRST_SEED + number)]
        command += ["--start", when, "--out", str(self._folder / f"lines-{number}")]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The answers for the lines of both."""
    found = {**one, **other}
    for key in one.keys() & other.keys():
        if isinstance(one[key], dict):
            found[key] = dict(Counter(one[key]) + Counter(other[key]))
        elif isinstance(one[key], int):
            found[key] = one[key] + other[key]
    return found


async def _measure(folder: Path, lines: _Lines, rounds: int, *, settle: bool) -> list[Table]:
    store = await open_telemetry_store(folder / "telemetry")
    try:
        needle = request = ""
        for batch in lines.batches():
            if not needle:
                needle = next((one.request_id for one in batch if "qzneedle03" in one.message), "")
            request = request or batch[0].request_id
            await store.insert_logs(batch)
        answers, start = lines.answers, lines.start
        everything = LogQuery(start * 10**9, (start + lines.files * _SPAN_SECONDS + 60) * 10**9)
        assert (await store.log_histogram(everything, 1)).total == answers["lines"]
        if settle:
            await _settled(store)
        asks = _asks(store, everything, answers, needle, request)
        found = await alternate_async([AsyncContender(name, ask) for name, ask in asks.items()], rounds=rounds)
        stored = (await store.statistics())["logs"]
    finally:
        await store.close()
    hours = lines.files * _SPAN_SECONDS // 3_600
    table = durations("Log queries", found, "ms", notes=[f"over {answers['lines']:,} records of {hours} hours"])
    table.rows = [Row(row.name, row.spread, row.unit) for row in table.rows]
    table.notes.append(f"{stored['bytes'] / stored['rows']:.1f} bytes a record on disk, in {stored['parts']} parts")
    return [table]


async def _settled(store: TelemetryStore) -> None:
    """Until merges have left the parts alone for a while."""
    parts, since = -1, time.monotonic()
    while time.monotonic() - since < _SETTLE_SECONDS:
        await asyncio.sleep(2)
        now = (await store.statistics())["logs"]["parts"]
        if now != parts:
            parts, since = now, time.monotonic()


def _asks(
    store: LogStore, everything: LogQuery, answers: dict[str, Any], needle: str, request: str
) -> dict[str, Callable[[], Awaitable[None]]]:
    """The questions by their names; each checks its answer."""

    async def newest(text: str, count: int, **more: Any) -> None:
        query = replace(everything, search=parse_search(text), limit=count, **more)
        assert len((await store.search_logs(query)).records) == count, text

    async def total(text: str, expected: int) -> None:
        rows = await piped(f"{text} | stats count()")
        assert rows[0]["count"] == expected, (text, rows, expected)

    async def piped(text: str) -> list[dict[str, Any]]:
        pipeline = parse_pipeline(text)
        found = await run_pipeline(store, everything, pipeline, width_of(everything, UTC))
        return [dict(item.values) for item in found.items]

    async def rows(text: str, least: int) -> None:
        assert len(await piped(text)) >= least, text

    async def by_service(text: str) -> None:
        found = {row["service"]: row["count"] for row in await piped(text)}
        assert found == answers["services"]

    phrase, japanese = answers["phrase_connection_reset_by_peer"], answers["phrase_ja_timeout"]
    busiest = max(answers["errors_by_service"], key=lambda name: answers["errors_by_service"][name])
    # Of five days every minute would be more points than one answer has.
    step, each = (1, "a minute") if answers["lines"] <= 1_000_000 else (10, "every ten minutes")
    steps = (everything.until_ns - everything.since_ns) // (step * 60 * 10**9) - 1
    few = min(50, answers["errors_by_service"][busiest])
    return {
        "needle, one word": lambda: newest("qzneedle03", 1),
        "one request id": lambda: newest(f"request_id:{needle}", 1),
        "an attribute's value": lambda: rows("path:/healthz status:200 | head 50", 1),
        "last 50, one service, level error": lambda: newest(f"service:{busiest} level:error", few),
        "count": lambda: total("*", answers["lines"]),
        "count by service": lambda: by_service("* | stats count() by service"),
        f"count {each}": lambda: rows(f"* | timechart {step}m", steps),
        f"count {each} by level": lambda: rows(f"* | timechart {step}m count() by level", steps),
        "phrase, count": lambda: total('"connection reset by peer"', phrase),
        "phrase, last 50": lambda: newest('"connection reset by peer"', min(50, phrase)),
        "Japanese phrase, count": lambda: total("接続がタイムアウトしました", japanese),
        "Japanese substring, count": lambda: total("タイムアウト", japanese),
        "p99 by service": lambda: rows("* | stats p99(latency_ms) by service", 1),
        "top 10 users": lambda: rows("* | top 10 user_id", 10),
        "top 10 paths": lambda: rows("* | top 10 path", 10),
        "count by status": lambda: rows("* | stats count() by status", 1),
        "regular expression, count": lambda: rows("/qzneedle0[1-5]/ | stats count()", 1),
        "extract and count": lambda: rows("connection | extract /(?<who>[a-z]+) by peer/ | top 5 who", 1),
        "newest of each service": lambda: rows("* | dedup service", 1),
        "slowest 10": lambda: rows("* | sort -latency_ms | head 10", 10),
    }


def _records(path: Path, needle: str) -> Iterator[LogRecord]:
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            at = datetime.fromisoformat(row["ts"])
            yield LogRecord(
                timestamp_ns=round(at.timestamp() * 1_000_000) * 1_000,
                message=row["message"].replace("qzneedle", needle),
                level=fold_level(row["level"]) or LogLevel.INFO,
                service=row["service"],
                hostname=row["host"],
                user_id=row["user_id"],
                request_id=row["request_id"],
                metadata={name: row[name] for name in ("method", "path", "status", "latency_ms")},
            )

"""Questions to a million log records, as the page and the command line ask them.

The lines are those of a generator that the environment variable ``ELDONIA_LOG_GENERATOR`` names: a Python program that
takes ``--lines``, ``--start`` and ``--out``, writes JSON lines, and beside them the right answers as ``.meta.json``. So
other stores can be asked about the same lines. Without it nothing is measured.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.harness import AsyncContender, Row, Table, alternate_async, durations
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search import parse_search
from eldonia_ops.search.pipe_parser import parse_pipeline
from eldonia_ops.services.log_pipelines import run_pipeline, width_of
from eldonia_ops.storage.clickhouse import open_telemetry_store

_GENERATOR = "ELDONIA_LOG_GENERATOR"
_SPAN_SECONDS = 6 * 3_600
_BATCH = 5_000
_SETTLE_SECONDS = 20.0


def run(quick: bool) -> list[Table]:
    """Milliseconds a question."""
    generator = os.environ.get(_GENERATOR, "")
    if not generator:
        return [Table("Log queries", [], notes=[f"{_GENERATOR} names no generator of lines: nothing was measured"])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = int(time.time()) - 2 * _SPAN_SECONDS
        lines = 20_000 if quick else 1_000_000
        when = datetime.fromtimestamp(start, UTC).isoformat()
        command = [sys.executable, generator, "--lines", str(lines), "--start", when, "--out", str(folder / "lines")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        answers = json.loads((folder / "lines.meta.json").read_text())
        return asyncio.run(_measure(folder, start, answers, 3 if quick else 11, settle=not quick))


async def _measure(folder: Path, start: int, answers: dict[str, Any], rounds: int, *, settle: bool) -> list[Table]:
    store = await open_telemetry_store(folder / "telemetry")
    try:
        needle = request = ""
        waiting: list[LogRecord] = []
        for record in _records(folder / "lines"):
            if "qzneedle03" in record.message:
                needle = record.request_id
            request = request or record.request_id
            waiting.append(record)
            if len(waiting) == _BATCH:
                await store.insert_logs(waiting)
                waiting = []
        await store.insert_logs(waiting)
        everything = LogQuery(start * 10**9, (start + _SPAN_SECONDS + 60) * 10**9)
        assert (await store.log_histogram(everything, 1)).total == answers["lines"]
        if settle:
            await asyncio.sleep(_SETTLE_SECONDS)
        asks = _asks(store, everything, answers, needle, request)
        found = await alternate_async([AsyncContender(name, ask) for name, ask in asks.items()], rounds=rounds)
        stored = (await store.statistics())["logs"]
    finally:
        await store.close()
    table = durations("Log queries", found, "ms", notes=[f"over {answers['lines']:,} records of six hours"])
    table.rows = [Row(row.name, row.spread, row.unit) for row in table.rows]
    table.notes.append(f"{stored['bytes'] / stored['rows']:.0f} bytes a record on disk, in {stored['parts']} parts")
    return [table]


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
    few = min(50, answers["errors_by_service"][busiest])
    return {
        "needle, one word": lambda: newest("qzneedle03", 1),
        "one request id": lambda: newest(f"request_id:{needle}", 1),
        "an attribute's value": lambda: rows("path:/healthz status:200 | head 50", 1),
        "last 50, one service, level error": lambda: newest(f"service:{busiest} level:error", few),
        "count": lambda: total("*", answers["lines"]),
        "count by service": lambda: by_service("* | stats count() by service"),
        "count a minute": lambda: rows("* | timechart 1m", answers["minutes"]),
        "count a minute by level": lambda: rows("* | timechart 1m count() by level", answers["minutes"]),
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


def _records(path: Path) -> Iterator[LogRecord]:
    with path.open("rb") as lines:
        for line in lines:
            row = json.loads(line)
            at = datetime.fromisoformat(row["ts"])
            yield LogRecord(
                timestamp_ns=round(at.timestamp() * 1_000_000) * 1_000,
                message=row["message"],
                level=fold_level(row["level"]) or LogLevel.INFO,
                service=row["service"],
                hostname=row["host"],
                user_id=row["user_id"],
                request_id=row["request_id"],
                metadata={name: row[name] for name in ("method", "path", "status", "latency_ms")},
            )

"""The health of the platform itself: its loops, durations, queues, stores, versions."""

import platform
import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from eldonia_ops import __version__
from eldonia_ops.services.api import DiskView, DurationView, LoopView, StoredView
from eldonia_ops.services.loops import Loops

_SIGNALS: Final = ("logs", "traces", "metrics", "histograms", "series")


def loop_views(loops: Loops) -> tuple[LoopView, ...]:
    """All loops: those that fail first, then those that failed, then by name."""
    found = [
        LoopView(one.name, one.item, one.failing, one.ended, one.failures, one.in_row, one.error, one.succeeded_at)
        for one in loops.all()
    ]
    return tuple(sorted(found, key=lambda one: (not one.failing, not one.in_row, not one.failures, one.name)))


def duration_views(loops: Loops) -> tuple[DurationView, ...]:
    """The histograms that have observations."""
    return tuple(
        DurationView(one.name, one.labels, one.count, one.p50, one.p99)
        for one in loops.metrics.durations()
        if one.count
    )


def stored_views(statistics: Mapping[str, Any]) -> tuple[StoredView, ...]:
    """What the telemetry store says of its signals; native histograms are left out where there are none."""
    return tuple(
        StoredView(name, int(one["rows"]), int(one["bytes"]), int(one["parts"]))
        for name in _SIGNALS
        if (one := statistics.get(name)) and (name != "histograms" or one["rows"])
    )


def disk_view(folder: Path | None) -> DiskView | None:
    """The disk below a folder, None where there is none to ask."""
    if folder is None:
        return None
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return DiskView(usage.total, usage.free)


def file_sizes(folder: Path | None) -> dict[str, int]:
    """Bytes of SQLite's files and of the write-ahead log in the data folder; what is not there is left out."""
    if folder is None:
        return {}
    patterns = {"state": "state.db*", "wal": "wal/*"}
    found = {name: [_size(path) for path in folder.glob(pattern)] for name, pattern in patterns.items()}
    return {name: sum(sizes) for name, sizes in found.items() if sizes}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone meanwhile
        return 0


def versions(statistics: Mapping[str, Any]) -> dict[str, str]:
    """Versions by the names of what has them."""
    found = {"eldonia-ops": __version__, "Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    if version := statistics.get("version"):
        found["ClickHouse"] = str(version)
    return found

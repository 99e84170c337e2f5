"""Telemetry in ClickHouse: embedded (chDB) or a server, the same SQL."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from eldonia_ops.storage.clickhouse.deployment import SINGLE, Deployment, DeploymentKind
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine
from eldonia_ops.storage.clickhouse.engines.engine import Engine
from eldonia_ops.storage.clickhouse.engines.server import ServerEngine
from eldonia_ops.storage.clickhouse.engines.timed import OnInsert, TimedEngine
from eldonia_ops.storage.clickhouse.journal.journal import Journal
from eldonia_ops.storage.clickhouse.logs.logs import Logs
from eldonia_ops.storage.clickhouse.metrics.head import Head
from eldonia_ops.storage.clickhouse.metrics.metrics import MAX_SAMPLES, Metrics
from eldonia_ops.storage.clickhouse.schema import Retention, detached_parts, migrate
from eldonia_ops.storage.clickhouse.separate import EMBEDDED, open_signal_stores, wal_folder
from eldonia_ops.storage.clickhouse.store import ClickhouseTelemetryStore
from eldonia_ops.storage.clickhouse.traces.traces import Traces

__all__ = [
    "EMBEDDED",
    "ClickhouseTelemetryStore",
    "Deployment",
    "DeploymentKind",
    "Retention",
    "open_on_engine",
    "open_signal_stores",
    "open_telemetry_store",
    "wal_folder",
]

_log = logging.getLogger(__name__)


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


async def open_telemetry_store(
    path: Path | None,
    *,
    url: str | None = None,
    retention: Retention | None = None,
    head_hours: float = 3,
    head_max_series: int = 200_000,
    head_max_bytes: int = 512 << 20,
    max_samples: int = MAX_SAMPLES,
    readers: int = 2,
    wal: Path | None = None,
    commit_delay_seconds: float = 0.25,
    now_ms: Callable[[], int] = _wall_clock_ms,
    deployment: Deployment = SINGLE,
    instance: int = 0,
    on_insert: OnInsert | None = None,
) -> ClickhouseTelemetryStore:
    """Open the store in a directory (``path``) or on a server (``url``).

    ``wal`` is the folder of the write-ahead log, ``path/wal`` by default. Without one, on a server, an insert returns
    when the server has stored it. Blocks that are begun for readers begin ``commit_delay_seconds`` after one another.
    The tables are brought up to date, what an earlier run left in the log is stored, and the head is filled with the
    last hours. ``deployment`` says which engines the tables of a server have. ``instance`` (0 to 1023) is another for
    each process that writes to the same tables.
    ``on_insert`` takes the table and the seconds of each insert into the engine.

    After opening a directory the process must not fork (``subprocess`` is fine), and it must close the
    store before it exits.

    Raises:
        ValueError: neither or both of ``path`` and ``url`` are given, or a directory is to be a cluster.
        TelemetryError: the directory is in use, the server does not answer, or the tables are newer than this code.
    """
    if (path is None) == (url is None):
        raise ValueError("give either the directory or the url of the telemetry store")
    if path is not None and deployment.kind is not DeploymentKind.SINGLE:
        raise ValueError("the telemetry of a directory cannot be replicated or distributed")
    if path is not None:
        engine: Engine = ChdbEngine(path, readers=readers)
        wal = wal or path / "wal"
        try:
            await engine.open()
        except BaseException:
            await engine.close()
            raise
    else:
        engine = ServerEngine(url or "")
    return await open_on_engine(
        engine if on_insert is None else TimedEngine(engine, on_insert),
        retention=retention,
        head_hours=head_hours,
        head_max_series=head_max_series,
        head_max_bytes=head_max_bytes,
        max_samples=max_samples,
        wal=wal,
        commit_delay_seconds=commit_delay_seconds,
        now_ms=now_ms,
        deployment=deployment,
        instance=instance,
        alone=path is not None,
    )


async def open_on_engine(
    engine: Engine,
    *,
    retention: Retention | None = None,
    head_hours: float = 3,
    head_max_series: int = 200_000,
    head_max_bytes: int = 512 << 20,
    max_samples: int = MAX_SAMPLES,
    wal: Path | None = None,
    commit_delay_seconds: float = 0.25,
    now_ms: Callable[[], int] = _wall_clock_ms,
    deployment: Deployment = SINGLE,
    instance: int = 0,
    alone: bool = False,
) -> ClickhouseTelemetryStore:
    """The same on an engine that is open already; the store closes it. ``alone``: no other process writes to it."""
    try:
        await migrate(engine, retention or Retention(), deployment)
        keep = int(head_hours * 3_600_000)
        head = Head(floor_ms=now_ms() - keep, retention_ms=keep, max_series=head_max_series, max_bytes=head_max_bytes)
        journal = Journal(wal, pause_seconds=commit_delay_seconds) if wal is not None else None
        logs = Logs(
            engine,
            journal,
            commit_delay_seconds=commit_delay_seconds,
            instance=instance,
            deployment=deployment,
            alone=alone,
        )
        traces = Traces(engine, journal, commit_delay_seconds=commit_delay_seconds)
        metrics = Metrics(
            engine, head, journal, now_ms=now_ms, commit_delay_seconds=commit_delay_seconds, max_samples=max_samples
        )
        if journal is not None:
            await journal.open()
        await logs.open()
        if broken := await detached_parts(engine, deployment):
            _log.warning("%d broken parts were put aside, their rows are missing: %s", len(broken), broken[:5])
        await metrics.open()
    except BaseException:
        await engine.close()
        raise
    return ClickhouseTelemetryStore(engine, logs, traces, metrics, journal, deployment)

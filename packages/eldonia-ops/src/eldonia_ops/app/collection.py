"""What is collected: one loop a target, all of them into the intake."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from eldonia_ops.collectors.host import host_loop
from eldonia_ops.collectors.poll_loop import ReadingsLoop
from eldonia_ops.collectors.postgresql import postgresql_loop
from eldonia_ops.collectors.probe_http import HttpCheck, HttpProber
from eldonia_ops.collectors.probe_tcp import TcpCheck, TcpProber
from eldonia_ops.collectors.probes import probe_loop
from eldonia_ops.collectors.scrape import ScrapeLoop, ScrapeTarget, scrape_client
from eldonia_ops.collectors.status import TargetStatus, TurnWatch
from eldonia_ops.collectors.tail import FileTail, FollowedPaths
from eldonia_ops.collectors.tail_follow import TailBatch, TailOptions
from eldonia_ops.collectors.tail_join import JoinBounds
from eldonia_ops.collectors.tail_records import StoredPositions, batch_records
from eldonia_ops.ports import Clock, Prober, ProbeResult, StateStore, TelemetryStore
from eldonia_ops.protocols.log_lines import LineDefaults, LineFormat
from eldonia_ops.protocols.prometheus_text import ExpositionLimits
from eldonia_ops.protocols.scrape_rows import Collected
from eldonia_ops.services.api import TargetView
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.settings import HostSettings, LogFile, PostgresqlSettings, ProbeSettings, Settings

OnProbe = Callable[[str, ProbeResult, int], Awaitable[None]]


@dataclass(slots=True)
class _Item:
    """One thing that is collected: what the settings say of it, and the loop that does it."""

    specification: Any
    loop: "FileTail | ScrapeLoop | ReadingsLoop"
    close: Callable[[], Awaitable[None]] | None = None
    task: asyncio.Task[None] | None = None


class Collection:
    """Every collector that the settings ask for."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ingest: IngestService,
        state: StateStore,
        telemetry: TelemetryStore,
        on_probe: OnProbe,
        loops: Loops | None = None,
    ) -> None:
        self._ingest = ingest
        self._clock = clock
        self._loops = loops or Loops()
        self._client = scrape_client()
        self._positions = StoredPositions(state, telemetry)
        self._followed = FollowedPaths()
        self._on_probe = on_probe
        self._tasks: asyncio.TaskGroup | None = None
        self._items: dict[tuple[str, str], _Item] = {}
        for key, specification in _specifications(settings).items():
            self._items[key] = self._item(specification)

    async def apply(self, settings: Settings) -> None:
        """Collect what other settings ask for. What is the same in both goes on as it is."""
        wanted = _specifications(settings)
        gone = {key: item for key, item in self._items.items() if wanted.get(key) != item.specification}
        self._items = {key: item for key, item in self._items.items() if key not in gone}
        # Together: each may still have to store that its series have ended.
        ending = [item.task for item in gone.values() if item.task is not None]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        for key, item in gone.items():
            if item.close is not None:
                await item.close()
            self._loops.forget(_loop_name(key, item))
        found = {key: self._items.get(key) or self._item(one) for key, one in wanted.items()}
        self._items = found
        for key, item in found.items():
            self._start(key, item)

    def _item(self, specification: Any) -> _Item:
        match specification:
            case LogFile() as file, int(line_bytes):
                options = _joining(TailOptions(max_line_bytes=line_bytes), file)
                watch = _tail_watch(self._loops)
                tail = FileTail([file.path], self._log_sink(file), self._positions, options, self._followed, watch)
                return _Item(specification, tail)
            case ScrapeTarget() as target:
                return _Item(specification, ScrapeLoop(target, self._store, self._client, self._clock))
            case PostgresqlSettings() as database:
                loop, source = postgresql_loop(
                    database.dsn, self._store, self._clock, name=database.instance, interval_ms=database.interval
                )
                return _Item(specification, loop, source.close)
            case HostSettings() as host:
                return _Item(specification, host_loop(self._store, self._clock, interval_ms=host.interval))
            case ProbeSettings() as probe:
                return _Item(specification, self._probe(probe))
        raise TypeError(f"nothing collects {specification!r}")

    def _probe(self, probe: ProbeSettings) -> ReadingsLoop:
        return probe_loop(
            probe.name,
            prober(probe),
            self._store,
            self._clock,
            url=probe.url,
            service=probe.service,
            http=probe.url.startswith("http"),
            labels=probe.labels,
            interval_ms=probe.interval,
            on_result=self._on_probe,
        )

    async def run(self) -> None:
        """Collect until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for key, item in self._items.items():
                    self._start(key, item)
                await asyncio.Event().wait()  # others may come
            finally:
                self._tasks = None

    def _start(self, key: tuple[str, str], item: _Item) -> None:
        if self._tasks is None or item.task is not None:
            return
        # They survive what they expect; what they do not expect must not end the others.
        name = _loop_name(key, item)
        if not isinstance(item.loop, FileTail):
            item.loop.watch = self._loops.item(name)
        item.task = self._tasks.create_task(supervise(name, self._clock, item.loop.run, self._loops))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for item in self._items.values():
            if item.close is not None:
                await item.close()

    def targets(self) -> list[TargetView]:
        """How everything that is collected stands."""
        statuses: list[TargetStatus] = []
        for item in self._items.values():
            statuses += item.loop.statuses() if isinstance(item.loop, FileTail) else [item.loop.status]
        return [_view(status) for status in statuses]

    async def _store(self, collected: Collected) -> None:
        source = collected.row.target
        self._ingest.refused("metrics", source, await self._ingest.row(collected.row, collected.metadata))
        self._ingest.refused("metrics", source, await self._ingest.samples(collected.samples))

    def _log_sink(self, file: LogFile) -> Callable[[TailBatch], Awaitable[int]]:
        defaults = LineDefaults(service=file.service, hostname=socket.gethostname())
        line_format = LineFormat(file.format)

        async def sink(batch: TailBatch) -> int:
            # A megabyte of hostile lines takes a second to read: alerting goes on meanwhile.
            records = await asyncio.to_thread(
                batch_records, batch, time.time_ns(), format=line_format, defaults=defaults
            )
            self._ingest.refused("logs", batch.path, await self._ingest.logs(records, batch_key=batch.key))
            return sum(1 for record in records if record.parse_error)

        return sink


def _specifications(settings: Settings) -> dict[tuple[str, str], Any]:
    """What is collected, by kind and name, with all that decides how."""
    limits = ExpositionLimits(
        samples=settings.limits.scrape_samples,
        labels=settings.limits.labels,
        label_value_length=settings.limits.label_value,
    )
    found: dict[tuple[str, str], Any] = {}
    for file in settings.logs:
        found["tail", _free(found, "tail", file.path)] = (file, settings.limits.log_line)
    for target in scrape_targets(settings, limits):
        found["scrape", _free(found, "scrape", f"{target.job}/{target.instance}")] = target
    if settings.host.enabled:
        found["host", ""] = settings.host
    for database in settings.postgresql:
        found["postgresql", _free(found, "postgresql", database.instance)] = database
    for probe in settings.probes:
        found["probe", probe.name] = probe
    return found


def _free(found: Mapping[tuple[str, str], Any], kind: str, name: str) -> str:
    """The name, or with a number behind it if it is taken."""
    number, free = 1, name
    while (kind, free) in found:
        number += 1
        free = f"{name} {number}"
    return free


def _loop_name(key: tuple[str, str], item: _Item) -> str:
    return f"tail {key[1]}" if isinstance(item.loop, FileTail) else f"{item.loop.status.kind} {item.loop.status.name}"


def _joining(options: TailOptions, file: LogFile) -> TailOptions:
    """What is asked for raw keeps what docker or CRI wrote, line by line."""
    return replace(options, join=JoinBounds(containers=LineFormat(file.format) is not LineFormat.RAW))


def _tail_watch(loops: Loops) -> Callable[[str], TurnWatch]:
    return lambda path: loops.item(f"tail of {path}")


def scrape_targets(settings: Settings, limits: ExpositionLimits) -> list[ScrapeTarget]:
    """One target for each address of each job."""
    return [
        ScrapeTarget(
            job=job.job,
            url=f"{job.scheme}://{address}{job.path}",
            instance=address,
            labels=job.labels,
            interval_ms=job.interval,
            timeout_ms=job.timeout,
            honor_labels=job.honor_labels,
            honor_timestamps=job.honor_timestamps,
            bearer_token=job.bearer_token or None,
            basic_auth=(job.username, job.password) if job.username else None,
            limits=limits,
        )
        for job in settings.scrape
        for address in job.targets
    ]


def prober(probe: ProbeSettings) -> Prober:
    """What looks at the endpoint of a probe, by the scheme of its URL."""
    parts = urlsplit(probe.url)
    if parts.scheme in ("tcp", "tls"):
        return TcpProber(
            TcpCheck(
                parts.hostname or "",
                parts.port or 0,
                tls=parts.scheme == "tls",
                verify_certificate=probe.verify_certificate,
                send=probe.send.encode(),
                expect=probe.expect_text.encode(),
                timeout_ms=probe.timeout,
            )
        )
    return HttpProber(
        HttpCheck(
            probe.url,
            method=probe.method,
            timeout_ms=probe.timeout,
            statuses=probe.expect_status,
            contains=probe.expect_text,
            headers=probe.headers,
            verify_certificate=probe.verify_certificate,
        )
    )


def _view(status: TargetStatus) -> TargetView:
    return TargetView(
        status.kind,
        status.name,
        status.url,
        status.labels,
        status.health.value,
        status.last_at,
        status.duration_seconds,
        status.error,
        status.interval_ms,
        status.timeout_ms,
        status.parse_errors,
    )

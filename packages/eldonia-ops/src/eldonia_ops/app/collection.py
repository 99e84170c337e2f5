"""What is collected: one loop a target, all of them into the intake."""

import asyncio
import itertools
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
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
from eldonia_ops.ports import Clock, LogStore, Prober, ProbeResult, StateStore
from eldonia_ops.protocols.log_lines import LineDefaults, LineFormat
from eldonia_ops.protocols.prometheus_text import ExpositionLimits
from eldonia_ops.protocols.scrape_rows import Collected
from eldonia_ops.services.api import TargetView
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.settings import LogFile, ProbeSettings, Settings

OnProbe = Callable[[str, ProbeResult, int], Awaitable[None]]


class Collection:
    """Every collector that the settings ask for."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ingest: IngestService,
        state: StateStore,
        logs: LogStore,
        on_probe: OnProbe,
        loops: Loops | None = None,
    ) -> None:
        self._ingest = ingest
        self._clock = clock
        self._loops = loops or Loops()
        self._client = scrape_client()
        positions = StoredPositions(state, logs)
        options = TailOptions(max_line_bytes=settings.limits.log_line)
        followed = FollowedPaths()
        self._tails = [
            FileTail(
                [file.path],
                self._log_sink(file),
                positions,
                _joining(options, file),
                followed,
                _tail_watch(self._loops),
            )
            for file in settings.logs
        ]
        limits = ExpositionLimits(
            samples=settings.limits.scrape_samples,
            labels=settings.limits.labels,
            label_value_length=settings.limits.label_value,
        )
        self._scrapes = [
            ScrapeLoop(target, self._store, self._client, clock) for target in scrape_targets(settings, limits)
        ]
        databases = [
            postgresql_loop(database.dsn, self._store, clock, name=database.instance, interval_ms=database.interval)
            for database in settings.postgresql
        ]
        self._databases = [source for _, source in databases]
        self._readings: list[ReadingsLoop] = [
            *([host_loop(self._store, clock, interval_ms=settings.host.interval)] if settings.host.enabled else []),
            *(loop for loop, _ in databases),
            *(
                probe_loop(
                    probe.name,
                    prober(probe),
                    self._store,
                    clock,
                    url=probe.url,
                    service=probe.service,
                    http=probe.url.startswith("http"),
                    labels=probe.labels,
                    interval_ms=probe.interval,
                    on_result=on_probe,
                )
                for probe in settings.probes
            ),
        ]

    async def run(self) -> None:
        """Collect until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, loop in enumerate(itertools.chain(self._tails, self._scrapes, self._readings), 1):
                # They survive what they expect; what they do not expect must not end the others.
                name = f"tail {number}" if isinstance(loop, FileTail) else f"{loop.status.kind} {loop.status.name}"
                if not isinstance(loop, FileTail):
                    loop.watch = self._loops.item(name)
                tasks.create_task(supervise(name, self._clock, loop.run, self._loops))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for database in self._databases:
            await database.close()

    def targets(self) -> list[TargetView]:
        """How everything that is collected stands."""
        statuses = [status for tail in self._tails for status in tail.statuses()]
        statuses += [loop.status for loop in (*self._scrapes, *self._readings)]
        return [_view(status) for status in statuses]

    async def _store(self, collected: Collected) -> None:
        source = collected.row.target
        self._ingest.refused("metrics", source, await self._ingest.row(collected.row, collected.metadata))
        self._ingest.refused("metrics", source, await self._ingest.samples(collected.samples))

    def _log_sink(self, file: LogFile) -> Callable[[TailBatch], Awaitable[int]]:
        defaults = LineDefaults(file.service, self._ingest.origin.environment, socket.gethostname())
        line_format = LineFormat(file.format)

        async def sink(batch: TailBatch) -> int:
            # A megabyte of hostile lines takes a second to read: alerting goes on meanwhile.
            records = await asyncio.to_thread(
                batch_records, batch, time.time_ns(), format=line_format, defaults=defaults
            )
            self._ingest.refused("logs", batch.path, await self._ingest.logs(records, batch_key=batch.key))
            return sum(1 for record in records if record.parse_error)

        return sink


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

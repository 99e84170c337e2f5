"""The log pipeline of the settings as a module of the platform."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from eldonia_ops.app.collection import target_view
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.modules import Inert
from eldonia_ops.app.pipeline.http import HttpSource
from eldonia_ops.app.pipeline.listeners import ListeningSource
from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.collectors.tail.discovery import FollowedPaths
from eldonia_ops.collectors.tail.records import StoredPositions
from eldonia_ops.lint.pipeline import LoadedPipeline, braces, pipeline_of
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.inputs import (
    ForwardInput,
    HttpInput,
    Input,
    SampleInput,
    StreamInput,
    SyslogInput,
    SystemdInput,
    TailInput,
)
from eldonia_ops.pipeline.outputs import Output
from eldonia_ops.pipeline.times.strftime import DIRECTIVE
from eldonia_ops.pipeline_outputs.metrics import output_metrics
from eldonia_ops.pipeline_outputs.opening import open_output
from eldonia_ops.pipeline_outputs.running import OutputEdge, OutputError, RunningOutput
from eldonia_ops.ports import LogStore, TelemetryError
from eldonia_ops.protocols.logs.documents import document_records
from eldonia_ops.services.api import PipelineView, TargetView
from eldonia_ops.services.pipeline.entry import PipelineEntry
from eldonia_ops.services.pipeline.journal import JournalSource
from eldonia_ops.services.pipeline.requests import HttpRequests
from eldonia_ops.services.pipeline.runner import PipelineRunner
from eldonia_ops.services.pipeline.sources import RunningSource, SampleSource, TailSource
from eldonia_ops.services.pipeline.streams import ForwardStream
from eldonia_ops.services.pipeline.texts import TextSource
from eldonia_ops.services.pipeline.view import output_views, source_view
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.settings import Settings
from eldonia_ops.sinks import LogSink

log = logging.getLogger("eldonia_ops.pipeline")

_FOLDER = "pipeline"


@dataclass(slots=True)
class _Running:
    loaded: LoadedPipeline
    runner: PipelineRunner
    sources: list[RunningSource]
    entries: list[tuple[Input, PipelineEntry, RunningSource]]
    tasks: list["asyncio.Task[None]"]


class PipelineModule(Inert):
    """Runs the pipeline that the settings name, if they name one.

    Raises:
        ConfigError: it has faults.
    """

    name = "pipeline"

    def __init__(self, base: Foundation, sink: LogSink, logs: LogStore) -> None:
        self._base = base
        self._sink = sink
        self._positions: Positions = StoredPositions(base.state, logs)
        self._wanted = self._load(base.configuration.settings)
        self._settings = base.configuration.settings
        self._running: _Running | None = None
        self._started = False
        self._events_in = self._events_lost = 0
        self._lost_reasons: dict[str, int] = {}

    def _load(self, settings: Settings) -> LoadedPipeline:
        loaded = pipeline_of(settings, self._base.environment)
        if loaded.faulty:
            raise ConfigError(loaded.problems)
        return loaded

    async def run(self) -> None:
        """Run until cancelled."""
        self._started = True
        self._start(self._wanted)
        await asyncio.Event().wait()

    async def apply(self, configuration: Configuration) -> None:
        """Run another pipeline, if it is another one."""
        wanted = self._load(configuration.settings)
        same = wanted.root == self._wanted.root and wanted.settings == self._wanted.settings
        self._wanted, self._settings = wanted, configuration.settings
        if self._started and not same:
            await self.close()
            self._start(wanted)

    async def close(self) -> None:
        """Stop the sources, then send on what is held back and flush what has to be."""
        running, self._running = self._running, None
        if running is None:
            return
        for task in running.tasks:
            task.cancel()
        await asyncio.gather(*running.tasks, return_exceptions=True)
        for source in running.sources:
            if isinstance(source, ListeningSource | HttpSource):
                await source.close()
        await running.runner.close()
        for source in running.sources:
            await source.close()
        self._events_in += running.runner.events_in
        self._events_lost += running.runner.events_lost

    def targets(self) -> list[TargetView]:
        """The files that are followed, the ports that are listened at, and the outputs."""
        running = self._running
        if running is None:
            return []
        found = [status for source in running.sources for status in source.statuses()]
        for one in running.runner.statuses():
            health = (
                TargetHealth.DOWN if one.last_error else TargetHealth.UP if one.written_chunks else TargetHealth.UNKNOWN
            )
            found.append(TargetStatus("pipeline", one.id, one.summary, health=health, error=one.last_error))
        return [target_view(status) for status in found]

    def view(self) -> PipelineView | None:
        """The pipeline that runs; None for none."""
        running = self._running
        if running is None or not running.loaded.settings.used:
            return None
        runner = running.runner
        return PipelineView(
            sources=tuple(source_view(one, entry, source.statuses()) for one, entry, source in running.entries),
            outputs=output_views(runner.statuses()),
            held=runner.held,
            lost=self._events_lost + runner.events_lost,
            lost_reason=runner.last_lost[0],
            lost_at=runner.last_lost[1],
        )

    def metrics(self) -> Mapping[str, float]:
        """What came in, what was lost, what waits in buffers."""
        running = self._running
        if running is None and not self._wanted.settings.used:
            return {}
        runner = None if running is None else running.runner
        statuses = [] if runner is None else runner.statuses()
        return {
            "eldonia_ops_pipeline_events_total": float(self._events_in + (runner.events_in if runner else 0)),
            "eldonia_ops_pipeline_events_lost_total": float(self._events_lost + (runner.events_lost if runner else 0)),
            "eldonia_ops_pipeline_held_events": float(runner.held if runner else 0),
            "eldonia_ops_pipeline_buffer_bytes": float(sum(one.queued_bytes for one in statuses)),
            "eldonia_ops_pipeline_buffer_events": float(sum(one.queued_events for one in statuses)),
            "eldonia_ops_pipeline_failed_writes_total": float(sum(one.failed_writes for one in statuses)),
            **output_metrics(statuses),
        }

    # --- parts

    def _start(self, loaded: LoadedPipeline) -> None:
        if not loaded.settings.used:
            return
        runner = PipelineRunner(loaded.pipeline, self._base.clock.now, self._open, self._lost, self._base.loops)
        followed = FollowedPaths()
        entries: list[tuple[Input, PipelineEntry, RunningSource]] = []
        for one in loaded.pipeline.sources:
            entry = PipelineEntry(runner, self._base.clock.now)
            if (made := self._source(one, entry, followed)) is not None:
                entries.append((one, entry, made))
        sources = [source for _, _, source in entries]
        running = _Running(loaded, runner, sources, entries, [])

        def released() -> None:
            for source in sources:
                if isinstance(source, TailSource):
                    running.tasks.append(asyncio.ensure_future(source.positions.save_waiting()))
            running.tasks[:] = [task for task in running.tasks if not task.done()]

        runner.on_released = released
        clock, loops = self._base.clock, self._base.loops
        running.tasks.append(asyncio.create_task(supervise("pipeline", clock, runner.run, loops)))
        for number, source in enumerate(sources, 1):
            name = f"source {number} of the pipeline"
            running.tasks.append(asyncio.create_task(supervise(name, clock, source.run, loops)))
        self._running = running

    def _source(self, source: Input, runner: PipelineEntry, followed: FollowedPaths) -> RunningSource | None:
        if isinstance(source, TailInput):
            patterns = [DIRECTIVE.sub("*", one) for path in source.paths for one in braces(path)]
            return TailSource(
                source,
                runner,
                self._positions,
                patterns,
                max_line_bytes=self._settings.limits.log_line,
                followed=followed,
                watch=lambda path: self._base.loops.item(f"pipeline tail of {path}"),
            )
        if isinstance(source, SampleInput):
            return SampleSource(source, runner)
        longest = self._settings.limits.request_expanded
        if isinstance(source, ForwardInput):
            return ListeningSource(source, ForwardStream(source, runner, self._base.clock, longest))
        if isinstance(source, HttpInput):
            return HttpSource(source, HttpRequests(source, runner, self._base.clock))
        if isinstance(source, SystemdInput):
            watch = self._base.loops.item(f"pipeline journal {source.id}")
            return JournalSource(source, runner, self._positions, self._base.clock, watch)
        if isinstance(source, StreamInput | SyslogInput):
            texts = TextSource(source, runner, self._base.clock, self._settings.limits.log_line)
            udp = source.transport.protocol == "udp"
            return ListeningSource(source, texts.connection, texts.datagrams if udp else None)
        return None

    def _open(self, runner: PipelineRunner, output: Output) -> RunningOutput:
        async def relabel(label: str, batch: Batch) -> None:
            await runner.emit(batch, label)

        edge = OutputEdge(
            now_ms=self._base.clock.now,
            buffers=self._settings.data / _FOLDER,
            store=self._sink,
            own_addresses=frozenset(self._settings.pipeline.own_addresses),
            relabel=relabel,
            errors=runner.refuse,
            hostname=socket.gethostname(),
        )
        return open_output(output, edge)

    async def _lost(self, batch: Batch, reason: str) -> None:
        """What nothing takes: it is kept in our own store if it could not be read, and counted in any case."""
        kind = reason.partition(":")[0]
        count = self._lost_reasons.get(kind, 0) + len(batch.events)
        before = self._lost_reasons.get(kind, 0)
        if len(self._lost_reasons) < 1_000 or kind in self._lost_reasons:
            self._lost_reasons[kind] = count
        if before.bit_length() != count.bit_length():  # at 1, 2, 4, 8 … so that a flood of them is no flood of lines
            log.warning("%d events of the pipeline were not taken: %s (tag %s)", count, reason, batch.tag)
        if not reason.startswith("no <match>"):
            records = document_records(
                [event.record for event in batch.events],
                [event.time_ns for event in batch.events],
                self._base.clock.now() * 1_000_000,
                tag=batch.tag,
                source=batch.source,
            )
            try:
                unread = [msgspec.structs.replace(record, parse_error=reason) for record in records]
                await self._sink.logs(unread, batch_key=batch.key)
            except TelemetryError as error:
                raise OutputError(f"the log store does not take records: {error}") from error

"""Log files that are followed."""

import asyncio
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from eldonia_ops.collectors.collector import Collector, CollectorContext, LogIntake, LoopContext, LoopPlan
from eldonia_ops.collectors.tail.batches import TailBatch, TailOptions, TailSink
from eldonia_ops.collectors.tail.config import SECTION, LogFile
from eldonia_ops.collectors.tail.discovery import FileTail, FollowedPaths
from eldonia_ops.collectors.tail.join import JoinBounds
from eldonia_ops.collectors.tail.records import container_records
from eldonia_ops.model.log_batch import parse_errors
from eldonia_ops.protocols.logs.lines import LineDefaults, LineFormat
from eldonia_ops.settings import Settings


@dataclass(frozen=True, slots=True)
class TailSpecification:
    """What a tail is made from. ``max_line_bytes``: what is longer is cut off."""

    file: LogFile
    max_line_bytes: int


class TailCollector:
    """Implements :class:`~eldonia_ops.collectors.collector.OpenCollector`; no file is followed by two of its tails."""

    def __init__(self, context: CollectorContext) -> None:
        self._context = context
        self._followed = FollowedPaths()

    def plans(self, settings: Settings) -> Iterator[LoopPlan]:
        """A loop for each entry."""
        files: tuple[LogFile, ...] = settings.collectors.get("logs", ())
        for file in files:
            wanted = TailSpecification(file, settings.limits.log_line)
            yield LoopPlan(file.path, wanted, partial(self._loop, wanted))

    async def close(self) -> None:
        """Nothing is kept open."""

    def _loop(self, wanted: TailSpecification, context: LoopContext) -> FileTail:
        # What is asked for raw keeps what docker or CRI wrote, line by line.
        raw = wanted.file.format == LineFormat.RAW
        join = JoinBounds(containers=not raw)
        return FileTail(
            [wanted.file.path],
            log_sink(wanted.file, self._context.logs, self._context.environment),
            self._context.positions,
            TailOptions(max_line_bytes=wanted.max_line_bytes, join=join, form=wanted.file.format if raw else ""),
            self._followed,
            lambda path: context.watch(f"tail of {path}"),
        )


def log_sink(file: LogFile, logs: LogIntake, environment: str = "") -> TailSink:
    """Takes batches of lines, reads them, and hands the records on."""
    defaults = LineDefaults(file.service, environment, socket.gethostname())
    line_format = LineFormat(file.format)

    async def sink(batch: TailBatch) -> int:
        # A megabyte of hostile lines takes a second to read: alerting goes on meanwhile.
        records = await asyncio.to_thread(container_records, batch, time.time_ns(), line_format, defaults)
        await logs(records, source=batch.path, batch_key=batch.key)
        return parse_errors(records)

    return sink


COLLECTOR = Collector("tail", TailCollector, SECTION, titles={"en": "log file", "ja": "ログファイル"})

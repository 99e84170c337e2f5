"""Sources of a pipeline at work: files that are followed, and made-up events."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle
from typing import Protocol

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetStatus, TurnWatch, Unwatched
from eldonia_ops.collectors.tail.batches import DEFAULT_OPTIONS, TailBatch, TailOptions
from eldonia_ops.collectors.tail.discovery import FileTail, FollowedPaths
from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.join import JoinBounds
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import SampleInput, TailInput
from eldonia_ops.pipeline.lines import ReadText, read_text, with_field
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.services.pipeline.entry import Pipeline
from eldonia_ops.services.pipeline.positions import PipelinePositions

_RETRY_SECONDS = 1.0
_SIDE_BY_SIDE = 32


class RunningSource(Protocol):
    """One source at work."""

    async def run(self) -> None:
        """Read until cancelled."""
        ...

    async def close(self) -> None:
        """Let go of everything, after ``run`` has ended."""
        ...

    def statuses(self) -> Sequence[TargetStatus]:
        """How its files are."""
        ...


class TailSource:
    """Follows the files of a ``<source>`` of type tail."""

    def __init__(
        self,
        source: TailInput,
        runner: Pipeline,
        positions: Positions,
        patterns: Sequence[str],
        *,
        max_line_bytes: int,
        followed: FollowedPaths | None = None,
        watch: Callable[[str], TurnWatch] | None = None,
        options: TailOptions = DEFAULT_OPTIONS,
    ) -> None:
        self._source = source
        self._runner = runner
        self._encoding = source.encoding or "utf-8"
        self.positions = PipelinePositions(
            source.id,
            positions,
            source.pos_file,
            from_head=source.read_from_head,
            held=lambda: runner.held,
            now=time.monotonic,
        )
        parser = source.parser
        join = JoinBounds(off=True)
        if parser is not None and parser.multi_line:
            join = JoinBounds(
                seconds=source.multiline_flush_interval, begins=lambda data: parser.begins(self._text(data))
            )
        options = replace(
            options,
            max_line_bytes=source.max_line_size or max_line_bytes,
            rotation_grace_seconds=source.rotate_wait,
            join=join,
            form=parser.type if parser is not None else "none",
            exclude=source.exclude,
        )
        arguments = (patterns, self._sink, self.positions, options, followed or FollowedPaths())
        self._tail = FileTail(*arguments, watch or (lambda _: Unwatched()), self.positions.planned)

    async def run(self) -> None:
        """Follow until cancelled."""
        await self._tail.run()

    async def close(self) -> None:
        """Save positions, and let go of the files."""
        if not self._runner.held:
            await self.positions.save_waiting()
        await self._tail.close()

    def statuses(self) -> Sequence[TargetStatus]:
        """How its files are."""
        return self._tail.statuses()

    async def _sink(self, batch: TailBatch) -> int:
        planning = self.positions.plan(batch.path, batch.source.rpartition("#")[2], batch.start, batch.end)
        reading = asyncio.to_thread(self._read, batch.lines, time.time_ns())
        _, texts = await asyncio.gather(planning, reading)
        if self._source.path_key:
            texts = with_field(texts, self._source.path_key, batch.path)
        tag = self._source.tag_of(batch.path)
        unread = [one for one in texts if one.reason]
        if self._source.emit_unmatched_lines:
            texts = [one if not one.reason else _unmatched(one, "unmatched_line") for one in texts]
        events = tuple(event for one in texts for event in one.events)
        key = f"{self._source.id} {batch.key}"
        await self._runner.emit(Batch(tag, events, batch.path, key), self._source.label)
        if not self._source.emit_unmatched_lines:
            await self._refuse(Batch(tag, (), batch.path, key), unread)
        return len(unread)

    async def _refuse(self, batch: Batch, unread: Sequence[ReadText]) -> None:
        """What was not understood, those of one reason together, and some side by side: a file may be full of it."""
        by_reason: dict[str, list[Event]] = {}
        for one in unread:
            by_reason.setdefault(one.reason, []).extend(_unmatched(one, "message").events)
        parts = [
            (replace(batch, events=tuple(events), key=f"{batch.key}?{number}"), reason)
            for number, (reason, events) in enumerate(by_reason.items())
        ]
        for start in range(0, len(parts), _SIDE_BY_SIDE):
            some = parts[start : start + _SIDE_BY_SIDE]
            await asyncio.gather(*(self._runner.refuse(part, reason) for part, reason in some))

    def _read(self, lines: Sequence[TailLine], now_ns: int) -> list[ReadText]:
        return [
            ReadText(self._text(line.data), (), f"{line.dropped} bytes too long")
            if line.dropped
            else read_text(self._text(line.data), self._source.parser, now_ns)
            for line in lines
        ]

    def _text(self, data: bytes) -> str:
        return data.decode(self._encoding, "replace").removesuffix("\r")


def _unmatched(one: ReadText, key: str) -> ReadText:
    return ReadText(one.text, (Event(time.time_ns(), {key: one.text}),), one.reason)


class SampleSource:
    """Makes the events of a ``<source>`` of type sample."""

    def __init__(self, source: SampleInput, runner: Pipeline) -> None:
        self._source = source
        self._runner = runner

    async def run(self) -> None:
        """Emit until cancelled. What the outputs do not take is made again."""
        source, number = self._source, 0
        records = cycle(source.records)
        size = max(1, source.size)
        pause = size / source.rate
        while True:
            events: list[Event] = []
            for _ in range(size):
                record = dict(next(records))
                if source.auto_increment_key:
                    record[source.auto_increment_key] = number
                number += 1
                events.append(Event(time.time_ns(), record))
            try:
                await self._runner.emit(Batch(source.tag, tuple(events), "sample"), source.label)
            except OutputError:
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Nothing is open."""

    def statuses(self) -> Sequence[TargetStatus]:
        """There is no target."""
        return ()

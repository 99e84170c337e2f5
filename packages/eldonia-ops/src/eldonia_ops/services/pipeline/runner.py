"""A pipeline at work: batches of sources through filters and matches into outputs."""

import asyncio
import contextvars
import logging
from collections.abc import Callable
from typing import Any, Final

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.graph import ERROR, TOP, Pipeline
from eldonia_ops.pipeline.outputs import Output
from eldonia_ops.pipeline.routing import Routed, Router
from eldonia_ops.pipeline_outputs.running import OutputError, OutputStatus, RunningOutput
from eldonia_ops.services.loops import Loops

log = logging.getLogger("eldonia_ops.pipeline")

_LONGEST_SLEEP_MS: Final = 1_000


class _Transaction:
    """One batch on its way. What filters remember is kept when every output has taken its part, or not at all."""

    def __init__(self, runner: "PipelineRunner", state: dict[int, Any]) -> None:
        self.runner = runner
        self.state = state


_OPEN: contextvars.ContextVar[_Transaction | None] = contextvars.ContextVar("pipeline_transaction", default=None)


class PipelineRunner:
    """Runs one pipeline. ``open_output`` makes an output run; ``on_lost`` takes what nothing else takes, with the
    reason (Unix times are in milliseconds, by ``now_ms``)."""

    def __init__(
        self,
        pipeline: Pipeline,
        now_ms: Callable[[], int],
        open_output: Callable[["PipelineRunner", Output], RunningOutput],
        on_lost: Callable[[Batch, str], Any],
        loops: Loops | None = None,
    ) -> None:
        self.pipeline = pipeline
        self._router = Router(pipeline)
        self._now_ms = now_ms
        self._on_lost = on_lost
        self._loops = loops or Loops()
        self._state = self._router.start()
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._outputs: dict[int, RunningOutput] = {}
        self.events_in = 0
        self.events_lost = 0
        self.last_lost = ("", 0)
        """Why events were not taken last, and when, Unix ms."""
        self.on_released: Callable[[], None] = lambda: None
        """Called when filters hold nothing back any more."""
        for rule, output in pipeline.outputs():
            if output.type != "relabel":
                self._outputs[rule.number] = open_output(self, output)

    @property
    def held(self) -> int:
        """How many events filters hold back. They are nowhere else: no position may lie behind them."""
        return self._router.held(self._state)

    def statuses(self) -> list[OutputStatus]:
        """How the outputs are doing."""
        return [status for output in self._outputs.values() for status in output.statuses()]

    async def emit(self, batch: Batch, label: str = TOP) -> None:
        """Send a batch through the pipeline. Returns when every output has taken its part.

        Raises:
            OutputError: one has not: the batch has to be offered again.
        """
        if not batch.events:
            return
        nested = _OPEN.get()
        if nested is not None and nested.runner is self:
            routed = self._router.route(nested.state, batch, self._now_ms(), label=label)
            nested.state.update(routed.state)
            await self._deliver(routed, batch.key)
            return
        self.events_in += len(batch.events)
        if not self._state:
            await self._deliver(self._router.route({}, batch, self._now_ms(), label=label), batch.key)
            return
        await self._transaction(lambda state: self._router.route(state, batch, self._now_ms(), label=label), batch.key)

    async def refuse(self, batch: Batch, reason: str) -> None:
        """Send events that could not be read or written to ``@ERROR``, or to ``on_lost`` if there is none."""
        if self.pipeline.label(ERROR) is None:
            await self._lose(batch, reason)
            return
        try:
            await self.emit(batch, ERROR)
        except OutputError as error:
            await self._lose(batch, f"{reason}; {ERROR}: {error}")

    async def run(self) -> None:
        """Flush outputs, and let go of what filters held back for long enough, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for output in self._outputs.values():
                group.create_task(output.run())
            group.create_task(self._expire())

    async def close(self) -> None:
        """Send on what filters hold back, and close the outputs."""
        try:
            await self._transaction(lambda state: self._router.finished(state, self._now_ms()))
        except OutputError as error:
            log.warning("the pipeline ends with %d events held back: %s", self.held, error)
        for output in self._outputs.values():
            try:
                await output.close()
            except Exception:
                log.exception("an output of the pipeline was not closed in order")

    # --- parts

    async def _expire(self) -> None:
        watch = self._loops.watch("filters of the pipeline")
        while True:
            deadline = self._router.next_deadline(self._state)
            pause = _LONGEST_SLEEP_MS if deadline is None else max(0, deadline - self._now_ms())
            self._changed.clear()
            try:
                async with asyncio.timeout(min(pause, _LONGEST_SLEEP_MS) / 1_000):
                    await self._changed.wait()
                continue
            except TimeoutError:
                pass
            if deadline is None or deadline > self._now_ms():
                continue
            try:
                await self._transaction(lambda state: self._router.expired(state, self._now_ms()))
                watch.succeeded()
            except OutputError as error:
                watch.failed(error)
                log.warning("what filters held back could not be written, will try again: %s", error)
                await asyncio.sleep(_LONGEST_SLEEP_MS / 1_000)

    async def _transaction(self, route: Callable[[dict[int, Any]], Routed], key: str = "") -> None:
        async with self._lock:
            transaction = _Transaction(self, dict(self._state))
            token = _OPEN.set(transaction)
            try:
                routed = route(transaction.state)
                transaction.state = routed.state
                await self._deliver(routed, key)
                self._state = transaction.state
            finally:
                _OPEN.reset(token)
        self._changed.set()
        if not self.held:
            self.on_released()

    async def _deliver(self, routed: Routed, key: str) -> None:
        """Each part has a key of its own, which is the same when the batch comes again: parts that an output has taken
        already are not taken twice."""
        for line in routed.printed:
            print(line, flush=True)  # noqa: T201 - what a filter of type stdout is for
        for number, delivery in enumerate(routed.deliveries):
            batch = delivery.batch.under(f"{key}/{number}" if key else "")
            await self._outputs[delivery.rule.number].write(batch)
        for number, (batch, reason) in enumerate(routed.lost):
            await self._lose(batch.under(f"{key}!{number}" if key else ""), reason)

    async def _lose(self, batch: Batch, reason: str) -> None:
        self.events_lost += len(batch.events)
        self.last_lost = (reason, self._now_ms())
        await self._on_lost(batch, reason)

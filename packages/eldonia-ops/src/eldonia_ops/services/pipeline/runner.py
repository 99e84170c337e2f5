"""A pipeline at work: batches of sources through filters and matches into outputs."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.filters import Counted
from eldonia_ops.pipeline.filters.held_lines import HeldLines, Name
from eldonia_ops.pipeline.graph import ERROR, TOP, Pipeline
from eldonia_ops.pipeline.outputs import Output
from eldonia_ops.pipeline.routing import Routed, Router
from eldonia_ops.pipeline_outputs.held_journal import HeldJournal, Step, StepKind
from eldonia_ops.pipeline_outputs.running import OutputError, OutputStatus, RunningOutput
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.pipeline.held import (
    GRACE_MS,
    State,
    changes,
    gone_on,
    holding_rules,
    lines_of,
    since,
    with_lines,
    without,
)

log = logging.getLogger("eldonia_ops.pipeline")

_LONGEST_SLEEP_MS: Final = 1_000
_Route = Callable[[State], Routed]


class _Transaction:
    """One step on its way. What filters remember is kept when every output has taken its part, or not at all."""

    def __init__(self, runner: "PipelineRunner", state: State, key: str, kind: StepKind) -> None:
        self.runner = runner
        self.state = state
        self.key = key
        self.kind = kind
        self.names: frozenset[Name] = frozenset()


_OPEN: contextvars.ContextVar[_Transaction | None] = contextvars.ContextVar("pipeline_transaction", default=None)


class PipelineRunner:
    """Runs one pipeline. ``open_output`` makes an output run; ``on_lost`` takes what nothing else takes, with the
    reason (Unix times are in milliseconds, by ``now_ms``); ``on_counted`` what filters counted of a batch that was
    delivered, with its key. Without a ``journal`` a kill loses what filters hold back."""

    def __init__(
        self,
        pipeline: Pipeline,
        now_ms: Callable[[], int],
        open_output: Callable[["PipelineRunner", Output], RunningOutput],
        on_lost: Callable[[Batch, str], Any],
        loops: Loops | None = None,
        *,
        on_counted: Callable[[Sequence[Counted], str], None] = lambda counted, key: None,
        journal: HeldJournal | None = None,
    ) -> None:
        self.pipeline = pipeline
        self._router = Router(pipeline)
        self._now_ms = now_ms
        self._on_lost = on_lost
        self._on_counted = on_counted
        self._loops = loops or Loops()
        self._holding = holding_rules(pipeline)
        self._journal = journal
        self._recovered = journal is None
        self._unfinished: Step | None = None
        self._state = self._router.start()
        if journal is not None and journal.fits:
            self._state = with_lines(self._state, self._restored(journal))
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()
        self._outputs: dict[int, RunningOutput] = {}
        self.events_in = 0
        self.events_lost = 0
        self.last_lost = ("", 0)
        """Why events were not taken last, and when, Unix ms."""
        for rule, output in pipeline.outputs():
            if output.type != "relabel":
                self._outputs[rule.number] = open_output(self, output)

    @property
    def held(self) -> int:
        """How many events filters hold back."""
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
            self._intend(nested, routed.state)
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
            async with self._lock:
                await self._recover()
                await self._finish()
        except OutputError as error:
            kept = "they are kept, and go on after the next start" if self._journal is not None else "they are lost"
            log.warning("the pipeline ends with %d events held back: %s: %s", self.held, error, kept)
        for output in self._outputs.values():
            try:
                await output.close()
            except Exception:
                log.exception("an output of the pipeline was not closed in order")
        if self._journal is not None:
            self._journal.tidy()
            self._journal.close()

    # --- parts

    async def _expire(self) -> None:
        watch = self._loops.watch("filters of the pipeline")
        while True:
            deadline = self._router.next_deadline(self._state)
            waits = self._recovered and self._unfinished is None
            pause = _LONGEST_SLEEP_MS if deadline is None else max(0, deadline - self._now_ms())
            self._changed.clear()
            if waits:
                try:
                    async with asyncio.timeout(min(pause, _LONGEST_SLEEP_MS) / 1_000):
                        await self._changed.wait()
                    continue
                except TimeoutError:
                    pass
                if deadline is None and self._journal is not None and not self._lock.locked():
                    self._journal.tidy()
                if deadline is None or deadline > self._now_ms():
                    continue
            try:
                async with self._lock:
                    await self._recover()
                    await self._let_go()
                watch.succeeded()
            except OutputError as error:
                watch.failed(error)
                log.warning("what filters held back could not be written, will try again: %s", error)
                await asyncio.sleep(_LONGEST_SLEEP_MS / 1_000)

    async def _transaction(self, route: _Route, key: str) -> None:
        async with self._lock:
            await self._recover()
            # Done before a kill, or by a sender that heard no answer: what it left behind is held back already.
            if not (key and self._journal is not None and self._journal.knows(key)):
                await self._step(route, key, StepKind.BATCH)
        self._changed.set()

    async def _step(self, route: _Route, key: str, kind: StepKind) -> None:
        before = self._state
        transaction = _Transaction(self, dict(before), key, kind)
        token = _OPEN.set(transaction)
        try:
            routed = route(transaction.state)
            self._intend(transaction, routed.state)
            transaction.state = routed.state
            await self._deliver(routed, key)
            await self._commit(key, kind, changes(self._holding, before, transaction.state))
            self._state = transaction.state
        except BaseException:
            self._failed(transaction)
            raise
        finally:
            _OPEN.reset(token)

    async def _commit(self, key: str, kind: StepKind, changed: Mapping[Name, HeldLines | None]) -> None:
        if self._journal is not None and self._holding and (changed or kind is StepKind.BATCH):
            await self._journal.commit(key, changed)

    def _intend(self, transaction: _Transaction, after: State) -> None:
        """Note what goes on with a step before an output has it."""
        names = gone_on(self._holding, transaction.state, after)
        if not names:
            return
        transaction.names |= names
        if self._journal is not None and transaction.key:
            self._journal.intend(Step(transaction.key, transaction.kind, names))

    def _failed(self, transaction: _Transaction) -> None:
        """Some outputs may have lines of the step: they go on with that step alone, when it comes again."""
        if self._journal is None or not transaction.key or not transaction.names:
            return
        if transaction.kind is StepKind.BATCH:
            self._state = with_lines(self._state, self._waiting(self._state, transaction.names))
        elif transaction.kind is StepKind.EXPIRED:
            self._unfinished = Step(transaction.key, transaction.kind, transaction.names)

    def _waiting(self, state: State, names: Collection[Name]) -> dict[Name, HeldLines]:
        lines = {name: held for name, held in lines_of(self._holding, state).items() if name in names}
        until = self._now_ms() + GRACE_MS
        return since(lines, lambda _: until)

    def _restored(self, journal: HeldJournal) -> dict[Name, HeldLines]:
        """What an earlier process held back. Its time of waiting begins anew: nothing was read meanwhile."""
        now = self._now_ms()
        frozen = {name for step in journal.pending if step.kind is StepKind.BATCH for name in step.names}
        return since(journal.lines, lambda name: now + GRACE_MS if name in frozen else now)

    async def _recover(self) -> None:
        """Bring to an end what was begun, by this process or an earlier one: nothing may be added to its lines."""
        if (unfinished := self._unfinished) is not None:
            await self._let_go_again(unfinished)
            self._unfinished = None
        journal = self._journal
        if self._recovered or journal is None:
            return
        if not journal.fits:
            await self._take_left(journal)
        for step in list(journal.pending):
            if step.kind is StepKind.EXPIRED:
                await self._let_go_again(step)
            elif step.kind is StepKind.FINISHED:
                await self._finish(step)
        self._recovered = True

    async def _take_left(self, journal: HeldJournal) -> None:
        """What another pipeline held back: which filters it was for is not known, so each line goes on by itself."""
        transaction = _Transaction(self, self._router.start(), "", StepKind.BATCH)
        token = _OPEN.set(transaction)
        try:
            for number, held in enumerate(journal.lines.values()):
                key = f"left {journal.owner} {number}"
                batch = Batch(held.tag, held.events, "held back by another pipeline", key)
                routed = self._router.route(transaction.state, batch, self._now_ms())
                transaction.state = routed.state
                await self._deliver(routed, key)
        finally:
            _OPEN.reset(token)
        journal.begin_anew(lines_of(self._holding, transaction.state))
        self._state = transaction.state

    async def _let_go(self) -> None:
        """Send on what was held back for long enough."""
        key = "" if self._journal is None else self._journal.next_key()
        await self._step(lambda state: self._router.expired(state, self._now_ms()), key, StepKind.EXPIRED)

    async def _let_go_again(self, step: Step) -> None:
        """The very same lines under the same key: outputs know what they have."""
        now = self._now_ms()

        def route(state: State) -> Routed:
            lines = lines_of(self._holding, state)
            # Those that wait for a batch go on doing so.
            found = since(lines, lambda name: 0 if name in step.names else max(now, lines[name].changed_ms))
            return self._router.expired(with_lines(state, found), now)

        await self._step(route, step.key, StepKind.EXPIRED)

    async def _finish(self, step: Step | None = None) -> None:
        """Send on everything, or with ``step`` what it names. What waits for a batch that failed is kept."""
        now = self._now_ms()
        journal = self._journal
        key = step.key if step is not None else "" if journal is None else journal.next_key()

        def route(state: State) -> Routed:
            lines = lines_of(self._holding, state)
            aside = {
                name: held
                for name, held in lines.items()
                if (name not in step.names if step is not None else journal is not None and held.changed_ms > now)
            }
            routed = self._router.finished(without(state, aside), now)
            routed.state = with_lines(routed.state, aside)
            return routed

        await self._step(route, key, StepKind.FINISHED)

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
        if routed.counted:
            self._on_counted(routed.counted, f"{key}#" if key else "")

    async def _lose(self, batch: Batch, reason: str) -> None:
        self.events_lost += len(batch.events)
        self.last_lost = (reason, self._now_ms())
        await self._on_lost(batch, reason)

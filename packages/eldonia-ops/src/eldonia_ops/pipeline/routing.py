"""Events through a pipeline: filters in their order, the first match, labels, ``@ERROR``. Pure: nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters import Counted, Filter, Filtered
from eldonia_ops.pipeline.graph import ERROR, TOP, Pipeline, Rule
from eldonia_ops.pipeline.outputs import Output, RelabelOutput
from eldonia_ops.pipeline.rewriters import SAME

MAX_HOPS: Final = 32
"""How often a batch may begin again, in a label or under another tag."""

PipelineState = Mapping[int, Any]
"""What the filters remember, by the numbers of their rules."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch for an output."""

    rule: Rule
    output: Output
    batch: Batch


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a batch, for people. ``after`` is what left the rule."""

    label: str
    rule: Rule
    before: Batch
    after: tuple[Event, ...]
    refused: tuple[tuple[Event, str], ...] = ()


@dataclass(slots=True)
class Routed:
    """What becomes of a batch. ``lost`` are events that nothing takes, with the reason; ``state`` is what the filters
    remember once the deliveries have been made."""

    state: dict[int, Any]
    deliveries: list[Delivery] = field(default_factory=list)
    lost: list[tuple[Batch, str]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list[Counted])
    steps: list[Step] | None = None


class Router:
    """Routes batches through a pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._filters = tuple(
            (name, rule) for name, label in pipeline.labels.items() for rule in label.rules if rule.filter is not None
        )

    def start(self) -> dict[int, Any]:
        """What the filters remember at first."""
        states = {rule.number: rule.filter.start() for _, rule in self._filters if rule.filter is not None}
        return {number: state for number, state in states.items() if state is not None}

    @property
    def remembers(self) -> bool:
        """Whether any filter remembers something: then batches must be routed one after another."""
        return bool(self.start())

    def route(
        self, state: PipelineState, batch: Batch, now_ms: int, *, label: str = TOP, steps: bool = False
    ) -> Routed:
        """What becomes of a batch that begins in a label. With ``steps`` everything that happens is noted."""
        routed = Routed(dict(state), steps=[] if steps else None)
        _Route(self, routed, now_ms).begin(label, batch, 0)
        return routed

    def expired(self, state: PipelineState, now_ms: int) -> Routed:
        """What becomes of what filters have held back for long enough."""
        return self._released(state, now_ms, last=False)

    def finished(self, state: PipelineState, now_ms: int) -> Routed:
        """What becomes of everything that filters hold back."""
        return self._released(state, now_ms, last=True)

    def next_deadline(self, state: PipelineState) -> int | None:
        """When :meth:`expired` has to be asked, in Unix milliseconds; None: not before the next batch."""
        found = [
            deadline
            for _, rule in self._filters
            if rule.filter is not None
            and rule.number in state
            and (deadline := rule.filter.next_deadline(state[rule.number])) is not None
        ]
        return min(found, default=None)

    def held(self, state: PipelineState) -> int:
        """How many events are held back by filters."""
        return sum(
            rule.filter.held(state[rule.number])
            for _, rule in self._filters
            if rule.filter is not None and rule.number in state
        )

    def _released(self, state: PipelineState, now_ms: int, *, last: bool) -> Routed:
        routed = Routed(dict(state))
        route = _Route(self, routed, now_ms)
        for label, rule in self._filters:
            made = rule.filter
            if made is None or rule.number not in routed.state:
                continue
            remembered = routed.state[rule.number]
            found, after = made.finished(remembered) if last else made.expired(remembered, now_ms)
            routed.state[rule.number] = after
            for target, batch in found:
                if target and target != SAME:
                    route.begin(target, batch, 1)
                elif target == SAME:
                    route.begin(label, batch, 1)
                else:
                    route.go_on(label, rule, batch)
        return routed


class _Route:
    def __init__(self, router: Router, routed: Routed, now_ms: int) -> None:
        self._pipeline = router.pipeline
        self._routed = routed
        self._now_ms = now_ms

    def begin(self, label: str, batch: Batch, hops: int) -> None:
        """From the first rule of a label on."""
        rules = self._pipeline.label(label)
        if rules is None:
            self._routed.lost.append((batch, f"there is no label {label}"))
            return
        if hops > MAX_HOPS:
            self._routed.lost.append(
                (batch, f"it began again more than {MAX_HOPS} times: labels or tags lead in a circle")
            )
            return
        chain = rules.chain(batch.tag)
        self._pass(label, chain.filters, chain.match, batch, hops)

    def go_on(self, label: str, behind: Rule, batch: Batch) -> None:
        """From the rule behind a filter on."""
        rules = self._pipeline.label(label)
        chain = rules.chain(batch.tag) if rules is not None else None
        if chain is not None:
            later = tuple(rule for rule in chain.filters if rule.number > behind.number)
            self._pass(label, later, chain.match, batch, 1)

    def _pass(self, label: str, filters: Sequence[Rule], match: Rule | None, batch: Batch, hops: int) -> None:
        for rule in filters:
            batch = self._filter(label, rule, batch, hops)
            if not batch.events:
                return
        if match is None:
            where = f" in label {label}" if label else ""
            self._routed.lost.append((batch, f"no <match> takes the tag {batch.tag}{where}"))
        elif match.filter is not None:
            self._filter(label, match, batch, hops)
        elif match.output is None:
            self._routed.lost.append((batch, f"{match.title} cannot be used"))
        elif isinstance(match.output, RelabelOutput):
            self._note(label, match, batch, batch.events)
            self.begin(match.output.label, batch, hops + 1)
        else:
            self._note(label, match, batch, batch.events)
            self._routed.deliveries.append(Delivery(match, match.output, batch))

    def _filter(self, label: str, rule: Rule, batch: Batch, hops: int) -> Batch:
        if rule.filter is None:
            return batch
        found = self._step(rule, rule.filter, batch)
        if self._routed.steps is not None:
            self._routed.steps.append(Step(label, rule, batch, found.events, found.refused))
        self._routed.printed += found.printed
        self._routed.counted += found.counted
        for event, reason in found.refused:
            self._refuse(label, Batch(batch.tag, (event,), batch.source), reason, hops)
        for target, again in found.relabelled:
            self.begin(label if target == SAME else target, again, hops + 1)
        return Batch(batch.tag, found.events, batch.source)

    def _step(self, rule: Rule, made: Filter, batch: Batch) -> Filtered:
        """One filter. If it fails on a batch its events are tried one by one, so that a fault of ours in one of them
        stops no other, nor the source."""
        state = self._routed.state.get(rule.number)
        try:
            found, after = made.step(state, batch, self._now_ms)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this one event
            if len(batch.events) == 1:
                return Filtered((), ((batch.events[0], f"{made.type}: a fault of our own: {type(error).__name__}"),))
            parts = [self._step(rule, made, Batch(batch.tag, (event,), batch.source)) for event in batch.events]
            return Filtered(
                tuple(event for part in parts for event in part.events),
                tuple(refused for part in parts for refused in part.refused),
                tuple(again for part in parts for again in part.relabelled),
                tuple(line for part in parts for line in part.printed),
                tuple(one for part in parts for one in part.counted),
            )
        if after is not None:
            self._routed.state[rule.number] = after
        return found

    def _refuse(self, label: str, batch: Batch, reason: str, hops: int) -> None:
        if label == ERROR or self._pipeline.label(ERROR) is None:
            self._routed.lost.append((batch, reason))
        else:
            self.begin(ERROR, batch, hops + 1)

    def _note(self, label: str, rule: Rule, batch: Batch, after: tuple[Event, ...]) -> None:
        if self._routed.steps is not None:
            self._routed.steps.append(Step(label, rule, batch, after))

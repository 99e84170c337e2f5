"""What the filters of a pipeline hold back, and what a step does with it. No effects."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.pipeline.filters.held_lines import HeldLines, Name, goes_on
from eldonia_ops.pipeline.graph import Pipeline

GRACE_MS: Final = 600_000
"""How long lines wait for a batch that has failed, or was interrupted by a kill: some outputs may have them with it."""

State = dict[int, Any]
"""What filters remember, by the numbers of their rules."""


def holding_rules(pipeline: Pipeline) -> frozenset[int]:
    """The rules whose filters hold events back."""
    return frozenset(rule.number for rule in pipeline.rules if rule.filter is not None and rule.filter.holds)


def lines_of(holding: Iterable[int], state: State) -> dict[Name, HeldLines]:
    """What is held back."""
    return {(number, stream): held for number in holding for stream, held in state.get(number, {}).items()}


def changes(holding: Iterable[int], before: State, after: State) -> dict[Name, HeldLines | None]:
    """What a step has changed; None: is held back no more."""
    found: dict[Name, HeldLines | None] = {}
    for number in holding:
        old: Mapping[str, HeldLines] = before.get(number, {})
        new: Mapping[str, HeldLines] = after.get(number, {})
        if old is new:
            continue
        found |= {(number, stream): None for stream in old if stream not in new}
        found |= {(number, stream): held for stream, held in new.items() if old.get(stream) is not held}
    return found


def gone_on(holding: Iterable[int], before: State, after: State) -> frozenset[Name]:
    """What was held back, and goes on with a step."""
    return frozenset(
        (number, stream)
        for number in holding
        if before.get(number) is not after.get(number)
        for stream, held in before.get(number, {}).items()
        if not goes_on(held, after.get(number, {}).get(stream))
    )


def with_lines(state: State, lines: Mapping[Name, HeldLines]) -> State:
    """A state with other lines; those of rules that are not there are left out."""
    found = dict(state)
    for (number, stream), held in lines.items():
        if number in found:
            found[number] = {**found[number], stream: held}
    return found


def without(state: State, names: Iterable[Name]) -> State:
    """A state without some lines."""
    found = dict(state)
    for number, stream in names:
        if number in found:
            found[number] = {name: held for name, held in found[number].items() if name != stream}
    return found


def since(lines: Mapping[Name, HeldLines], at_ms: Callable[[Name], int]) -> dict[Name, HeldLines]:
    """The same lines, whose time of waiting begins at other instants (Unix ms)."""
    return {name: replace(held, changed_ms=at_ms(name)) for name, held in lines.items()}

"""A pipeline: sources, and the rules of the top and of each label, in the order in which they are written.

An event is matched against the rules of its label from the first to the last. Each filter that matches changes it; the
first match that matches takes it. https://docs.fluentd.org/configuration/config-file#note-on-match-order
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.pipeline.filters import Filter
from eldonia_ops.pipeline.inputs import Input
from eldonia_ops.pipeline.outputs import CopyOutput, Output, RelabelOutput
from eldonia_ops.pipeline.section import Place
from eldonia_ops.pipeline.tag_pattern import TagPattern

TOP: Final = ""
"""The name of what is not in a label; ``@ROOT`` is another name for it."""
ERROR: Final = "@ERROR"
_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One ``<filter>`` or ``<match>``. ``number`` counts all rules of the pipeline, from 0.

    A filter has ``filter``. A match has ``output``, or ``filter`` if it gives events another tag and lets them begin
    again. One with neither could not be read: it takes its events, and nothing becomes of them.
    """

    kind: str
    type: str
    pattern: TagPattern
    number: int
    place: Place
    filter: Filter | None = None
    output: Output | None = None

    @property
    def is_match(self) -> bool:
        """Whether it takes events."""
        return self.kind == "match"

    @property
    def title(self) -> str:
        """What is written, for people: ``<match app.**>``."""
        return f"<{self.kind} {self.pattern.written}>"


@dataclass(frozen=True, slots=True)
class Chain:
    """What an event with some tag passes: filters, and the match that takes it (None: there is none)."""

    filters: tuple[Rule, ...]
    match: Rule | None


@dataclass(slots=True)
class Label:
    """The rules of one ``<label>``, or of the top."""

    name: str
    rules: tuple[Rule, ...]
    place: Place = field(default=Place())
    _chains: dict[str, Chain] = field(default_factory=dict, repr=False)

    def chain(self, tag: str) -> Chain:
        """What events with a tag pass."""
        found = self._chains.get(tag)
        if found is None:
            filters: list[Rule] = []
            match = None
            for rule in self.rules:
                if rule.pattern.matches(tag):
                    if rule.is_match:
                        match = rule
                        break
                    filters.append(rule)
            found = Chain(tuple(filters), match)
            if len(self._chains) >= _REMEMBERED:
                self._chains.clear()
            self._chains[tag] = found
        return found


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What a configuration describes. ``labels`` has the top under its name ``''``. ``complete``: every source and
    rule that is written could be made."""

    sources: tuple[Input, ...]
    labels: dict[str, Label]
    complete: bool = True

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules, by their numbers."""
        found = [rule for label in self.labels.values() for rule in label.rules]
        return tuple(sorted(found, key=lambda rule: rule.number))

    def label(self, name: str) -> Label | None:
        """A label by its name; ``@ROOT`` is the top."""
        return self.labels.get(TOP if name == "@ROOT" else name)

    def outputs(self) -> Iterator[tuple[Rule, Output]]:
        """Every output that a match has, not those inside of copies."""
        for rule in self.rules:
            if rule.output is not None:
                yield rule, rule.output


def labels_of(output: Output) -> tuple[str, ...]:
    """The labels to which an output hands events."""
    if isinstance(output, RelabelOutput):
        return (output.label,)
    if isinstance(output, CopyOutput):
        return tuple(label for store in output.stores for label in labels_of(store.output))
    return ()


def single_outputs(output: Output, *, secondary: bool = True) -> Iterator[Output]:
    """The outputs of a copy, or the output itself; with ``secondary`` each with its secondary."""
    if isinstance(output, CopyOutput):
        for store in output.stores:
            yield from single_outputs(store.output, secondary=secondary)
    else:
        yield output
        if secondary and output.secondary is not None:
            yield output.secondary

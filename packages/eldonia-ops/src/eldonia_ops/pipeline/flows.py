"""Which tags can come to which label, and from where."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.pipeline.graph import ERROR, TOP, Label, Pipeline, Rule, labels_of
from eldonia_ops.pipeline.inputs import Input
from eldonia_ops.pipeline.rewriters import SAME, RewriteTag, rewritten
from eldonia_ops.pipeline.section import Place
from eldonia_ops.pipeline.tag_pattern import TagPattern, tag_beyond

_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Flow:
    """Events that begin in a label. Their tags are taken by all of ``tags``; none: any tag is possible.

    ``source`` is None for what comes from within: relabelled, refused or with another tag.
    """

    label: str
    tags: tuple[TagPattern, ...]
    shown: str
    place: Place
    source: Input | None = None
    path: tuple[str, ...] = ()
    rules: tuple[int, ...] = ()
    """The numbers of the matches that it has come by."""

    def reaches(self, rule: Rule, label: Label) -> bool:
        """Whether a tag of it can come to a rule of the label."""
        return self.example(rule, label) is not None

    def example(self, rule: Rule, label: Label) -> str | None:
        """A tag of it that comes to a rule; None when there is none."""
        return beyond((rule.pattern, *self.tags), matches_before(rule, label))


def beyond(wanted: Sequence[TagPattern], taken: Sequence[TagPattern]) -> str | None:
    """A tag that all of ``wanted`` take and none of ``taken``; where that cannot be said, any text."""
    try:
        return tag_beyond(tuple(wanted) or (TagPattern("**"),), taken)
    except ValueError:
        return "?"


def matches_before(rule: Rule, label: Label) -> list[TagPattern]:
    """The patterns of the matches before a rule."""
    return [one.pattern for one in label.rules if one.is_match and one.number < rule.number]


@dataclass(frozen=True, slots=True)
class Flows:
    """All flows, and the circles in which events would go."""

    by_label: dict[str, tuple[Flow, ...]]
    circles: tuple[tuple[Rule, tuple[str, ...]], ...]


def flows_of(pipeline: Pipeline) -> Flows:
    """Where the events of all sources can come to."""
    found: dict[str, list[Flow]] = {name: [] for name in pipeline.labels}
    circles: list[tuple[Rule, tuple[str, ...]]] = []
    waiting = [
        Flow(source.label, () if source.tags is None else (source.tags,), source.tags_shown, source.place, source)
        for source in pipeline.sources
    ]
    if ERROR in found:
        waiting.append(Flow(ERROR, (), "any tag", pipeline.labels[ERROR].place))
    while waiting:
        flow = waiting.pop(0)
        label = pipeline.label(flow.label)
        if label is None or len(found[label.name]) >= _MOST:
            continue
        found[label.name].append(flow)
        for rule in label.rules:
            if not rule.is_match or not flow.reaches(rule, label):
                continue
            for target, tags, shown in _targets(rule, flow):
                name = label.name if target == SAME else TOP if target == "@ROOT" else target
                rules = (*flow.rules, rule.number)
                again = Flow(name, tags, shown, rule.place, None, (*flow.path, label.name), rules)
                if target != SAME and tags and _comes_back(again, pipeline):
                    circles.append((rule, (*again.path, name)))
                elif len(flow.path) < _MOST and rule.number not in flow.rules:
                    waiting.append(again)
    return Flows({name: tuple(flows) for name, flows in found.items()}, tuple(circles))


def _comes_back(flow: Flow, pipeline: Pipeline) -> bool:
    """Whether events come to a match once more that they have come by."""
    label = pipeline.label(flow.label)
    rules = label.rules if label is not None else ()
    return label is not None and any(rule.number in flow.rules and flow.reaches(rule, label) for rule in rules)


def _targets(rule: Rule, flow: Flow) -> list[tuple[str, tuple[TagPattern, ...], str]]:
    """Label, tags, and the tags for people, of what a match lets begin again."""
    if rule.output is not None:
        return [(label, (*flow.tags, rule.pattern), rule.pattern.written) for label in labels_of(rule.output)]
    if isinstance(rule.filter, RewriteTag):
        tags = tuple((TagPattern.of_texts([one]),) if (one := rewritten(tag)) else () for tag in rule.filter.tags)
        return [
            (label, pattern, tag)
            for label, pattern, tag in zip(rule.filter.targets, tags, rule.filter.tags, strict=True)
        ]
    return [(SAME, (), "any tag")] if rule.filter is not None else []

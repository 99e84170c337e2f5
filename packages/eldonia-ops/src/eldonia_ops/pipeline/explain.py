"""Where an event with some tag goes, and why: every rule that is asked, in order."""

from collections.abc import Iterator
from dataclasses import dataclass

from eldonia_ops.pipeline.graph import TOP, Pipeline, Rule, labels_of
from eldonia_ops.pipeline.inputs import Input
from eldonia_ops.pipeline.rewriters import SAME, RewriteTag
from eldonia_ops.pipeline.section import Place

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule and what it does with the tag. ``verdict`` is ``gives`` (a source), ``applies``, ``takes``,
    ``passes`` (its pattern does not fit) or ``not asked`` (a match before it takes the tag)."""

    label: str
    kind: str
    type: str
    pattern: str
    place: Place
    verdict: str
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """``taken``: whether a match takes the tag in the end."""

    tag: str
    asked: tuple[Asked, ...]
    taken: bool


def explain(pipeline: Pipeline, tag: str, label: str | None = None) -> Explanation:
    """What happens to events with a tag. Without ``label`` they begin where the sources that can give the tag say, or
    at the top when none can."""
    asked: list[Asked] = []
    starts: list[str] = []
    for source in pipeline.sources:
        possible = source.tags is None or source.tags.matches(tag)
        if possible and (label is None or source.label == label):
            starts += [source.label] if source.label not in starts else []
        asked.append(_source(source, possible))
    begin = [label] if label is not None else starts or [TOP]
    taken = [_labels(pipeline, tag, name, asked, ()) for name in begin]
    return Explanation(tag, tuple(asked), all(taken))


def _source(source: Input, possible: bool) -> Asked:
    why = f"its tags are {source.tags_shown}"
    if possible and source.label:
        why += f"; it begins in {source.label}"
    return Asked(source.label, "source", source.type, "", source.place, "gives" if possible else "passes", why)


def _labels(pipeline: Pipeline, tag: str, name: str, asked: list[Asked], path: tuple[str, ...]) -> bool:
    label = pipeline.label(name)
    if label is None:
        asked.append(Asked(name, "label", "", "", Place(), "passes", f"there is no label {name}: the event is lost"))
        return False
    if label.name in path or len(path) > _DEEPEST:
        asked.append(
            Asked(name, "label", "", "", label.place, "passes", "the event has been here: it goes in a circle")
        )
        return False
    taker: Rule | None = None
    for rule in label.rules:
        if taker is not None:
            verdict, why = "not asked", f"line {taker.place.line} takes it first"
        elif not rule.pattern.matches(tag):
            verdict, why = "passes", "its pattern does not fit"
        elif rule.is_match:
            taker, verdict, why = rule, "takes", _fate(rule)
        else:
            verdict, why = "applies", "its pattern fits"
        asked.append(Asked(label.name, rule.kind, rule.type, rule.pattern.written, rule.place, verdict, why))
    if taker is None:
        why = f"no match takes the tag{f' in {label.name}' if label.name else ''}: the event is dropped"
        asked.append(Asked(label.name, "end", "", "", label.place, "passes", why))
        return False
    found = [_labels(pipeline, tag, target, asked, (*path, label.name)) for target in _next(taker)]
    return all(found)


def _next(rule: Rule) -> Iterator[str]:
    if rule.output is not None:
        yield from labels_of(rule.output)


def _fate(rule: Rule) -> str:
    if rule.output is not None:
        return rule.output.summary
    if isinstance(rule.filter, RewriteTag):
        targets = [
            f"{tag}{'' if label == SAME else f' in {label}'}"
            for label, tag in zip(rule.filter.targets, rule.filter.tags, strict=True)
        ]
        return f"it gets another tag and begins again: {', '.join(targets)}"
    return "it gets another tag and begins again" if rule.filter is not None else "it cannot be used"

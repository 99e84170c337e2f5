"""Parsers that read nothing of a sample: most often one for another format. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.filters.parser import ParserFilter, shown
from eldonia_ops.pipeline.graph import Rule
from eldonia_ops.pipeline.inputs import TailInput
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.routing import Step
from eldonia_ops.pipeline.section import Place
from eldonia_ops.pipeline.trial import Trial

_HINT = "eldonia-ops pipeline run FILE shows what becomes of each line"


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines of one file, and what became of them."""

    source: TailInput
    path: str
    trial: Trial


def unread_lines(samples: Sequence[Sample]) -> list[Diagnostic]:
    """Sources whose parser reads no line of any of their files, and filters whose parser reads no event of any, each
    with the first that failed."""
    return [*_sources(samples), *_filters(samples)]


def _sources(samples: Sequence[Sample]) -> Iterable[Diagnostic]:
    for source in dict.fromkeys(id(one.source) for one in samples):
        of_source = [one for one in samples if id(one.source) == source]
        texts = [(one.path, text) for one in of_source for text in one.trial.texts if text.read.text]
        if texts and all(text.read.reason for _, text in texts):
            path, first = texts[0]
            kind = of_source[0].source.parser
            what = f"the parser {kind.type} reads none of {_counted(len(texts), 'line')}" if kind else ""
            message = f"{what}: {path}:{first.number}: {first.read.reason}: {shown(first.read.text)}"
            yield _warning(message, of_source[0].source.place)


def _filters(samples: Sequence[Sample]) -> Iterable[Diagnostic]:
    steps: dict[int, tuple[Rule, list[Step]]] = {}
    for one in samples:
        for step in (step for text in one.trial.texts for step in text.steps):
            if isinstance(step.rule.filter, ParserFilter):
                steps.setdefault(step.rule.number, (step.rule, []))[1].append(step)
    for rule, taken in steps.values():
        events = sum(len(step.before.events) for step in taken)
        refused = [one for step in taken for one in step.refused]
        if events and len(refused) == events:
            event, reason = refused[0]
            yield _warning(
                f"{rule.title} reads none of {_counted(events, 'event')}: {reason}: {shown(as_text(event.record))}",
                rule.place,
            )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _warning(message: str, place: Place) -> Diagnostic:
    return Diagnostic(message, place.file, place.line, hint=_HINT, level=Level.WARNING)

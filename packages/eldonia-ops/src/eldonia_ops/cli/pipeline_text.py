"""What the commands of the pipeline print: lines of at most 60 columns where the values allow it, and JSON."""

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from eldonia_ops.lint.pipeline import LoadedPipeline
from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.explain import Explanation
from eldonia_ops.pipeline.graph import Rule
from eldonia_ops.pipeline.inputs import Input
from eldonia_ops.pipeline.outputs import ElasticsearchOutput, Output
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.times.strftime import Strftime
from eldonia_ops.pipeline.trial import Trial, TriedText, changes

_WIDTH: Final = 60
_TIME: Final = Strftime("%Y-%m-%dT%H:%M:%S.%L%:z", None)
_LONGEST: Final = 200


# --- check


def checked_text(loaded: LoadedPipeline) -> str:
    """The findings, and what the pipeline has."""
    parts = ["\n".join(_problems(loaded))]
    pipeline = loaded.pipeline
    if pipeline.sources or pipeline.rules:
        parts.append("\n".join(_overview(loaded)))
    return "\n\n".join(parts)


def _problems(loaded: LoadedPipeline) -> Iterator[str]:
    """The findings by file and line, with what to do below each, and how many there are."""
    file = ""
    for one in loaded.problems:
        if one.file != file:
            file = one.file
            yield file
        yield _wrapped(f"{one.level.value}: {one.message}", f"{one.line or '':4}  ", "        ")
        if one.hint:
            yield _wrapped(f"→ {one.hint}", "        ")
    if not loaded.problems:
        yield "nothing wrong"
        return
    errors = sum(one.level is Level.ERROR for one in loaded.problems)
    counts = ((errors, "error"), (len(loaded.problems) - errors, "warning"))
    yield ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in counts if count)


def _overview(loaded: LoadedPipeline) -> Iterator[str]:
    pipeline = loaded.pipeline
    for source in pipeline.sources:
        yield from _entry(source.place.line, f"{source.type}: {source.tags_shown}", source.summary)
    for name, label in pipeline.labels.items():
        for rule in label.rules:
            where = f" in {name}" if name else ""
            yield from _entry(rule.place.line, f"{rule.title}{where}: {rule.type}", _summary(rule))
            if rule.output is not None:
                yield from (_wrapped(note, " " * 8) for note in _notes(rule.output, loaded))


def _notes(output: Output, loaded: LoadedPipeline) -> list[str]:
    """What becomes of the options of an Elasticsearch output."""
    if not isinstance(output, ElasticsearchOutput):
        return []
    addresses = {url.partition("://")[2].rstrip("/") for url in output.urls}
    if not addresses & set(loaded.settings.own_addresses):
        address = next(iter(sorted(addresses)), "")
        return [f"(to keep these events in this platform's own store, write pipeline: own_addresses: [{address}])"]
    return [
        "that is this platform: events go to its own store, at once and durably; days are cut by each event's time, "
        "kept as retention says. host, port, user, templates and the index name have no effect; the buffer has."
    ]


def checked_json(loaded: LoadedPipeline) -> dict[str, Any]:
    """The same for programs."""
    return {
        "problems": [
            {
                "file": one.file,
                "line": one.line,
                "level": one.level.value,
                "message": one.message,
                "hint": one.hint,
            }
            for one in loaded.problems
        ],
        "sources": [
            {"id": one.id, "type": one.type, "line": one.place.line, "label": one.label, "tags": one.tags_shown}
            for one in loaded.pipeline.sources
        ],
        "rules": [
            {"label": name, **_rule_json(rule)}
            for name, label in loaded.pipeline.labels.items()
            for rule in label.rules
        ],
    }


# --- explain

_VERDICTS: Final = {
    "gives": "can give it",
    "applies": "applies",
    "takes": "takes it",
    "passes": "no",
    "not asked": "not asked",
}


def explained_text(found: Explanation) -> str:
    """Every rule that is asked, in its order."""
    lines = [f"tag {found.tag}", ""]
    label = ""
    for one in found.asked:
        if one.kind != "source" and one.label != label:
            label = one.label
            lines += ["", f"in label {label}" if label else "at the top"]
        if one.kind in ("end", "label"):
            lines.append(_wrapped(one.why, "      "))
            continue
        title = f"<{one.kind}>" if one.kind == "source" else f"<{one.kind} {one.pattern}>"
        lines += _entry(one.place.line, f"{title} {one.type}: {_VERDICTS[one.verdict]}", one.why)
    lines += ["", "a match takes it" if found.taken else "nothing takes it: it is dropped"]
    if not any(one.verdict == "gives" for one in found.asked):
        lines.append("but no source here can give this tag")
    return "\n".join(lines)


def explained_json(found: Explanation) -> dict[str, Any]:
    """The same for programs."""
    return {
        "tag": found.tag,
        "taken": found.taken,
        "steps": [
            {
                "label": one.label,
                "kind": one.kind,
                "type": one.type,
                "pattern": one.pattern,
                "file": one.place.file,
                "line": one.place.line,
                "verdict": one.verdict,
                "why": one.why,
            }
            for one in found.asked
        ],
    }


# --- run


def tried_text(trial: Trial, source: Input, shown: int) -> str:
    """The first lines step by step, lines that could not be read, and the sums."""
    lines = [f"source in line {source.place.line}: {source.summary}", f"tag {trial.tag}"]
    for one in trial.texts[:shown]:
        lines += ["", f"{one.number}  {_short(one.read.text)}", *_steps(one)]
    if len(trial.texts) > shown:
        lines += ["", f"… and {len(trial.texts) - shown} more"]
    hidden = [one for one in trial.unread if one.number > shown]
    if hidden:
        lines += ["", f"the parser did not match line {hidden[0].number}: {hidden[0].read.reason}"]
        lines.append(f"   {_short(hidden[0].read.text)}")
    if trial.later is not None and trial.later.deliveries:
        held = sum(len(one.batch.events) for one in trial.later.deliveries)
        lines += ["", f"{held} were held back until the end, by filters that join lines"]
    return "\n".join([*lines, "", *_sums(trial)])


def _steps(one: TriedText) -> Iterator[str]:
    if one.read.reason:
        yield f"   parse: no: {one.read.reason}"
    elif not one.read.events:
        yield "   parse: no event"
    for event in one.read.events:
        yield f"   parse: {_TIME.format(event.time_ns)}"
        yield from (f"     + {name}: {_short(as_text(value))}" for name, value in event.record.items())
    for step in one.steps:
        where = f" in {step.label}" if step.label else ""
        yield f"   line {step.rule.place.line} {step.rule.title}{where} {step.rule.type}"
        if step.rule.output is not None:
            yield f"     → {step.rule.output.summary}"
            continue
        yield from (f"     ! refused: {reason}" for _, reason in step.refused)
        if not step.after and not step.refused:
            yield "     dropped, held back, or given another tag"
        for before, after in zip(step.before.events, step.after, strict=False):
            found = changes(before, after)
            for change in found:
                sign = "+" if change.before is None else "-" if change.after is None else "~"
                values = " → ".join(value for value in (change.before, change.after) if value is not None)
                yield f"     {sign} {change.name}: {_short(values)}"
            if not found:
                yield "     nothing changes"
    yield from (f"   lost: {reason}" for _, reason in one.lost)


def _sums(trial: Trial) -> Iterator[str]:
    yield f"{len(trial.texts)} read, {len(trial.unread)} not understood"
    if trial.texts and len(trial.unread) == len(trial.texts):
        yield "the parser matches no line of this sample"
    for rule, count in trial.delivered().items():
        yield from _entry(rule.place.line, f"{rule.title} {rule.type}: {count}", _summary(rule))
    for reason, count in trial.lost().items():
        yield f"lost: {count}: {reason}"


def tried_json(trial: Trial, source: Input, shown: int) -> dict[str, Any]:
    """The same for programs."""
    return {
        "source": {"id": source.id, "type": source.type, "line": source.place.line},
        "tag": trial.tag,
        "lines": [
            {
                "number": one.number,
                "text": one.read.text,
                "reason": one.read.reason,
                "events": [{"time_ns": event.time_ns, "record": event.record} for event in one.read.events],
                "steps": [
                    {
                        "label": step.label,
                        **_rule_json(step.rule),
                        "events": [{"time_ns": event.time_ns, "record": event.record} for event in step.after],
                        "refused": [reason for _, reason in step.refused],
                    }
                    for step in one.steps
                ],
                "lost": [reason for _, reason in one.lost],
            }
            for one in trial.texts[:shown]
        ],
        "read": len(trial.texts),
        "not_understood": [
            {"number": one.number, "text": one.read.text, "reason": one.read.reason} for one in trial.unread[:100]
        ],
        "delivered": [{**_rule_json(rule), "events": count} for rule, count in trial.delivered().items()],
        "lost": trial.lost(),
    }


# --- parts


def _rule_json(rule: Rule) -> dict[str, Any]:
    return {
        "kind": rule.kind,
        "type": rule.type,
        "pattern": rule.pattern.written,
        "file": rule.place.file,
        "line": rule.place.line,
        "summary": _summary(rule),
    }


def _summary(rule: Rule) -> str:
    return rule.output.summary if rule.output is not None else ""


def _entry(line: int, title: str, below: str) -> list[str]:
    """A title behind the number of its line, and a text below it."""
    lines = [_wrapped(title, f"{line:4}  ", "        ")]
    return [*lines, _wrapped(below, " " * 8)] if below and below != title else lines


def _wrapped(text: str, first: str, then: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=then or first,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _short(text: str) -> str:
    text = text.replace("\n", "⏎")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

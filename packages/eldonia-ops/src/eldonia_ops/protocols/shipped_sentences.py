"""The sentences that come with the package, and the texts of shipped rules as sentences.

A text of a rule is a Go template. What a sentence needs of it is where its fixed pieces and its actions are: each way
through its conditions is a sentence of its own, and two languages go the same ways.
"""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Final

from eldonia_ops.model.incidents import Incident, TimelineEntry
from eldonia_ops.model.sentences import Form, Hole, Sentences, form_of, made_form
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules import AlertingRule
from eldonia_ops.slo.texts import TEXTS

_ACTION: Final = re.compile(r"\{\{(.{1,400}?)\}\}", re.DOTALL)
_LIMIT: Final = re.compile(r"(limit is |上限は |下限は )(-?[0-9.]{0,20}[0-9])")
_LANGUAGES: Final = ("en", "ja")


@functools.cache
def _declared() -> Mapping[str, list[Mapping[str, Form]]]:
    """The sentences of the file, by area."""
    text = (files("eldonia_ops.defaults") / "sentences.ja.toml").read_text(encoding="utf-8")
    areas: Mapping[str, Mapping[str, str]] = tomllib.loads(text)
    return {
        area: [{"en": form_of(english), "ja": form_of(japanese)} for english, japanese in pairs.items()]
        for area, pairs in areas.items()
    }


@functools.cache
def sentences_of_platform() -> Sentences:
    """Errors and reasons, which the platform alone writes, and texts of alerts."""
    return Sentences([*(one for area in _declared().values() for one in area), *_texts_of_alerts(), *_comments()])


@functools.cache
def sentences_of_alerts() -> Sentences:
    """Texts of alerts that are not of a user's rule. People write titles beside them, so no other sentence is taken for
    one: what a person wrote stays as it is."""
    return Sentences([*_declared()["alerts"], *_texts_of_alerts()], sentences_of_platform())


@functools.cache
def _sentences_of_descriptions() -> Sentences:
    declared = _declared()
    found = [one for area in ("alerts", "network", "delivery", "recovery", "probes") for one in declared[area]]
    return Sentences([*found, *_texts_of_alerts()], sentences_of_platform())


def said(text: str, language: str) -> str:
    """An error or a reason of the platform in a language; one that is not known stays as it is."""
    return sentences_of_platform().said(text, language)


def said_of_alert(text: str, language: str) -> str:
    """A text of an alert, or the title of its incident, in a language; one that is not ours stays as it is."""
    return sentences_of_alerts().said(text, language)


def described(text: str, language: str) -> str:
    """The description of an alert in a language; that of one about a delivery or a recovery is a reason."""
    return _sentences_of_descriptions().said(text, language)


@functools.cache
def wording_of_alerts(language: str) -> Callable[[str], str]:
    """:func:`said_of_alert` in one language: one function for each, so that two can be compared."""
    return functools.partial(said_of_alert, language=language)


def worded_entry(entry: TimelineEntry, language: str) -> TimelineEntry:
    """An entry of a timeline with what it quotes of alerts, deliveries and recovery in a language. What people wrote
    stays as it is."""
    if entry.kind.startswith("human."):
        return entry
    changed = {
        name: now
        for name, say in _QUOTED
        if isinstance(text := entry.data.get(name), str) and (now := say(text, language)) != text
    }
    return replace(entry, data={**entry.data, **changed}) if changed else entry


_QUOTED: Final = (("summary", said_of_alert), ("description", described), ("detail", said))
"""What entries quote, by the name of the fact."""


def worded_incident(incident: Incident, language: str) -> Incident:
    """An incident with title and description in a language, where they are those of an alert."""
    return replace(
        incident,
        title=said_of_alert(incident.title, language),
        description=described(incident.description, language),
    )


def _texts_of_alerts() -> Iterator[Mapping[str, Form]]:
    for key in TEXTS["en"]:
        yield {language: form_of(TEXTS[language][key]) for language in _LANGUAGES}
    yield from _texts_of_rules()


def _texts_of_rules() -> Iterator[Mapping[str, Form]]:
    groups = {language: shipped_groups(language) for language in _LANGUAGES}
    rules = {
        language: [rule for group in found for rule in group.rules if isinstance(rule, AlertingRule)]
        for language, found in groups.items()
    }
    for one in zip(*(rules[language] for language in _LANGUAGES), strict=True):
        for name in one[0].annotations:
            ways = [forms_of_template(rule.annotations[name]) for rule in one]
            for forms in zip(*ways, strict=True):
                yield dict(zip(_LANGUAGES, forms, strict=True))


def _comments() -> Iterator[Mapping[str, Form]]:
    """What is written above shipped rules."""
    for groups in zip(*(shipped_groups(language) for language in _LANGUAGES), strict=True):
        for rules in zip(*(group.rules for group in groups), strict=True):
            comments = [rule.comment for rule in rules]
            if comments[0] != comments[-1]:
                yield {
                    language: made_form([comment], []) for language, comment in zip(_LANGUAGES, comments, strict=True)
                }


def forms_of_template(template: str) -> list[Form]:
    """The forms of a Go template, in the order of the ways through ``if`` and ``range``: a range is gone through once
    or not at all.

    Actions that are equal are one hole. ``.Labels.reason`` is a sentence again, and the number of a threshold a hole,
    since that can be tuned.
    """
    parts = _ACTION.split(template)  # text, action, text, action, … text
    return [_form(way) for way in _ways(parts)]


def _ways(parts: list[str]) -> list[list[str]]:
    """Each way through the conditions as text and actions by turns."""
    found: list[list[str]] = [[parts[0]]]
    at = 1
    while at < len(parts):
        action, text = parts[at].strip(" -"), parts[at + 1]
        keyword = action.partition(" ")[0]
        if keyword in ("if", "range"):
            inner, otherwise, at = _block(parts, at)
            branches = [*_ways(inner), *_ways(otherwise)]
            found = [_joined(way, branch) for way in found for branch in branches]
            found = [_joined(way, [parts[at + 1]]) for way in found]
        else:
            found = [[*way, action, text] for way in found]
        at += 2
    return found


def _block(parts: list[str], at: int) -> tuple[list[str], list[str], int]:
    """What is inside a block that begins at ``at``, what is behind its ``else``, and where its ``end`` is."""
    depth, middle, end = 0, 0, at
    for place in range(at, len(parts), 2):
        keyword = parts[place].strip(" -").partition(" ")[0]
        if keyword in ("if", "range", "with"):
            depth += 1
        elif keyword == "else" and depth == 1:
            middle = place
        elif keyword == "end":
            depth -= 1
            if depth == 0:
                end = place
                break
    inner = parts[at + 1 : middle or end]
    return inner, parts[middle + 1 : end] if middle else [""], end


def _joined(one: list[str], other: list[str]) -> list[str]:
    return [*one[:-1], one[-1] + other[0], *other[1:]]


def _form(way: list[str]) -> Form:
    pieces: list[str] = [""]
    holes: list[Hole] = []
    for index, part in enumerate(way):
        if index % 2:
            holes.append(Hole(part, "said" if part == ".Labels.reason" else "text"))
            pieces.append("")
            continue
        around = _LIMIT.split(part)  # text, words, number, text, …
        pieces[-1] += around[0]
        for words, _, behind in zip(around[1::3], around[2::3], around[3::3], strict=True):
            pieces[-1] += words
            holes.append(Hole("the limit", "number"))
            pieces.append(behind)
    return made_form(pieces, holes)

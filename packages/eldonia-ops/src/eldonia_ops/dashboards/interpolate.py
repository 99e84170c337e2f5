"""Variables in expressions and texts: ``$name``, ``${name}``, ``${name:form}``, ``[[name]]``.

What has no value stays as it is written. In PromQL the form follows from the place: in a text that is compared by
``=~`` several values are ``(a|b)`` with their signs escaped, as in Grafana; in one that is compared by ``=`` a value is
only quoted; outside of texts (``[$interval]``, ``by ($labels)``) values are written as they are, with commas between.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from eldonia_ops.dashboards.formats import alternation, formatted
from eldonia_ops.dashboards.selection import Selection, Selections

REFERENCE: Final = re.compile(
    r"\$(?P<plain>[A-Za-z0-9_]+)"
    r"|\[\[(?P<square>[A-Za-z0-9_]+)(?::(?P<square_form>[A-Za-z0-9_]+))?\]\]"
    r"|\$\{(?P<braced>[A-Za-z0-9_]+)(?:\.(?P<field>[^:{}]{1,200}))?(?::(?P<form>[^{}]{1,60}))?\}"
)
_MATCHER: Final = re.compile(r"(=~|!~|!=|=)\s{0,20}$")
_LONGEST: Final = 200_000
_ROUNDS: Final = 5


class Target(Enum):
    """What a text is, which decides how values are written where no form is given."""

    PROMQL = "promql"
    LOGS = "logs"
    TEXT = "text"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Reference:
    """One use of a variable in a text, from ``start`` to ``end`` (0-based, exclusive)."""

    name: str
    form: str
    field: str
    start: int
    end: int


def references(text: str) -> Iterator[Reference]:
    """The uses of variables in a text, in their order."""
    for match in REFERENCE.finditer(text):
        name = match["plain"] or match["square"] or match["braced"]
        yield Reference(name, match["form"] or match["square_form"] or "", match["field"] or "", *match.span())


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text with its values, and where its pieces come from: ``(start in the text, end, start in the template, end)``
    for each value that was put in."""

    text: str
    pieces: tuple[tuple[int, int, int, int], ...] = ()

    def origin(self, position: int) -> int:
        """The place in the template of a place in the text; the beginning of a variable for one in its value."""
        shift = 0
        for start, end, from_, to in self.pieces:
            if position < start:
                break
            if position < end:
                return from_
            shift = to - end
        return position + shift


def interpolate(
    template: str, selections: Selections, builtins: Mapping[str, str] | None = None, target: Target = Target.TEXT
) -> Interpolated:
    """The text with the values of its variables; ``builtins`` (``__interval``, …) are written as they are."""
    known = builtins or {}
    pieces: list[tuple[int, int, int, int]] = []
    parts: list[str] = []
    size = last = 0
    quotes = quotation(template) if target is Target.PROMQL else None
    for use in references(template):
        value = _value(use, template, selections, known, target, quotes)
        if value is None:
            continue
        parts += [template[last : use.start], value]
        size += use.start - last
        pieces.append((size, size + len(value), use.start, use.end))
        size += len(value)
        last = use.end
        if size > _LONGEST:
            break
    parts.append(template[last:])
    return Interpolated("".join(parts), tuple(pieces))


def _value(
    use: Reference,
    template: str,
    selections: Selections,
    builtins: Mapping[str, str],
    target: Target,
    quotes: "Callable[[int], str] | None",
) -> str | None:
    chosen = selections.get(use.name)
    if chosen is None:
        value = builtins.get(use.name)
        return formatted(use.name, (value,), use.form) if use.form and value is not None else value
    if use.field == "text" or use.form == "text":
        return chosen.text or " + ".join(chosen.values)
    if chosen.all and chosen.all_value and use.form not in ("percentencode", "queryparam"):
        return _nested(chosen.all_value, selections, builtins, target)
    values = (chosen.all_value,) if chosen.all and chosen.all_value else chosen.values
    if use.form:
        return formatted(use.name, values, use.form, chosen.text)
    match target:
        case Target.PROMQL:
            return _in_promql(values, chosen, template, use, quotes(use.start) if quotes else "")
        case Target.LOGS:
            words = [_quoted_word(value) for value in values]
            return words[0] if len(words) == 1 else f"({' or '.join(words)})"
        case Target.URL:
            return formatted(use.name, values, "percentencode")
        case Target.TEXT:
            return chosen.text if chosen.text else " + ".join(values)


def _nested(text: str, selections: Selections, builtins: Mapping[str, str], target: Target) -> str:
    for _ in range(_ROUNDS):
        if "$" not in text and "[[" not in text:
            break
        others = {name: one for name, one in selections.items() if not one.all or one.all_value != text}
        found = interpolate(text, others, builtins, target).text
        if found == text:
            break
        text = found
    return text


def _in_promql(values: tuple[str, ...], chosen: Selection, template: str, use: Reference, quote: str) -> str:
    if not quote:
        return ", ".join(values)
    opening = template.rfind(quote, 0, use.start)
    operator = _MATCHER.search(template[max(0, opening - 24) : opening])
    compared = operator[1] if operator else ""
    several = chosen.several or len(values) > 1
    if not several or (len(values) == 1 and compared in ("=", "!=")):
        return _escaped(",".join(values), quote)
    return _escaped(alternation(values) if values else "", quote)


def _escaped(text: str, quote: str) -> str:
    """A text within quotes of PromQL; backticks have no escapes."""
    if quote == "`":
        return text.replace("`", "")
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote).replace("\n", "\\n")


def quotation(template: str) -> "Callable[[int], str]":
    """For each place of a PromQL expression the quotation mark that it is within, '' outside of quotations."""
    spans: list[tuple[int, int, str]] = []
    at, size = 0, len(template)
    while at < size:
        char = template[at]
        if char == "#":
            at = template.find("\n", at)
            if at < 0:
                break
        elif char in "\"'`":
            end = at + 1
            while end < size and template[end] != char:
                end += 2 if template[end] == "\\" and char != "`" else 1
            spans.append((at, end, char))
            at = end
        at += 1

    def within(position: int) -> str:
        return next((quote for start, end, quote in spans if start < position < end), "")

    return within


def _quoted_word(value: str) -> str:
    """A value in a search of logs: quoted where it has to be."""
    if re.fullmatch(r"[A-Za-z0-9_.-]+", value) and value.lower() not in ("and", "or", "not"):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def builtin_values(
    *, start: int, end: int, step: int, scrape_interval: int, dashboard: str = "", user: str = ""
) -> dict[str, str]:
    """The variables that the platform gives; all times in ms."""
    length = max(0, end - start)
    rate = max(step + scrape_interval, 4 * scrape_interval)
    return {
        "__interval": span(step),
        "__interval_ms": str(step),
        "interval": span(step),
        "__rate_interval": span(rate),
        "__rate_interval_ms": str(rate),
        "__range": f"{max(1, round(length / 1000))}s",
        "__range_s": str(round(length / 1000)),
        "__range_ms": str(length),
        "__from": str(start),
        "__to": str(end),
        "__dashboard": dashboard,
        "__user": user,
    }


def span(ms: int) -> str:
    """A length of time as one number and unit, as Grafana writes it: 90 s are ``90s``."""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)):
        if ms >= size and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"

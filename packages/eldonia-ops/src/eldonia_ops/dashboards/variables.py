"""Variables: where their options come from, in which order they are resolved, and what is chosen."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Final, Literal

import re2

from eldonia_ops.dashboards.document import Option, Variable
from eldonia_ops.dashboards.interpolate import references
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.selection import ALL, Selection

MOST_OPTIONS: Final = 5_000
"""More options are not kept."""
AUTO: Final = "auto"
"""The option of an interval variable that follows the range."""

_LABEL: Final = re.compile(r"[^,\s(){}]+")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_RE_FLAGS: Final = {"i": "i", "s": "s", "m": "m"}


@dataclass(frozen=True, slots=True)
class Source:
    """What a query of a variable asks for. ``expr`` is a selector, a regular expression or PromQL, as ``kind`` says."""

    kind: Literal["label_values", "label_names", "metrics", "query_result", "series"]
    expr: str = ""
    label: str = ""


def source_of(query: str) -> Source | None:
    """What a query asks for; None for an empty one. What is no call asks for series, as in Grafana."""
    text = query.strip()
    if not text:
        return None
    name, bracket, rest = text.partition("(")
    if bracket and rest.endswith(")"):
        inner = rest[:-1].strip()
        match name.strip():
            case "label_values":
                selector, _, label = inner.rpartition(",")
                if _LABEL.fullmatch(label.strip()):
                    return Source("label_values", selector.strip(), label.strip())
            case "label_names":
                return Source("label_names", inner)
            case "metrics":
                return Source("metrics", inner.strip("\"'"))
            case "query_result":
                return Source("query_result", inner)
            case _:
                pass
    return Source("series", text)


def dependencies(variable: Variable, names: Collection[str]) -> list[str]:
    """The other variables that a variable uses, of those in ``names``."""
    texts = (variable.query, variable.regex, variable.all_value)
    found = [use.name for text in texts for use in references(text)]
    return [name for name in dict.fromkeys(found) if name in names and name != variable.name]


def in_order(variables: Sequence[Variable]) -> tuple[list[Variable], list[list[str]]]:
    """The variables so that each comes after those that it uses, otherwise in their order; and circles, by names.

    Those of a circle come last.
    """
    names = {one.name for one in variables}
    waits = {one.name: set(dependencies(one, names)) for one in variables}
    left = list(variables)
    ordered: list[Variable] = []
    while left:
        ready = next((one for one in left if not waits[one.name]), None)
        if ready is None:
            return [*ordered, *left], [_circle(left[0].name, waits)]
        left.remove(ready)
        ordered.append(ready)
        for waiting in waits.values():
            waiting.discard(ready.name)
    return ordered, []


def _circle(start: str, waits: dict[str, set[str]]) -> list[str]:
    path = [start]
    while True:
        following = next(iter(sorted(waits[path[-1]])), "")
        if not following:
            return path
        if following in path:
            return path[path.index(following) :]
        path.append(following)


def affected(variables: Sequence[Variable], changed: Collection[str]) -> set[str]:
    """The changed variables, and all that depend on them."""
    found = set(changed)
    names = {one.name for one in variables}
    for _ in variables:
        more = {one.name for one in variables if found.intersection(dependencies(one, names))}
        if more <= found:
            break
        found |= more
    return found


class PatternError(ValueError):
    """A regular expression that cannot be read."""


def pattern_of(text: str) -> Any:
    """The compiled pattern of ``/.../i`` or of a plain text; None for an empty one.

    Raises:
        PatternError: it is no regular expression of RE2.
    """
    if not text:
        return None
    body, flags = text, ""
    if len(text) >= 2 and text.startswith("/") and (end := text.rfind("/")) > 0:
        body, flags = text[1:end], text[end + 1 :]
    known = "".join(dict.fromkeys(_RE_FLAGS.get(flag, "") for flag in flags))
    body = body.replace("(?<", "(?P<") if "(?<=" not in body and "(?<!" not in body else body
    try:
        return re2.compile(f"(?{known}){body}" if known else body)
    except re2.error as error:
        words = str(error.args[0] if error.args else error)
        raise PatternError(f"not a regular expression: {words[:200]}") from None


def options_of(found: Iterable[str], variable: Variable) -> list[Option]:
    """The options of a query's answers: those that match ``regex``, its groups, without repetition, sorted.

    Raises:
        PatternError: ``regex`` cannot be read.
    """
    pattern = pattern_of(variable.regex)
    options: dict[str, Option] = {}
    for text in found:
        option = Option(value=text) if pattern is None else _matched(text, pattern)
        if option is not None and option.value not in options and len(option.value) <= 500:
            options[option.value] = option
            if len(options) >= MOST_OPTIONS:
                break
    return sorted_options(list(options.values()), variable.sort)


def _matched(text: str, pattern: Any) -> Option | None:
    match = pattern.search(text)
    if match is None:
        return None
    groups = match.groupdict()
    if "value" in groups or "text" in groups:
        value = groups.get("value") or groups.get("text") or ""
        label = groups.get("text") or value
        return Option(value=value, text="" if label == value else label[:500]) if value else None
    value = next((group for group in match.groups() if group), match[0] if not match.groups() else "")
    return Option(value=value) if value else None


def sorted_options(options: list[Option], sort: str) -> list[Option]:
    """The options in an order that a variable may ask for."""
    kind = sort.removesuffix("_descending")
    descending = sort.endswith("_descending")
    match kind:
        case "none":
            return options
        case "alphabetical":
            return sorted(options, key=_text, reverse=descending)
        case "case_insensitive":
            return sorted(options, key=lambda one: (_text(one).casefold(), _text(one)), reverse=descending)
        case "numerical":
            return sorted(options, key=_number, reverse=descending)
    return sorted(options, key=cmp_to_key(_natural), reverse=descending)


def _text(option: Option) -> str:
    return option.text or option.value


def _number(option: Option) -> float:
    match = _NUMBER.search(_text(option))
    return float(match[0]) if match else -1.0


_PARTS: Final = re.compile(r"[0-9]+|[^0-9]+")


def _natural(one: Option, other: Option) -> int:
    left, right = (_PARTS.findall(_text(option).casefold()) for option in (one, other))
    for a, b in zip(left, right, strict=False):
        if a == b:
            continue
        if a[0].isdecimal() and b[0].isdecimal() and int(a) != int(b):
            return -1 if int(a) < int(b) else 1
        return -1 if a < b else 1
    return len(left) - len(right)


def written_options(variable: Variable) -> list[Option]:
    """The options that a document itself names."""
    options = [Option(value=one) if isinstance(one, str) else one for one in variable.options]
    if variable.type == "interval" and variable.auto_count:
        options.insert(0, Option(value=AUTO))
    return options


def selected(variable: Variable, options: Sequence[Option] | None, wanted: Sequence[str] | None) -> Selection:
    """What is chosen of a variable, given its options (None: they are not known) and the values that are wanted.

    A value that is no option is left out. Without any left it is the default, then all, then the first option.
    """
    several = variable.multi or variable.include_all
    if variable.type == "constant":
        value = variable.query or next(iter(variable.default), "")
        return Selection(values=(value,), text=value)
    if variable.type == "text":
        value = next(iter(wanted if wanted is not None else variable.default), "") or (
            "" if wanted is not None else variable.query
        )
        return Selection(values=(value,), text=value)
    if options is None:
        return _unknown(variable, wanted if wanted is not None else variable.default, several)
    known = {one.value: _text(one) for one in options}
    for values in (wanted, variable.default):
        if not values:
            continue
        if ALL in values and variable.include_all:
            return _all(variable, known)
        valid = [value for value in dict.fromkeys(values) if value in known]
        if valid:
            valid = valid if variable.multi else valid[:1]
            return Selection(
                values=tuple(valid), several=several, text=" + ".join(known[value] for value in valid)[:2_000]
            )
    if variable.include_all:
        return _all(variable, known)
    first = next(iter(known), None)
    return (
        Selection(several=several) if first is None else Selection(values=(first,), several=several, text=known[first])
    )


def _all(variable: Variable, known: dict[str, str]) -> Selection:
    return Selection(values=tuple(known), all=True, all_value=variable.all_value, several=True, text="All")


def _unknown(variable: Variable, values: Sequence[str], several: bool) -> Selection:
    if ALL in values or (not values and variable.include_all):
        return Selection(all=True, all_value=variable.all_value or ".*", several=True, text="All")
    kept = tuple(values if variable.multi else values[:1])
    return Selection(values=kept, several=several, text=" + ".join(kept)[:2_000])


def label_of(variable: Variable, language: str = "en") -> str:
    """What a variable is called above the panels."""
    return shown(variable.label, language) or variable.name

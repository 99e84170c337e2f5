"""Templates that take parts out of texts: ``order {id} of {user}`` as a regular expression."""

import re
from dataclasses import dataclass
from typing import Final

import re2

from eldonia_ops.search.message_text import quoted_pattern
from eldonia_ops.search.pipes.pipeline import compiled_pattern

MAX_HOLES: Final = 20
_HOLE: Final = re.compile(r"\{(?:(?P<brace>\{)|(?P<name>[^{}]*)\})|\}\}")
_NAME: Final = re.compile(r"[^\W\d][\w\-@]*(?:\.[\w\-@]+)*")
_GROUP: Final = re.compile(r"\\.|\(\?<(?=[^=!])", re.DOTALL)


class TemplateError(ValueError):
    """A template or pattern that cannot be used: ``code`` is one of the faults of a search, ``detail`` a part of it."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Holes:
    """A pattern of RE2, and which group of it each name is."""

    pattern: str
    names: tuple[tuple[str, int], ...]


def template_holes(template: str) -> Holes:
    """A template as a pattern.

    A hole takes as little as possible up to what follows it; at the end all up to the next white space. ``{_}`` and
    ``{}`` take what no one wants; ``{{`` and ``}}`` are braces.

    Raises:
        TemplateError: it has no hole, one without a good name, or two with nothing between them.
    """
    parts: list[str] = []
    names: list[tuple[str, int]] = []
    groups, at, after_hole = 0, 0, False
    for found in _HOLE.finditer(template):
        literal = template[at : found.start()]
        at = found.end()
        if literal:
            parts.append(quoted_pattern(literal))
            after_hole = False
        name = found["name"]
        if name is None:
            parts.append(r"\{" if found["brace"] else r"\}")
            after_hole = False
            continue
        name = name.strip()
        if after_hole:
            raise TemplateError("holes_adjacent", name)
        after_hole = True
        hole = r"\S+" if at == len(template) else ".+?"
        if name in ("", "_"):
            parts.append(f"(?:{hole})")
            continue
        if not _NAME.fullmatch(name):
            raise TemplateError("hole_name", name)
        groups += 1
        names.append((name, groups))
        parts.append(f"({hole})")
    rest = template[at:]
    if rest:
        parts.append(quoted_pattern(rest))
    return _checked("".join(parts), names)


def pattern_holes(pattern: str) -> Holes:
    """A regular expression with named groups: ``(?<name>…)`` or ``(?P<name>…)``.

    Raises:
        TemplateError: it is none of RE2, or has no named group.
    """
    written = _GROUP.sub(lambda found: found[0] if found[0][0] == "\\" else "(?P<", pattern)
    try:
        compiled = compiled_pattern(written)
    except re2.error as error:
        detail = error.args[0] if error.args else error
        raise TemplateError(
            "pattern", detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        ) from None
    return _checked(written, sorted(compiled.groupindex.items(), key=lambda one: one[1]))


def _checked(pattern: str, names: list[tuple[str, int]]) -> Holes:
    if not names:
        raise TemplateError("holes_missing")
    if len(names) > MAX_HOLES:
        raise TemplateError("holes_many", str(MAX_HOLES))
    for number, (name, _) in enumerate(names):
        if name in [other for other, _ in names[:number]]:
            raise TemplateError("column_twice", name)
    return Holes(pattern, tuple(names))

"""Sentences that the platform says in more than one language, recognised in the form in which they were kept.

Errors of targets, reasons of the ledger and texts of shipped alerts are kept as text: in labels of series, in rows of
the state, in messages that went out. Readers of another language get them by their declaration: a sentence is the same
text in each language, with holes for what is filled in. A text that is one of them, in any language, is taken apart
into its holes and put together again in the reader's; a text that is none of them, such as a rule of the user's own,
stays as it is.

A template is plain text with holes: ``{name}`` takes any text, ``{name:number}`` a number alone, ``{name:said}`` a
text that is looked for among the sentences itself. Holes are never empty. Of several sentences that a text could be,
the one with the most fixed characters is taken. Matching looks for each fixed piece once, from the left: it takes
linear time.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from typing import Final, TypeAlias

_HOLE: Final = re.compile(r"\{([a-z_]{1,40})(?::(number|said))?\}")
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9.,]{0,30}(?:e[-+]?[0-9]{1,3})?|NaN|[-+]?Inf")
_LONGEST: Final = 4_000
_DEEPEST: Final = 4
_KEPT: Final = 4_096
_KEY: Final = 3


@dataclass(frozen=True, slots=True)
class Hole:
    """What is filled in. ``kind`` is ``text``, ``number`` or ``said``."""

    name: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence in one language: fixed pieces and holes by turns; the first and the last piece may be empty.

    ``pieces`` has one more than ``holes``.
    """

    pieces: tuple[str, ...]
    holes: tuple[Hole, ...]
    fixed: int
    """How many characters are fixed."""

    def taken(self, text: str) -> dict[str, str] | None:
        """What is in the holes of a text of this form, None for another text."""
        first, last = self.pieces[0], self.pieces[-1]
        if not self.holes:
            return {} if text == first else None
        if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
            return None
        at, end = len(first), len(text) - len(last)
        found: dict[str, str] = {}
        for hole, piece in zip(self.holes, (*self.pieces[1:-1], None), strict=True):
            # A hole holds at least one character, so what follows it begins one behind it.
            until = end if piece is None else text.find(piece, at + 1, end)
            if until <= at:
                return None
            value = text[at:until]
            if found.setdefault(hole.name, value) != value:
                return None
            if hole.kind == "number" and not _NUMBER.fullmatch(value):
                return None
            at = until + len(piece or "")
        return found

    def put(self, values: Mapping[str, str]) -> str:
        """The sentence with its holes filled."""
        parts = [self.pieces[0]]
        for hole, piece in zip(self.holes, self.pieces[1:], strict=True):
            parts += (values[hole.name], piece)
        return "".join(parts)


def form_of(template: str) -> Form:
    """The form that a template describes.

    Raises:
        ValueError: two holes follow each other with nothing in between, so a text could not be taken apart.
    """
    pieces: list[str] = []
    holes: list[Hole] = []
    at = 0
    for hole in _HOLE.finditer(template):
        pieces.append(template[at : hole.start()])
        holes.append(Hole(hole[1], hole[2] or "text"))
        at = hole.end()
    return made_form((*pieces, template[at:]), holes)


def made_form(pieces: Iterable[str], holes: Iterable[Hole]) -> Form:
    """A form of its parts.

    Raises:
        ValueError: as :func:`form_of`.
    """
    parts = tuple(pieces)
    form = Form(parts, tuple(holes), sum(map(len, parts)))
    if "" in form.pieces[1:-1]:
        raise ValueError(f"two holes touch each other: {form.pieces!r}")
    return form


_Known: TypeAlias = tuple[Form, Mapping[str, Form]]
"""A form, and the sentence that it is a form of."""


class Sentences:
    """Known sentences, each by language. ``within`` are those that holes of the kind ``said`` are looked for in;
    without it, these themselves.

    What a hole is need be said in one language only.

    Raises:
        ValueError: the languages of a sentence do not have the same holes.
    """

    def __init__(self, sentences: Iterable[Mapping[str, Form]], within: "Sentences | None" = None) -> None:
        self._within = within
        self._sentences = tuple(map(_alike, sentences))
        # Most texts are none of them: the first or the last characters say so of nearly all.
        self._by_start: dict[str, list[_Known]] = {}
        self._by_end: dict[str, list[_Known]] = {}
        self._open: list[_Known] = []
        for forms in self._sentences:
            for form in forms.values():
                start, end = form.pieces[0][:_KEY], form.pieces[-1][-_KEY:]
                if len(start) == _KEY:
                    self._by_start.setdefault(start, []).append((form, forms))
                elif len(end) == _KEY:
                    self._by_end.setdefault(end, []).append((form, forms))
                else:
                    self._open.append((form, forms))
        self._kept = lru_cache(_KEPT)(self._said)

    def __iter__(self) -> Iterator[Mapping[str, Form]]:
        return iter(self._sentences)

    def said(self, text: str, language: str) -> str:
        """The text in a language, if it is a sentence that is known; else the text itself."""
        return self._kept(text, language, 0) if 0 < len(text) <= _LONGEST else text

    def _said(self, text: str, language: str, depth: int) -> str:
        best: tuple[Form, Mapping[str, Form], dict[str, str]] | None = None
        known = self._by_start.get(text[:_KEY], []), self._by_end.get(text[-_KEY:], []), self._open
        for form, forms in chain.from_iterable(known):
            better = best is None or form.fixed > best[0].fixed
            if better and language in forms and (values := form.taken(text)) is not None:
                best = form, forms, values
        if best is None:
            return text
        form, forms, values = best
        if depth < _DEEPEST:
            for hole in form.holes:
                if hole.kind == "said":
                    values[hole.name] = (self._within or self)._said(values[hole.name], language, depth + 1)
        return forms[language].put(values)


def _alike(forms: Mapping[str, Form]) -> Mapping[str, Form]:
    """The forms, with each hole of the same kind in all languages."""
    kinds: dict[str, str] = {}
    for form in forms.values():
        for hole in form.holes:
            kinds[hole.name] = hole.kind if hole.kind != "text" else kinds.get(hole.name, "text")
    if any(kinds.keys() != {hole.name for hole in form.holes} for form in forms.values()):
        raise ValueError(f"a sentence has other holes in another language: {forms!r}")
    return {
        language: replace(form, holes=tuple(Hole(hole.name, kinds[hole.name]) for hole in form.holes))
        for language, form in forms.items()
    }

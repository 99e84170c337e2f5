"""The base of every part of a dashboard document, and the kinds of its values."""

from typing import Annotated, ClassVar, Final, TypeAlias

import msgspec
from msgspec import Meta

MOST_TEXT: Final = 20_000
"""Characters of a long text, such as a description or an expression."""
MOST_CONTENT: Final = 200_000
"""Characters of a text panel."""


class Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, repr_omit_defaults=True):
    """A mapping of a dashboard document. Keys that have their default need not be written; those of ``ALWAYS`` are."""

    ALWAYS: ClassVar[frozenset[str]] = frozenset()


class Words(Part, frozen=True):
    """A text in both languages of the pages."""

    en: Annotated[str, Meta(max_length=MOST_CONTENT)]
    ja: Annotated[str, Meta(max_length=MOST_CONTENT)] = ""


Line: TypeAlias = Annotated[str, Meta(max_length=500)]
"""A short text."""
Long: TypeAlias = Annotated[str, Meta(max_length=MOST_TEXT)]
"""A text of several lines, or an expression."""
Text: TypeAlias = Annotated[str, Meta(max_length=MOST_CONTENT)] | Words
"""A text that people read: one for all, or ``{en: ..., ja: ...}``."""
Number: TypeAlias = int | float
"""A number; whole ones stay whole."""


def shown(text: Text, language: str = "en") -> str:
    """The text in a language; English where there is none in it."""
    if isinstance(text, str):
        return text
    return (text.ja if language == "ja" else "") or text.en

"""Reads names, values and operators out of the text of a search, each once from left to right."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.condition_text import QUOTED, unescaped
from eldonia_ops.model.conditions import MAX_FIELD, MAX_SEGMENTS, MAX_VALUE, FieldName
from eldonia_ops.search.errors import SearchError

ESCAPABLE: Final = frozenset("\\*()[]{}|\"':=<>!~/-.")
"""Characters, beside spaces, that a backslash before them makes plain in a value."""

_Match = Callable[[str, int], re.Match[str] | None]
_SPACE: Final = re.compile(r"\s*+")
_NAME: Final = re.compile(r"[^\s=!<>~*\"'().:|\\\[\]{}]++")
_COMPARISON: Final = re.compile(r"=~|!~|!=|\*=|>=|<=|=|>|<")
_ENDS: Final = frozenset("()|")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was written: the pieces between its wildcards, of which there is none when it is in quotes."""

    pieces: tuple[str, ...]
    quoted: bool
    start: int
    end: int

    @property
    def text(self) -> str:
        """The text of a value without wildcards; wildcards are asterisks again."""
        return "*".join(self.pieces)


class Scanner:
    """A text and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def skip_space(self) -> None:
        """Go on to the next character that is no space."""
        self.take(_SPACE.match)

    def at_end(self) -> bool:
        """Whether all has been read."""
        return self.at >= len(self.text)

    def next_is(self, text: str) -> bool:
        """Whether the text goes on so."""
        return self.text.startswith(text, self.at)

    def peek(self) -> str:
        """The next character, '' at the end."""
        return self.text[self.at : self.at + 1]

    def at_boundary(self, offset: int = 0) -> bool:
        """Whether a term ends here."""
        following = self.text[self.at + offset : self.at + offset + 1]
        return not following or following.isspace() or following in _ENDS

    def take(self, match: _Match) -> re.Match[str] | None:
        """What matches here, if anything, and go on behind it."""
        found = match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def comparison(self) -> str | None:
        """An operator other than the colon, if there is one."""
        found = self.take(_COMPARISON.match)
        return found[0] if found else None

    def field_name(self, plain: _Match = _NAME.match) -> FieldName:
        """The name of a field, which must be here; ``plain`` matches what is written of one without quotes.

        Raises:
            SearchError: it is not, or is too long.
        """
        begin = self.at
        segments: list[str] = []
        exact = False
        while True:
            if self.peek() in ("'", '"') and self.peek():
                segments.append(self.quoted().text)
                exact = True
            elif found := self.take(plain):
                segments.append(found[0])
            else:
                raise SearchError("name_unfinished" if segments else "name_missing", self.at)
            if not self.next_is("."):
                break
            self.at += 1
        if len(segments) > MAX_SEGMENTS or sum(map(len, segments)) > MAX_FIELD:
            raise SearchError("name_long", begin, self.at, limit=MAX_FIELD, parts=MAX_SEGMENTS)
        return FieldName(tuple(segments), exact)

    def quoted(self) -> Value:
        """A text in quotes, which begins here.

        Raises:
            SearchError: it does not end, or is too long.
        """
        begin = self.at
        found = self.take(QUOTED.match)
        if found is None:
            raise SearchError("quote_open", begin, len(self.text), text=self.text[begin])
        return self._value((unescaped(found),), begin, quoted=True)

    def bare(self, *, wildcards: bool = True) -> Value:
        """A value without quotes, up to a space, parenthesis or bar; '' when one of them is here.

        Raises:
            SearchError: it is too long.
        """
        begin, text = self.at, self.text
        pieces = [""]
        part: list[str] = []
        while self.at < len(text):
            character = text[self.at]
            following = text[self.at + 1 : self.at + 2]
            if character == "\\" and following and (following in ESCAPABLE or following.isspace()):
                part.append(following)
                self.at += 2
                continue
            if character.isspace() or character in _ENDS:
                break
            if character == "*" and wildcards:
                pieces[-1] = "".join(part)
                if pieces[-1] or len(pieces) == 1:  # several in a row are one
                    pieces.append("")
                part = []
            else:
                part.append(character)
            self.at += 1
        if part or len(pieces) == 1:
            pieces[-1] = "".join(part)
        return self._value(tuple(pieces), begin, quoted=False)

    def pattern(self) -> Value:
        """A regular expression after ``=~``: up to a space, or a parenthesis that closes none of its own.

        Raises:
            SearchError: it is too long.
        """
        begin, text = self.at, self.text
        depth = 0
        while self.at < len(text) and not text[self.at].isspace():
            character = text[self.at]
            if character == "\\" and self.at + 1 < len(text) and not text[self.at + 1].isspace():
                self.at += 1
            depth += (character == "(") - (character == ")")
            if depth < 0:
                break
            self.at += 1
        return self._value((text[begin : self.at],), begin, quoted=False)

    def slashed(self) -> Value | None:
        """A regular expression between slashes, if one begins here and ends at the end of a term, before any space.

        Raises:
            SearchError: it is too long.
        """
        begin, text = self.at, self.text
        if not self.next_is("/"):
            return None
        place = begin + 1
        while place < len(text) and not text[place].isspace():
            if text[place] == "\\":
                place += 2
                continue
            if text[place] == "/" and place > begin + 1 and self.at_boundary(place + 1 - self.at):
                self.at = place + 1
                return self._value((text[begin + 1 : place].replace("\\/", "/"),), begin, quoted=False)
            place += 1
        return None

    def _value(self, pieces: tuple[str, ...], begin: int, *, quoted: bool) -> Value:
        if sum(map(len, pieces)) > MAX_VALUE:
            raise SearchError("value_long", begin, self.at, limit=MAX_VALUE)
        return Value(pieces, quoted, begin, self.at)

"""Reads the words of Lucene's query syntax out of a text, each once from left to right."""

import re
from typing import Final

from eldonia_ops.protocols.elasticsearch.query.errors import DslError

_SPACE: Final = re.compile(r"[\s\u3000]*+")
_FIELD: Final = re.compile(r"((?:[^\s\u3000+\-!():^\[\]\"{}~*?\\/&|<>=]|\\.)(?:[^\s\u3000!():^\[\]\"{}~?\\/]|\\.)*+):")
_WORD: Final = re.compile(r"(?:[^\s\u3000!():^\[\]\"{}~\\/]|\\.)(?:[^\s\u3000():^\[\]\"{}~\\]|\\.)*+")
_SUFFIX: Final = re.compile(r"\^([0-9]++(?:\.[0-9]++)?+)|~([0-9]*+(?:\.[0-9]++)?+)")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BOUND: Final = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|((?:[^\s\]}\\]|\\.)++)")
_COMPARE: Final = re.compile(r"(>=|<=|>|<)[\s\u3000]*+")


class LuceneScanner:
    """``at`` is where reading goes on. What a method does not find, it leaves."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def is_here(self, text: str) -> bool:
        """Whether a text is here."""
        return self.text.startswith(text, self.at)

    def take(self, text: str) -> bool:
        """Take a text if it is here."""
        if not self.is_here(text):
            return False
        self.at += len(text)
        return True

    def _taken(self, found: re.Match[str] | None) -> re.Match[str] | None:
        if found:
            self.at = found.end()
        return found

    def field(self) -> str | None:
        """The name of a field with its colon."""
        found = self._taken(_FIELD.match(self.text, self.at))
        return unescaped(found[1]) if found else None

    def comparison(self) -> str | None:
        """``>``, ``>=``, ``<`` or ``<=``."""
        found = self._taken(_COMPARE.match(self.text, self.at))
        return found[1] if found else None

    def bound(self) -> str:
        """The end of a range.

        Raises:
            DslError: there is none.
        """
        found = self._taken(_BOUND.match(self.text, self.at))
        if not found:
            raise self.fault()
        return unescaped(found[1] if found[1] is not None else found[2])

    def enclosed(self, mark: str) -> str:
        """What lies between two equal marks, as it is written.

        Raises:
            DslError: there is no second one.
        """
        text, start = self.text, self.at
        end = start + 1
        while end < len(text) and text[end] != mark:
            end += 2 if text[end] == "\\" else 1
        if end >= len(text):
            raise self.fault(start)
        self.at = end + 1
        return text[start + 1 : end]

    def word(self) -> str:
        """A word, as it is written.

        Raises:
            DslError: there is none.
        """
        found = self._taken(_WORD.match(self.text, self.at))
        if not found:
            raise self.fault()
        return found[0]

    def slop(self) -> int | None:
        """How far the words of a phrase may be apart, behind ``~``."""
        found = _SUFFIX.match(self.text, self.at)
        if not found or found[2] is None:
            return None
        self.at = found.end()
        return int(float(found[2] or 0))

    def boost(self) -> float | None:
        """A weight behind ``^``."""
        found = _SUFFIX.match(self.text, self.at)
        if not found or found[2] is not None:
            return None
        self.at = found.end()
        return float(found[1])

    def conjunction(self) -> str:
        """AND or OR if one of them is here, in either way of writing it; it is taken."""
        for word, meaning in (("AND", "AND"), ("&&", "AND"), ("OR", "OR"), ("||", "OR")):
            end = self.at + len(word)
            if self.text.startswith(word, self.at) and (not word.isalpha() or self.ends_word(end)):
                self.at = end
                return meaning
        return ""

    def modifier(self) -> str:
        """+ or - if one of them, ! or NOT is here; it is taken."""
        text = self.text
        if text[self.at : self.at + 1] in ("+", "-", "!"):
            one = text[self.at]
            self.at += 1
            self.space()
            return "+" if one == "+" else "-"
        if text.startswith("NOT", self.at) and self.ends_word(self.at + 3):
            self.at += 3
            self.space()
            return "-"
        return ""

    def space(self) -> None:
        """Take white space."""
        self.at = _SPACE.match(self.text, self.at).end()  # pyright: ignore[reportOptionalMemberAccess]

    def ends_word(self, end: int) -> bool:
        """Whether a word may end at a place."""
        return end >= len(self.text) or self.text[end].isspace() or self.text[end] in '("'

    def fault(self, at: int | None = None) -> DslError:
        """That what is here, or at a place, cannot be read."""
        at = self.at if at is None else at
        seen = f'"{self.text[at : at + 20]}"' if at < len(self.text) else '"<EOF>"'
        before = self.text[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1)
        reason = f"Cannot parse '{self.text}': Encountered {seen} at line {line}, column {column}."
        cause = {"type": "parse_exception", "reason": reason}
        return DslError(
            "query_shard_exception",
            f"Failed to parse query [{self.text}]",
            details={"caused_by": cause},
            of_phase=True,
        )


def unescaped(text: str) -> str:
    """A text without the backslashes before its letters."""
    return _ESCAPE.sub(lambda one: chr(int(one[1], 16)) if one[1] else one[2], text)


def is_wild(word: str) -> bool:
    """Whether a word has an asterisk or a question mark that is not escaped."""
    plain = _ESCAPE.sub("", word)
    return "*" in plain or "?" in plain

"""What a word or phrase asks of a message, in parts that an index can answer and parts that it cannot.

Both the evaluation of records and the SQL of a store are made from a :class:`TextTest`, so that they agree.

Words of ASCII letters and digits are whole words: ``gate`` is not in ``gateway``. Chinese and Japanese have no spaces
between words, and Latin letters follow them without one: any other letter is found as a piece of text.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

import re2

ASCII_WORD: Final = re.compile(r"[0-9A-Za-z]++")
_NON_ASCII_RUN: Final = re.compile(r"[^\x00-\x7f]++")
_SPACE: Final = re.compile(r"\s++")
_BEGIN: Final = "(?:^|[^0-9A-Za-z])"
_END: Final = "(?:$|[^0-9A-Za-z])"
_MEMORY: Final = 1 << 20


@dataclass(frozen=True)
class TextTest:
    """All of it must hold for a message.

    ``words`` (ASCII, lower case) are whole words of it. ``pairs`` are neighbouring characters of it that are no ASCII
    and have no case; they only narrow down. ``part`` is a piece of it as it is, '' for none. ``pattern`` is a regular
    expression of RE2 that matches somewhere, '' for none. ``certain`` means that the words say everything.
    """

    words: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    part: str = ""
    pattern: str = ""

    @property
    def certain(self) -> bool:
        """Whether nothing beside the words is asked for."""
        return not self.part and not self.pattern

    def holds(self, message: str) -> bool:
        """Whether a message passes."""
        if self.words:
            lower = message.lower()
            # A whole word is a piece of the text, too, which is found out in a tenth of the time.
            if any(word not in lower for word in self.words) or not words_of(message).issuperset(self.words):
                return False
        if self.part and self.part not in message:
            return False
        return not self.pattern or self._compiled.search(message) is not None

    @cached_property
    def _compiled(self) -> Any:
        options = re2.Options()
        options.log_errors = False
        options.dot_nl = True
        options.max_mem = _MEMORY
        return re2.compile(self.pattern, options)


def words_of(message: str) -> frozenset[str]:
    """The ASCII words of a message, in lower case."""
    return frozenset(word.lower() for word in ASCII_WORD.findall(message))


@lru_cache(maxsize=1024)
def text_test(pieces: tuple[str, ...]) -> TextTest:
    """What is asked for by pieces with anything but spaces between them."""
    words: list[str] = []
    pairs: list[str] = []
    last = len(pieces) - 1
    for number, piece in enumerate(pieces):
        words += _whole_words(piece, open_left=number > 0, open_right=number < last)
        pairs += _pairs(piece)
    first = pieces[0]
    if last == 0 and words == [first.lower()]:
        return TextTest((words[0],))
    if last == 0 and not _SPACE.search(first) and not _has_case(first) and not _is_word(first[0] + first[-1]):
        return TextTest(_once(words), _once(pairs), part=first)
    pattern = r"\S*".join(r"\s+".join(map(quoted_pattern, _SPACE.split(piece))) for piece in pieces)
    begin = _BEGIN if first and _is_word(first[0]) else ""
    end = _END if pieces[-1] and _is_word(pieces[-1][-1]) else ""
    return TextTest(_once(words), _once(pairs), pattern=f"(?i){begin}{pattern}{end}")


def words_in(text: str) -> list[tuple[str, ...]]:
    """The pieces of each word of a plain text, which has no syntax, without the punctuation around it."""
    found: list[tuple[str, ...]] = []
    for word in text.split():
        inner = [place for place, character in enumerate(word) if character.isalnum()]
        if inner:
            found.append((word[inner[0] : inner[-1] + 1],))
    return found


def quoted_pattern(text: str) -> str:
    """A pattern of RE2 that matches a text and nothing else."""
    return "".join(map(_quoted, text))


def _quoted(character: str) -> str:
    if character.isalnum() or character == "_" or ord(character) > 127:
        return character
    return f"\\{character}" if character.isprintable() and character != " " else f"\\x{ord(character):02x}"


def _whole_words(piece: str, *, open_left: bool, open_right: bool) -> list[str]:
    return [
        found[0].lower()
        for found in ASCII_WORD.finditer(piece)
        if not (open_left and found.start() == 0) and not (open_right and found.end() == len(piece))
    ]


def _pairs(piece: str) -> list[str]:
    """Neighbouring characters that an index over lower-case text holds unchanged.

    Letters with two cases are left to the pattern: how an upper case letter folds is not the same everywhere.
    """
    return [
        run[index : index + 2]
        for run in _NON_ASCII_RUN.findall(piece)
        for index in range(len(run) - 1)
        if all(unicodedata.category(character) in ("Lo", "Lm", "Nd") for character in run[index : index + 2])
    ]


def _has_case(text: str) -> bool:
    return any(unicodedata.category(character) not in ("Lo", "Lm", "Nd", "Po", "Pd", "Ps", "Pe") for character in text)


def _is_word(text: str) -> bool:
    return ASCII_WORD.search(text) is not None


def _once(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))

"""Messages with what varies taken out: first every number, at the speed of memory; then what looks like an identifier.

A *shape* is the first line of a message in UTF-8, cut to :data:`MAX_CHARACTERS`, in which each run of ASCII digits is a
single ``0``. The shapes of a batch are made together by a few calls into C, so that a message whose shape is known
costs a look-up. Everything else is a function of the shape: messages of one shape have one pattern, whatever the order.

A *masked* shape is a tuple of words in which :data:`NUMBER` is in the place of numbers, addresses, times, UUIDs,
hexadecimal and mixed identifiers, and :data:`ANY` in the place of quoted texts and mail addresses.
"""

import re
from collections.abc import Sequence
from typing import Final

MAX_CHARACTERS: Final = 400
"""What of a message is looked at: the beginning of its first line."""

MAX_WORDS: Final = 40
NUMBER: Final = "<#>"
ANY: Final = "<*>"
REST: Final = "<…>"
"""The last word of a message with more than :data:`MAX_WORDS`."""

_DIGITS: Final = bytes(ord("0") if chr(one) in "123456789" else one for one in range(256))
_MOST_TOKENS: Final = 20_000

_QUOTED: Final = re.compile(r"""(?<![A-Za-z0-9_=])(?:"[^"]*+"|'[^']*+')(?![A-Za-z0-9_])""")
"""A quoted text that is not the value of a ``key=``, and no apostrophe."""

_KEY: Final = re.compile(r"""["'][^\s]*["']""")
_IDENTIFIER: Final = re.compile(r"[0-9a-f-]+|[0-9A-F-]+")
_SHORT: Final = 7
"""Fewer characters are no identifier as a whole."""

_MAIL: Final = re.compile(r"(?<![A-Za-z0-9_.+%-])[A-Za-z0-9_.+%-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)++")
_DATE: Final = re.compile(r"(?<=0[/-])[A-Z][a-z]{2}[/-](?=0)")
_HEX_GROUPS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[0-9A-Fa-f]++(?:-[0-9A-Fa-f]++){4}|(?:[0-9A-Fa-f]*+:){2,7}[0-9A-Fa-f]++)(?![A-Za-z0-9])"
)
"""UUIDs, hardware addresses and IPv6: groups of them may have no digit."""

_WORD: Final = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z_]*+)0([A-Za-z0-9_]*+)")
_HEX: Final = re.compile(r"[a-f]*|[A-F]*")
_UNIT: Final = re.compile(r"(?:[nμu]?s|ms|[KMGTkmgt]i?[Bb]?|B|h|m|min|px|rpm|x|st|nd|rd|th)?")
_JOINED: Final = re.compile(r"<#>(?:[.:,/+@T_-]<#>)+")
_SIGNED: Final = re.compile(r"(?<![^\s=:(\[,])[+-]<#>")


def shapes_of(messages: Sequence[str]) -> list[bytes]:
    """The shape of each message, in their order."""
    if not messages:
        return []
    if max(map(len, messages)) > MAX_CHARACTERS:
        messages = [message[:MAX_CHARACTERS] for message in messages]
    text = "\n".join(messages).encode("utf-8", "replace")
    if text.count(b"\n") != len(messages) - 1:
        text = "\n".join([_first_line(message) for message in messages]).encode("utf-8", "replace")
    text = text.translate(_DIGITS)
    # Eight at once, then four: long numbers are short after two passes.
    text = text.replace(b"00000000", b"0").replace(b"0000", b"0")
    while b"00" in text:
        text = text.replace(b"00", b"0")
    return text.split(b"\n")


def _first_line(message: str) -> str:
    return message.lstrip("\n").partition("\n")[0]


class Masking:
    """Makes masked shapes, and remembers words that were masked before (a bounded number of them)."""

    __slots__ = ("_words",)

    def __init__(self) -> None:
        self._words: dict[str, str] = {}

    def words_of(self, shape: bytes) -> list[str]:
        """The words of a masked shape. A word ends behind white space or an equals sign."""
        text = shape.decode("utf-8", "replace")
        if '"' in text or "'" in text:
            text = _QUOTED.sub(_quoted, text)
        if "=" in text:
            text = text.replace("=", "= ")
        words = [self._masked(word) if "0" in word or "@" in word else word for word in text.split()]
        return words if len(words) <= MAX_WORDS else [*words[:MAX_WORDS], REST]

    def _masked(self, word: str) -> str:
        if len(word) > _SHORT and _IDENTIFIER.fullmatch(word):
            return NUMBER
        known = self._words
        if (masked := known.get(word)) is None:
            if len(known) >= _MOST_TOKENS:
                known.clear()
            masked = known[word] = mask_word(word)
        return masked


def mask_word(word: str) -> str:
    """A word without white space in which runs of digits are ``0``, with what varies replaced."""
    if len(word) > _SHORT and _IDENTIFIER.fullmatch(word):
        return NUMBER
    if "@" in word:
        word = _MAIL.sub(ANY, word)
    word = _DATE.sub("", word)
    word = _HEX_GROUPS.sub(_groups, word)
    word = _WORD.sub(_number, word)
    return _SIGNED.sub(NUMBER, _JOINED.sub(NUMBER, word))


def _quoted(found: re.Match[str]) -> str:
    text = found[0]
    if found.string[found.end() : found.end() + 1] == ":" and _KEY.fullmatch(text):
        return text  # a key of JSON
    return f"{text[0]}{ANY}{text[0]}"


def _groups(found: re.Match[str]) -> str:
    # Times, too, are groups between colons; without a digit they are words.
    return NUMBER if "0" in found[0] else found[0]


def _number(found: re.Match[str]) -> str:
    """``worker0`` is a word with a number, ``0ms`` a number with a unit; anything mixed is an identifier."""
    before, behind = found.groups()
    if not behind:
        return NUMBER if _HEX.fullmatch(before) else before + NUMBER
    if not before and _UNIT.fullmatch(behind):
        return NUMBER + behind
    return NUMBER


def template_of(words: Sequence[str]) -> str:
    """A template as a text."""
    return " ".join(words).replace("= ", "=")


def words_of_template(template: str) -> list[str]:
    """The words of a template that :func:`template_of` wrote."""
    return template.replace("=", "= ").split()

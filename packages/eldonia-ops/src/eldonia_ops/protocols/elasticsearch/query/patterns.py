"""Patterns of texts as expressions of RE2: wildcards, prefixes, Lucene's regular expressions, words of a text."""

import itertools
import re
from typing import Final

from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.search.message_text import quoted_pattern

LONGEST: Final = 1_000
"""Characters of a pattern, as Elasticsearch's ``index.max_regex_length`` bounds them."""

_TOKEN: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = r"[^\pL\pN]+"
_MAYBE_BETWEEN: Final = r"[^\pL\pN]*"


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and digits of any script."""
    return _TOKEN.findall(text)


def wildcard_pattern(text: str, *, case_insensitive: bool = False) -> str:
    """``*`` is any text, ``?`` one character, a backslash takes the next one as it is."""
    parts: list[str] = []
    place = 0
    while place < len(text):
        one = text[place]
        if one == "\\" and place + 1 < len(text):
            place += 1
            parts.append(quoted_pattern(text[place]))
        else:
            parts.append(".*" if one == "*" else "." if one == "?" else quoted_pattern(one))
        place += 1
    return _bounded(f"{'(?i)' if case_insensitive else ''}^{''.join(parts)}$")


def prefix_pattern(text: str, *, case_insensitive: bool = False) -> str:
    """Texts that begin with one."""
    return _bounded(f"{'(?i)' if case_insensitive else ''}^{quoted_pattern(text)}")


def whole_pattern(text: str) -> str:
    """The same text in any case."""
    return _bounded(f"(?i)^{quoted_pattern(text)}$")


def lucene_pattern(text: str, *, case_insensitive: bool = False) -> str:
    """A regular expression of Lucene, which always means the whole text.

    Raises:
        DslError: it uses an operator that RE2 lacks: ``~`` (not), ``&`` (and), ``<1-5>`` (numbers), ``@`` (any).
    """
    parts: list[str] = []
    place, in_class = 0, False
    while place < len(text):
        one = text[place]
        if one == "\\" and place + 1 < len(text):
            place += 1
            after = text[place]
            parts.append(f"\\{after}" if after in "dDwWsS" else quoted_pattern(after))
        elif in_class:
            in_class = one != "]"
            parts.append("\\[" if one == "[" else one)
        elif one == "[":
            in_class = True
            parts.append(one)
        elif one in "~&<@":
            reason = f"the operator [{one}] of Lucene's regular expressions is not supported: [{text}]"
            raise illegal(reason)
        elif one == '"':
            end = text.find('"', place + 1)
            end = len(text) if end < 0 else end
            parts.append(quoted_pattern(text[place + 1 : end]))
            place = end
        elif one in "^$":
            parts.append(f"\\{one}")
        elif one == "#":
            parts.append("[^\\x00-\\x{10FFFF}]")
        else:
            parts.append(one)
        place += 1
    return _bounded(f"{'(?i)' if case_insensitive else ''}^(?:{''.join(parts)})$")


def word_pattern(text: str, *, prefix: bool = False) -> str:
    """Texts that contain a word; with ``prefix`` a word that begins with it."""
    begin, end = _edges(text)
    return _bounded(f"(?i){begin}{quoted_pattern(text)}{'' if prefix else end}")


def phrase_pattern(some: list[str], *, slop: int = 0, prefix: bool = False) -> str:
    """Texts that contain words one after another, with up to ``slop`` others between them.

    With ``prefix`` the last one need only begin so.
    """
    begin, end = _edges(some[0])[0], _edges(some[-1])[1]
    pattern = quoted_pattern(some[0])
    for before, after in itertools.pairwise(some):
        gap = _BETWEEN if _ascii(before[-1]) and _ascii(after[0]) else _MAYBE_BETWEEN
        others = f"(?:[\\pL\\pN]+{_BETWEEN}){{0,{min(slop, 50)}}}" if slop else ""
        pattern += f"{_BETWEEN if slop else gap}{others}{quoted_pattern(after)}"
    return _bounded(f"(?i){begin}{pattern}{'' if prefix else end}")


def _edges(text: str) -> tuple[str, str]:
    first, last = text[:1], text[-1:]
    # A number is not found in the fraction of another one.
    begin = ("(?:^|[^0-9A-Za-z.]|[^0-9]\\.)" if first.isdigit() else "(?:^|[^0-9A-Za-z])") if _ascii(first) else ""
    end = ("(?:$|[^0-9A-Za-z.]|\\.(?:$|[^0-9]))" if last.isdigit() else "(?:$|[^0-9A-Za-z])") if _ascii(last) else ""
    return begin, end


def _ascii(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _bounded(pattern: str) -> str:
    if len(pattern) > 4 * LONGEST:
        raise DslError("illegal_argument_exception", f"a pattern of more than {LONGEST} characters", of_phase=True)
    return pattern

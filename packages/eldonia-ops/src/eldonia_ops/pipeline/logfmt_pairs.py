"""The pairs of logfmt, ``key=value key="a b" flag``: https://brandur.org/logfmt"""

import re
from typing import Final, TypeAlias

Value: TypeAlias = "str | int | float | bool"

_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@/-]{0,127})(?:=("(?:[^"\\]|\\.)*+"|[^\s"]*+))?(?: +|$)', re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?", re.ASCII)


def pair_at(text: str, at: int) -> tuple[str, str | None, int] | None:
    """``(key, value as it is written or None for a key alone, where the next pair begins)``; None where no pair is."""
    match = _PAIR.match(text, at)
    return None if match is None else (match[1], match[2], match.end())


def plain_text(written: str) -> str:
    """A value without its quotes and escapes."""
    if written[:1] != '"':
        return written
    inner = written[1:-1]
    return _ESCAPE.sub(lambda one: _ESCAPES.get(one[1], one[1]), inner) if "\\" in inner else inner


def typed(written: str) -> Value:
    """A value as text, number or truth, by how it is written; what is in quotes is text."""
    if written[:1] == '"':
        return plain_text(written)
    if written in ("true", "false"):
        return written == "true"
    if _NUMBER.fullmatch(written):
        return float(written) if "." in written else int(written)
    return written

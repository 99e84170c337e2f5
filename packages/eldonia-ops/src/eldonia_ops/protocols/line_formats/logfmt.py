"""logfmt: ``time=2026-11-30T08:00:00Z level=info msg="request done" status=200``.

https://brandur.org/logfmt; Go's slog, logrus and go-kit write it. A line is taken for it when most of it is pairs, at
least two, and one of them is a message or a level. The fields then mean what the same ones mean in a JSON line.
"""

import re
from typing import Final

NAME: Final = "logfmt"

_PAIR: Final = re.compile(r'([A-Za-z_@][\w.@/-]{0,127})(?:=("(?:[^"\\]|\\.)*+"|[^\s"]*+))?(?: +|$)', re.ASCII)
_TELLING: Final = frozenset({"msg", "message", "level", "lvl", "severity"})
_MOST: Final = 256
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r"}
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?", re.ASCII)


def pairs(text: str) -> dict[str, str | int | float | bool] | None:
    """The pairs of a line, None for a line that is not logfmt. Of a key that is there twice the last counts."""
    if "=" not in text[:200]:
        return None
    found: dict[str, str | int | float | bool] = {}
    at = count = bare = 0
    text = text.strip(" ")
    while at < len(text):
        match = _PAIR.match(text, at)
        count += 1
        if match is None or count > _MOST:
            return None
        if match[2] is None:
            if match[1] in _TELLING:
                return None
            bare += 1
            found[match[1]] = True
        else:
            found[match[1]] = _value(match[2])
        at = match.end()
    valued = count - bare
    return found if valued >= 2 and valued > bare and not _TELLING.isdisjoint(found) else None


def _value(text: str) -> str | int | float | bool:
    if text[:1] == '"':
        inner = text[1:-1]
        return _ESCAPE.sub(lambda one: _ESCAPES.get(one[1], one[1]), inner) if "\\" in inner else inner
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text

"""The labels of a stream as text, ``{job="shop", pod="a-1"}``, to a mapping; pure."""

import re
from typing import Final

import msgspec

from eldonia_ops.intake import IntakeError

MOST: Final = 64
_LABEL: Final = re.compile(r'\s*([A-Za-z_:][A-Za-z0-9_:.]*)\s*=\s*("(?:[^"\\]|\\.)*+"|`[^`]*`)\s*(,|\})', re.DOTALL)
_decode: Final = msgspec.json.Decoder(str).decode


def read_labels(text: str) -> dict[str, str]:
    """The labels.

    Raises:
        IntakeError: it is no such text, or has more than :data:`MOST` labels.
    """
    text = text.strip()
    if text == "{}":
        return {}
    found: dict[str, str] = {}
    at = 1 if text.startswith("{") else len(text)
    while match := _LABEL.match(text, at):
        found[match[1]] = _unquoted(match[2])
        at = match.end()
        if len(found) > MOST:
            raise IntakeError(f"a stream has more than {MOST} labels")
        if match[3] == "}":
            if at == len(text):
                return found
            break
    raise IntakeError('the labels of a stream cannot be read; write {name="value", …}')


def _unquoted(quoted: str) -> str:
    if quoted[0] == "`" or "\\" not in quoted:
        return quoted[1:-1]
    try:
        return _decode(quoted)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return quoted[1:-1]  # an escape of Go that JSON does not have stays as it is written

"""The name of the form in which a line is written, for people who ask what was recognised."""

from typing import Final

from eldonia_ops.model.timestamps import leading_timestamp
from eldonia_ops.protocols.line_formats import logfmt
from eldonia_ops.protocols.logs.plain import read_cri, read_plain

JSON: Final = "json"
CONTAINER: Final = "container log"
TIMED: Final = "text with time"
TEXT: Final = "text"

_EXAMINED: Final = 8_192


def form_of(line: bytes, now_ns: int) -> str:
    """``json``, ``container log``, ``logfmt`` (the first and the last also "behind a time"), ``syslog``, the name of a
    form of this package, ``text with time`` or ``text``."""
    text = line[:_EXAMINED].decode("utf-8", "replace").partition("\n")[0]
    if text.lstrip()[:1] == "{":
        return JSON
    if read_cri(text) is not None:
        return CONTAINER
    if logfmt.pairs(text) is not None:
        return logfmt.NAME
    leading = leading_timestamp(text, now_ns)
    if leading is not None:
        rest = text[leading[1] :].lstrip(" \t:-")
        if rest[:1] == "{" and rest.rstrip()[-1:] == "}":
            return f"{JSON} behind a time"
        if logfmt.pairs(rest) is not None:
            return f"{logfmt.NAME} behind a time"
    found = read_plain(text, now_ns)
    return found.format or (TIMED if found.timestamp_ns else TEXT)

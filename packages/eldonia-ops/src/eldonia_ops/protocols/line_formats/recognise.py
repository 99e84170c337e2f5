"""The name of the form in which a line is written, for people who ask what was recognised."""

from typing import Final

from eldonia_ops.protocols.line_formats import logfmt
from eldonia_ops.protocols.log_plain import read_cri, read_plain

JSON: Final = "json"
CONTAINER: Final = "container log"
TIMED: Final = "text with time"
TEXT: Final = "text"

_EXAMINED: Final = 8_192


def form_of(line: bytes, now_ns: int) -> str:
    """``json``, ``container log``, ``logfmt``, ``syslog``, the name of a form of this package, ``text with time`` or
    ``text``."""
    text = line[:_EXAMINED].decode("utf-8", "replace").partition("\n")[0]
    if text.lstrip()[:1] == "{":
        return JSON
    if read_cri(text) is not None:
        return CONTAINER
    if logfmt.pairs(text) is not None:
        return logfmt.NAME
    found = read_plain(text, now_ns)
    return found.format or (TIMED if found.timestamp_ns else TEXT)

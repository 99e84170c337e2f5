"""Bounds on the parameters of every request, in the query and in forms, before they are read."""

from typing import Final
from urllib.parse import unquote_to_bytes

MOST: Final = 500
"""Parameters of one request."""
LONGEST_NAME: Final = 200
"""Bytes of a name."""
LONGEST: Final = 20_000
"""Bytes of a value: a query in PromQL may be that long."""
LONGEST_WORD: Final = 200
"""Bytes of a value that is an instant, a duration, a number or a word."""

_TEXTS: Final = frozenset(
    {b"query", b"match[]", b"filter", b"where", b"tag", b"tags", b"q", b"receiver", b"next", b"token"}
    | {b"panes", b"logs", b"traces"}
)
"""Parameters that may be longer than a word; ``token`` and ``next`` are those of the sign-in form, ``panes``, ``logs``
and ``traces`` what Explore shows."""
_NAMES: Final = frozenset(
    {
        *(b"service", b"operation", b"component", b"alertname", b"metric", b"user_id", b"request_id"),
        # A password has 200 characters, of three bytes each in Japanese.
        *(b"password", b"again"),
        # What a provider of sign-on sends a browser back with: a code may have some thousand bytes.
        *(b"code", b"state", b"session_state", b"scope", b"iss", b"error_description", b"error_uri"),
    }
)
_LONGEST_OF_NAMES: Final = 5_000


def fault_of(encoded: bytes) -> str:
    """What is wrong with a query string or a URL-encoded form, '' for nothing. The time taken is linear."""
    if not encoded:
        return ""
    if encoded.count(b"&") >= MOST:
        return f"more than {MOST} parameters"
    for pair in encoded.split(b"&"):
        raw_name, _, raw_value = pair.partition(b"=")
        if len(raw_name) > 3 * LONGEST_NAME:
            return f"a parameter's name is longer than {LONGEST_NAME} bytes"
        name = unquote_to_bytes(raw_name.replace(b"+", b" "))
        shown = name[:LONGEST_NAME].decode("utf-8", "replace")
        if len(name) > LONGEST_NAME:
            return f"a parameter's name is longer than {LONGEST_NAME} bytes"
        limit = LONGEST if name in _TEXTS else _LONGEST_OF_NAMES if name in _NAMES else LONGEST_WORD
        if len(raw_value) > 3 * limit or len(value := unquote_to_bytes(raw_value)) > limit:
            return f"parameter {shown!r} is longer than {limit:,} bytes"
        if b"\0" in value or b"\0" in name:
            return f"parameter {shown!r} holds a NUL character"
    return ""

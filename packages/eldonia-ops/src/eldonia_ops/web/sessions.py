"""The cookie of a session, and what must accompany what it changes."""

import hmac
from typing import Final

_COOKIE: Final = "eldonia_ops_session"


def cookie_name(host: str, *, secure: bool, cookie: str = _COOKIE) -> str:
    """The name of the cookie at a host and port (the ``Host`` header).

    Browsers send a cookie to every port of its host. The name carries the port, so that two programs on one machine
    do not sign each other's people out. Over TLS it has the prefix by which browsers accept it from this very host
    alone (RFC 6265bis, section 4.1.3.2).
    """
    port = host.rpartition(":")[2]
    name = f"{cookie}_{port}" if port.isascii() and port.isdigit() else cookie
    return f"__Host-{name}" if secure else name


def proof_cookie(host: str) -> str:
    """The name of the cookie with the ID token of a provider. It has a path, so it cannot have the prefix."""
    return cookie_name(host, secure=False, cookie="eldonia_ops_proof")


def csrf_matches(expected: str, presented: str) -> bool:
    """Compare in constant time what a request presents with the session's value; nothing matches ''."""
    return bool(expected) and hmac.compare_digest(expected.encode(), presented.encode("utf-8", "replace"))

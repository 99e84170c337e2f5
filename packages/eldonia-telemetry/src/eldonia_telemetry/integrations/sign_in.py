"""Recognises a refused sign-in by its path, its fields and how it was answered.

Frameworks refuse in different ways: 401, 400 (fastapi-users), 403, 422, or the form again with 200 (Flask's
tutorial, Django). An application that refuses in another way, or at another path, reports it itself with
:func:`eldonia_telemetry.auth.failed_login`; then nothing is recognised here.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

LOGIN_PATHS: Final = (
    *("/login", "/log-in", "/log_in", "/logon", "/signin", "/sign-in", "/sign_in", "/authenticate"),
    *("/login/access-token", "/token", "/sessions", "/session", "/auth", "/api-token-auth", "/jwt/create"),
)
"""Ends of paths where people and programs sign in, by default."""

MAX_ANSWER: Final = 65_536
"""Bytes of an answer in which a form is looked for."""

_SURE: Final = ("/login", "/log-in", "/log_in", "/logon", "/signin", "/sign-in", "/sign_in", "/authenticate")
"""Of the above, those that are used for nothing else: the body need not show that it is a sign-in."""
_MAY_SERVE_OTHERS: Final = tuple(path for path in LOGIN_PATHS if not path.endswith(_SURE))
_REFUSED: Final = frozenset({400, 401, 403})
_UNPROCESSABLE: Final = 422
_PASSWORD: Final = re.compile(r"(?:^|[._-])(?:passw(?:or)?d|passwort|pass|pwd|passcode|password1)$", re.IGNORECASE)
_FORMS: Final = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_PASSWORD_INPUT: Final = re.compile(rb"\btype\s?=\s?[\"']?password\b", re.IGNORECASE)


class Posted(Protocol):
    """What is asked of a request."""

    path: str
    headers: Any


class Recognition:
    """Decides whether a POST was a sign-in that failed. ``paths`` are ends of paths."""

    def __init__(self, paths: Iterable[str] = LOGIN_PATHS) -> None:
        self._paths = tuple(path.rstrip("/") for path in paths)

    def may_show_form(self, posted: Posted, headers: Iterable[tuple[Any, Any]]) -> bool:
        """Whether an answer of 200 with these headers may be the login form again: HTML after a form was sent."""
        if not self._is_login(posted.path):
            return False
        if not posted.headers.get(b"content-type", b"").strip().lower().startswith(_FORMS):
            return False
        return any(
            _bytes(name).lower() == b"content-type" and b"html" in _bytes(value).lower() for name, value in headers
        )

    def refusal(self, path: str, status: int, fields: Sequence[tuple[str, str]], html: bytes = b"") -> str:
        """Why this was a failed login, '' if it was none. ``html`` is the beginning of an answer of 200."""
        if not self._is_login(path):
            return ""
        complete = len(fields) > 1 and any(_PASSWORD.search(name) for name, _ in fields)
        if status == 200:
            return "login form shown again" if complete and _PASSWORD_INPUT.search(html) else ""
        # A document that fails its validation without naming an account and a password was no attempt.
        if status == _UNPROCESSABLE:
            return "HTTP 422" if complete else ""
        if status not in _REFUSED:
            return ""
        return f"HTTP {status}" if complete or not path.rstrip("/").endswith(_MAY_SERVE_OTHERS) else ""

    def _is_login(self, path: str) -> bool:
        return path.rstrip("/").endswith(self._paths)


def _bytes(text: Any) -> bytes:
    return text if isinstance(text, bytes) else str(text).encode("latin-1", "replace")

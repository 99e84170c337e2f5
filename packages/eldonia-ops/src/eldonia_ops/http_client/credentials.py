"""Secrets at the moment of their use: read, fit for a header, and kept out of what people read."""

import re
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

from eldonia_ops.alerting.http_config import Credential

_MAX_DETAIL = 500
_SHORTEST_PART = 8
_MAX_SECRET_FILE = 64 * 1024
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]+")


class UnresolvedError(RuntimeError):
    """A credential that is not there at present; the message says what is missing, never its value."""


def resolve(credential: Credential, what: str) -> str:
    """The secret behind a credential.

    Raises:
        UnresolvedError: it is missing, or its file cannot be read.
    """
    if credential.missing:
        raise UnresolvedError(f"no {what}: {credential.missing}")
    if credential.file:
        try:
            with Path(credential.file).open("rb") as file:
                value = file.read(_MAX_SECRET_FILE).decode().strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise UnresolvedError(f"no {what}: cannot read {credential.file}: {reason}") from None
        if not value:
            raise UnresolvedError(f"no {what}: {credential.file} is empty")
        return value
    if not credential.inline:
        raise UnresolvedError(f"no {what} is configured")
    return credential.inline.reveal()


def in_header(secret: str, what: str) -> str:
    """A secret that is about to travel in a header.

    Raises:
        UnresolvedError: no header can hold it; left to the HTTP library, its complaint would quote the secret.
    """
    if _HEADER_VALUE.fullmatch(secret) is None:
        raise UnresolvedError(f"the {what} holds a line break or what is not ASCII: is it the right file?")
    return secret


def shorten(text: str, *secrets: str) -> str:
    """A detail for people: one line, bounded, and without secrets and without the secret parts of URLs."""
    hidden = {part for secret in secrets if secret for part in _secret_parts(secret)}
    for part in sorted(hidden, key=len, reverse=True):
        text = text.replace(part, "<secret>")
    text = " ".join(text.split())
    return text if len(text) <= _MAX_DETAIL else text[: _MAX_DETAIL - 1] + "…"


def _secret_parts(secret: str) -> list[str]:
    """A secret, as it is and as a form or an address has it; of an address also what a far side may quote alone."""
    parts = [secret]
    if len(secret) >= _SHORTEST_PART:
        parts += [quote_plus(secret, errors="replace"), quote(secret, safe="", errors="replace")]
    if "://" in secret:
        try:
            split = urlsplit(secret)
            parts += [split.path, split.path.rpartition("/")[2], split.query, split.password or ""]
        except ValueError:
            pass  # no address after all
    return [part for part in parts if part == secret or len(part) >= _SHORTEST_PART]

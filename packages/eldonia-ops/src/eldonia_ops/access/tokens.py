"""The form of access tokens: ``eops_<role letter>_<43 characters>``.

The prefix makes a token that leaked into a log or a repository easy to find by secret scanners, and
the letter shows its owner what it is for; neither is trusted. The rest is 256 random bits in
unpadded base64url, so one unsalted SHA-256 is enough to store: there is nothing to guess from.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.access import Role, Token
from eldonia_ops.model.secret import Secret

RANDOM_BYTES: Final = 32
"""How many random bytes :func:`new_token` needs."""

_LETTERS: Final = {Role.INGEST: "i", Role.VIEWER: "v", Role.RESPONDER: "r", Role.ADMIN: "a"}
_FORM: Final = re.compile(r"eops_[ivra]_[A-Za-z0-9_-]{43}", re.ASCII)
_NAME_LENGTH: Final = 100
_LONGEST_MS: Final = 3_653 * 86_400_000


class AccessError(ValueError):
    """A token or an account that cannot be made, or changed, as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made: ``record`` is what is stored, ``secret`` is shown once and forgotten."""

    record: Token
    secret: Secret


def parse_role(text: str) -> Role:
    """The role that a person named.

    Raises:
        AccessError: there is no such role.
    """
    try:
        return Role(text.strip().lower())
    except ValueError:
        raise AccessError(f"no such role: {text!r} (one of {', '.join(Role)})") from None


def new_token(name: str, role: Role, random: bytes, now: int, *, expires_at: int = 0, owner: str = "") -> NewToken:
    """Make a token from random bytes that the caller drew from the operating system.

    ``random`` holds at least :data:`RANDOM_BYTES` bytes; ``now`` and ``expires_at`` (0: never) are Unix milliseconds;
    ``owner`` is the id of an account. The id, the first 12 digits of the digest, is what lists and revocations show.

    Raises:
        AccessError: too few random bytes, an end that is not in the future, or a name that is empty, longer than
            100 characters or holds control characters.
    """
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable():
        raise AccessError(f"a token needs a printable name of 1 to {_NAME_LENGTH} characters")
    if len(random) < RANDOM_BYTES:
        raise AccessError(f"a token needs {RANDOM_BYTES} random bytes, not {len(random)}")
    if expires_at and not now < expires_at <= now + _LONGEST_MS:
        raise AccessError("a token must expire in the future, and within ten years")
    body = base64.urlsafe_b64encode(random[:RANDOM_BYTES]).rstrip(b"=").decode("ascii")
    text = f"eops_{_LETTERS[role]}_{body}"
    digest = digest_of(text)
    return NewToken(Token(digest[:12], name, role, digest, now, expires_at=expires_at, owner=owner), Secret(text))


def well_formed(text: str) -> bool:
    """Whether a text has the form of a token; a cheap test before any look into the store."""
    return _FORM.fullmatch(text) is not None


def digest_of(text: str) -> str:
    """The 64 hex digits under which a presented token is looked up (SHA-256)."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def matching_token(text: str, tokens: Iterable[Token], now: int) -> Token | None:
    """The live token that a presented text proves, or None.

    Digests are compared in constant time, and all of them, so that the time taken reveals nothing
    about which token came close. ``now`` is Unix milliseconds.
    """
    if not well_formed(text):
        return None
    digest = digest_of(text).encode("ascii")
    found: Token | None = None
    for token in tokens:
        same = hmac.compare_digest(digest, token.digest.encode("ascii"))
        if same and token.live(now):
            found = token
    return found

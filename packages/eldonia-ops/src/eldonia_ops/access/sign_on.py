"""What a provider of sign-on says of a person, judged: the claims of an ID token, and groups as roles.

Claims are checked as OpenID Connect Core 1.0, section 3.1.3.7, says. The signature has been checked before.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_ops.access.accounts import ACCOUNT_ROLES
from eldonia_ops.model.access import Role

LEEWAY_SECONDS: Final = 60
"""How far the provider's clock may be from ours."""

_OLDEST_SECONDS: Final = 15 * 60
_MOST_GROUPS: Final = 1_000
_LONGEST: Final = 255


class ClaimError(ValueError):
    """A token that proves nothing; the message says why, without a value from it."""


def check_id_token(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now: int) -> str:
    """The subject of an ID token whose claims are good at ``now`` (Unix seconds).

    Raises:
        ClaimError: it is another provider's, for another client, too old, from the future, or of another sign-in.
    """
    if claims.get("iss") != issuer:
        raise ClaimError("the ID token is from another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise ClaimError("the ID token is for another client")
    party = claims.get("azp")
    if (len(audiences) > 1 or party is not None) and party != client_id:
        raise ClaimError("the ID token was given to another client")
    expires, issued, begins = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or issued is None:
        raise ClaimError("the ID token does not say from when to when it is good")
    if now >= expires + LEEWAY_SECONDS:
        raise ClaimError("the ID token has expired")
    if issued > now + LEEWAY_SECONDS or (begins is not None and begins > now + LEEWAY_SECONDS):
        raise ClaimError("the ID token is from the future: compare the clocks of both machines")
    if issued < now - _OLDEST_SECONDS:
        raise ClaimError("the ID token was made long before this sign-in")
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise ClaimError("the ID token belongs to another sign-in")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST:
        raise ClaimError("the ID token does not say who it is about")
    return subject


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value


def claim_at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim with a name, or where dots lead into objects (``realm_access.roles``); None for none."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def text_at(claims: Mapping[str, Any], path: str) -> str:
    """The text at a claim, '' for none."""
    value = claim_at(claims, path) if path else None
    return value[:_LONGEST] if isinstance(value, str) else ""


def groups_at(claims: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The groups at a claim: a list of texts, or one text."""
    value = claim_at(claims, path) if path else None
    some = value if isinstance(value, list) else [value]
    return tuple(one for one in some[:_MOST_GROUPS] if isinstance(one, str))


def role_of(groups: Sequence[str], roles: Mapping[str, Role], default_role: str) -> Role | None:
    """The greatest role that groups give, else the default one; None for ``none``."""
    found = [roles[group] for group in groups if group in roles]
    if found:
        return max(found, key=ACCOUNT_ROLES.index)
    return None if default_role == "none" else Role(default_role)


def mail_allowed(claims: Mapping[str, Any], domains: Sequence[str]) -> bool:
    """Whether the mail address is one of some domains, and the provider has verified it; without domains any is.

    An address that is not verified is whatever somebody typed there.
    """
    if not domains:
        return True
    domain = text_at(claims, "email").rpartition("@")[2].lower()
    allowed = {one.lower().lstrip("@") for one in domains}
    return bool(domain) and domain in allowed and claims.get("email_verified") is True

"""What the API says of people, sessions and tokens: nothing that would help to sign in."""

from collections.abc import Mapping

import msgspec

from eldonia_ops.access import Capability, permits
from eldonia_ops.model.access import Account, AccountLink, Preferences, Role, Session, SignInMethod, Token
from eldonia_ops.web.callers import Caller


class PersonShape(msgspec.Struct):
    """A person, as everybody sees them. ``id`` never changes; ``name`` is what they sign in with."""

    id: str
    name: str
    display_name: str
    role: Role
    disabled: bool


def person_shape(account: Account) -> PersonShape:
    """A person."""
    return PersonShape(account.id, account.name, account.shown_name, account.role, account.disabled)


class AccountShape(msgspec.Struct):
    """An account, as admins and the person see it. ``link_expires_at`` is 0 without a one-time link that can be used;
    ``issuer`` is the provider of sign-on that made it. Instants are Unix ms, 0 for never."""

    id: str
    name: str
    display_name: str
    mail: str
    role: Role
    disabled: bool
    waiting: bool
    has_password: bool
    issuer: str
    created_at: int
    signed_in_at: int
    password_changed_at: int
    link_expires_at: int


def account_shape(account: Account, link: AccountLink | None = None) -> AccountShape:
    """An account and the link that it has."""
    return AccountShape(
        account.id,
        account.name,
        account.display_name,
        account.mail,
        account.role,
        account.disabled,
        account.waiting,
        bool(account.password),
        account.issuer,
        account.created_at,
        account.signed_in_at,
        account.password_changed_at,
        link.expires_at if link is not None else 0,
    )


class LinkShape(msgspec.Struct):
    """A one-time link, which is shown this once. ``purpose`` is invite or reset."""

    purpose: str
    url: str
    expires_at: int


class NewAccountShape(msgspec.Struct):
    """An account and the link by which its person sets a password; None where one was given."""

    account: AccountShape
    link: LinkShape | None


class SessionShape(msgspec.Struct):
    """One signed-in browser. ``who`` is the account's or the token's name; ``current``: it makes this request."""

    id: str
    account_id: str
    who: str
    method: SignInMethod
    address: str
    client: str
    created_at: int
    last_seen_at: int
    expires_at: int
    current: bool


def session_shape(session: Session, who: str, current: Session | None) -> SessionShape:
    """A session without anything that would help to use it."""
    return SessionShape(
        session.id,
        session.account_id,
        who,
        session.method,
        session.address,
        session.client,
        session.created_at,
        session.last_seen_at,
        session.expires_at,
        current is not None and session.digest == current.digest,
    )


class EndedShape(msgspec.Struct):
    """How many sessions were ended."""

    ended: int


class TokenShape(msgspec.Struct):
    """A token without anything that would help to use it. ``owner`` is the id of an account, '' for a program's;
    ``owner_name`` its name."""

    id: str
    name: str
    role: Role
    owner: str
    owner_name: str
    created_at: int
    last_used_at: int
    revoked_at: int
    expires_at: int
    live: bool


def token_shape(token: Token, now: int, accounts: Mapping[str, Account]) -> TokenShape:
    """A token without its digest; ``live`` says whether it opens anything at ``now`` (Unix ms)."""
    owner = accounts.get(token.owner)
    return TokenShape(
        token.id,
        token.name,
        token.role,
        token.owner,
        owner.name if owner is not None else "",
        token.created_at,
        token.last_used_at,
        token.revoked_at,
        token.expires_at,
        token.live(now) and (not token.owner or (owner is not None and not owner.disabled)),
    )


class NewTokenShape(msgspec.Struct):
    """A token and its secret, which is shown this once."""

    token: TokenShape
    secret: str


class RevokedShape(msgspec.Struct):
    """The id of the token that was revoked."""

    revoked: str


class PreferencesShape(msgspec.Struct):
    """How a person wants the pages; '' as the browser has it. ``receiver`` reaches them when they are mentioned."""

    time_zone: str
    language: str
    theme: str
    receiver: str


def preferences_shape(preferences: Preferences) -> PreferencesShape:
    """The preferences of a person."""
    return PreferencesShape(preferences.time_zone, preferences.language, preferences.theme, preferences.receiver)


class MeShape(msgspec.Struct):
    """Who the caller is. ``id`` is ``account:<id>`` or ``token:<id>``; ``account`` is the name to sign in with, '' for
    tokens that belong to no person. ``via`` is token or session, ``method`` how they signed in."""

    id: str
    name: str
    account: str
    role: Role | None
    capabilities: list[str]
    via: str
    method: SignInMethod
    language: str


def me_shape(caller: Caller, language: str) -> MeShape:
    """The caller's name, role and what the role permits."""
    able = [capability.value for capability in Capability if permits(caller.role, capability)]
    return MeShape(
        caller.id,
        caller.name,
        caller.account.name if caller.account is not None else "",
        caller.role,
        able,
        "session" if caller.csrf else "token",
        caller.method,
        language,
    )


class MyAccountShape(msgspec.Struct):
    """The caller's own account."""

    account: AccountShape
    preferences: PreferencesShape

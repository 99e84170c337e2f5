"""What accounts may hold, and what may become of them: names, passwords, roles, links."""

import base64
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from eldonia_ops.access.tokens import RANDOM_BYTES, AccessError, digest_of
from eldonia_ops.model.access import Account, AccountLink, LinkPurpose, Preferences, Role
from eldonia_ops.model.foreign import clean_text
from eldonia_ops.model.secret import Secret

ACCOUNT_ROLES: Final = (Role.VIEWER, Role.RESPONDER, Role.ADMIN)
"""The roles of people, each with all that the one before it may."""

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200
_FEWEST_DIFFERENT: Final = 5
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}", re.ASCII)
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._@+-]+", re.ASCII)
_MAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")
_LINK: Final = re.compile(r"eopl_[A-Za-z0-9_-]{43}", re.ASCII)
_SHOWN: Final = 100
_LONGEST_RECEIVER: Final = 200
_LANGUAGES: Final = ("", "en", "ja")
_THEMES: Final = ("", "dark", "light")


class PasswordFault(StrEnum):
    """What is wrong with a password that somebody chose."""

    SHORT = "short"
    LONG = "long"
    HAS_NAME = "has_name"
    SIMPLE = "simple"


FAULTS: Final = {
    PasswordFault.SHORT: f"a password has at least {SHORTEST_PASSWORD} characters",
    PasswordFault.LONG: f"a password has at most {LONGEST_PASSWORD} characters",
    PasswordFault.HAS_NAME: "a password does not hold the name of its account",
    PasswordFault.SIMPLE: f"a password has at least {_FEWEST_DIFFERENT} different characters",
}
"""The faults in sentences."""


class PasswordError(AccessError):
    """A password that may not be set; ``fault`` says why, for pages that say it in their reader's language."""

    def __init__(self, fault: PasswordFault) -> None:
        super().__init__(FAULTS[fault])
        self.fault = fault


def account_name(text: str) -> str:
    """The name to sign in with, in its one spelling.

    Few letters are allowed, so that no two names look alike.

    Raises:
        AccessError: it has others, none, or more than 64.
    """
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if not _NAME.fullmatch(name):
        raise AccessError(
            "a name has 1 to 64 of the characters a-z, 0-9, '.', '_', '-', '+', '@', and begins with a letter or digit"
        )
    return name


def known_name(text: str) -> str:
    """What an account is looked up by when somebody signs in: :func:`account_name` where it is one, else ''."""
    try:
        return account_name(text[:200])
    except AccessError:
        return ""


def name_from(*texts: str) -> str:
    """A name to sign in with out of what a provider of sign-on says of a person; the first that yields one."""
    for text in texts:
        plain = unicodedata.normalize("NFKD", text[:200]).encode("ascii", "ignore").decode("ascii").lower()
        name = _NOT_IN_NAMES.sub("-", plain.strip()).lstrip("._@+-").rstrip("-")[:60]
        if name:
            return name
    return "person"


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or ``wanted-2`` and so on where that is taken."""
    known = set(taken)
    name, number = wanted, 1
    while name in known:
        number += 1
        name = f"{wanted[: 63 - len(str(number))]}-{number}"
    return name


def display_name(text: str) -> str:
    """How others see a person; '' for the name of the account.

    Raises:
        AccessError: it is longer than 100 characters or holds control characters.
    """
    shown = " ".join(text.split(" ")).strip()
    if len(shown) > _SHOWN or not shown.isprintable():
        raise AccessError(f"a display name has at most {_SHOWN} printable characters")
    return shown


def mail_address(text: str) -> str:
    """A mail address, or ''.

    Raises:
        AccessError: it is none.
    """
    address = text.strip()
    if address and (not _MAIL.fullmatch(address) or not address.isprintable()):
        raise AccessError("this is no mail address")
    return address


def account_role(role: Role) -> Role:
    """A role that a person can have.

    Raises:
        AccessError: it is one for programs.
    """
    if role not in ACCOUNT_ROLES:
        raise AccessError(f"the role {role} is for tokens of programs; people are {', '.join(ACCOUNT_ROLES)}")
    return role


def preferences(time_zone: str, language: str, theme: str, receiver: str = "") -> Preferences:
    """How a person wants the pages, and which receiver reaches them.

    Raises:
        AccessError: there is no such time zone, language or theme.
    """
    if time_zone and not _known_zone(time_zone):
        raise AccessError("there is no such time zone: write an IANA name such as Asia/Tokyo")
    if language not in _LANGUAGES:
        raise AccessError("the language is en or ja")
    if theme not in _THEMES:
        raise AccessError("the theme is dark or light")
    if len(receiver) > _LONGEST_RECEIVER:
        raise AccessError(f"the name of a receiver has at most {_LONGEST_RECEIVER} characters")
    return Preferences(time_zone, language, theme, receiver)


def _known_zone(name: str) -> bool:
    try:
        ZoneInfo(name[:100])
    except (ValueError, OSError, KeyError):  # no name at all, that of a folder, and one that there is no file of
        return False
    return True


def normal_password(text: str) -> str:
    """A password as it is hashed: one spelling of what keyboards write in several (SP 800-63B, section 3.1.1.2)."""
    return unicodedata.normalize("NFKC", clean_text(text))


def check_password(password: str, name: str) -> None:
    """Refuse passwords that are guessed first.

    Raises:
        PasswordError: it is too short or long, holds the account's name, or is made of very few characters.
    """
    plain = normal_password(password)
    if len(plain) < SHORTEST_PASSWORD:
        raise PasswordError(PasswordFault.SHORT)
    if len(plain) > LONGEST_PASSWORD:
        raise PasswordError(PasswordFault.LONG)
    if len(name) > 2 and name in plain.lower():
        raise PasswordError(PasswordFault.HAS_NAME)
    if len(set(plain)) < _FEWEST_DIFFERENT:
        raise PasswordError(PasswordFault.SIMPLE)


def within(role: Role, limit: Role) -> Role | None:
    """What a token of a role may do for an owner of another one: never more than either, None for nothing.

    >>> within(Role.ADMIN, Role.VIEWER)
    <Role.VIEWER: 'viewer'>
    """
    if role is limit or limit is Role.ADMIN:
        return role
    if role in ACCOUNT_ROLES and limit in ACCOUNT_ROLES:
        return min(role, limit, key=ACCOUNT_ROLES.index)
    return limit if role is Role.ADMIN else None


def active_admins(accounts: Iterable[Account]) -> list[Account]:
    """The accounts that can sign in and administer."""
    return [one for one in accounts if one.role is Role.ADMIN and not one.disabled and not one.waiting]


def leaves_no_admin(accounts: Iterable[Account], changed: Account) -> bool:
    """Whether a change of an account takes away the last admin among the accounts; where there is none it cannot."""
    before = active_admins(accounts)
    after = [*(one for one in before if one.id != changed.id), *active_admins([changed])]
    return bool(before) and not after


def name_of_another(accounts: Iterable[Account], account: Account) -> str:
    """The account for which another one could be taken by its names, by its name to sign in with; '' for none."""
    mine = _looks(account.shown_name)
    for one in accounts:
        if one.id != account.id and mine in (_looks(one.name), _looks(one.shown_name)):
            return one.name
    return ""


def _looks(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def new_link(
    account_id: str, purpose: LinkPurpose, random: bytes, now: int, lifetime_ms: int, by: str
) -> tuple[AccountLink, Secret]:
    """A one-time link and its secret, from random bytes that the caller drew from the operating system.

    Raises:
        AccessError: too few random bytes.
    """
    if len(random) < RANDOM_BYTES:
        raise AccessError(f"a link needs {RANDOM_BYTES} random bytes, not {len(random)}")
    text = f"eopl_{base64.urlsafe_b64encode(random[:RANDOM_BYTES]).rstrip(b'=').decode('ascii')}"
    return AccountLink(digest_of(text), account_id, purpose, now, now + lifetime_ms, by), Secret(text)


def well_formed_link(text: str) -> bool:
    """Whether a text has the form of a link's secret."""
    return _LINK.fullmatch(text) is not None

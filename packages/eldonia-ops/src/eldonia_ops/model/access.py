"""Who may do what with the platform's own interfaces."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a token or an account may do. ``ingest`` writes telemetry and reads nothing; ``viewer`` reads and
    changes nothing; ``responder`` also acts on alerts and incidents; ``admin`` does everything. Accounts are
    never ``ingest``."""

    INGEST = "ingest"
    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Token:
    """A stored access token. Only the SHA-256 of the secret is kept (``digest``, 64 hex digits).

    ``owner`` is the id of the account that it belongs to, '' for those of programs. Instants are Unix milliseconds;
    0 is "never", for ``expires_at`` too.
    """

    id: str
    name: str
    role: Role
    digest: str
    created_at: int
    last_used_at: int = 0
    revoked_at: int = 0
    expires_at: int = 0
    owner: str = ""

    def live(self, now: int) -> bool:
        """Whether it opens anything at an instant. A revoked token stays so, whatever the clock is set to."""
        return not self.revoked_at and not 0 < self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a person wants the pages. '' in a field: as the browser has it.

    ``time_zone`` is an IANA name; ``language`` is ``en`` or ``ja``; ``theme`` is ``dark`` or ``light``. ``receiver``
    names the receiver of the routing that reaches this person, '' for none: by it they hear of mentions and of
    incidents that are assigned to them.
    """

    time_zone: str = ""
    language: str = ""
    theme: str = ""
    receiver: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A person who signs in.

    ``id`` never changes; ``name`` is what they sign in with, in lower case. ``password`` is a hash of Argon2 in its
    usual text form, '' as long as none is set. ``issuer`` and ``subject`` say who they are at the provider of sign-on
    that made the account, '' without one. Instants are Unix milliseconds, 0 for never.
    """

    id: str
    name: str
    role: Role
    created_at: int
    display_name: str = ""
    mail: str = ""
    password: str = field(default="", repr=False)
    disabled: bool = False
    issuer: str = ""
    subject: str = ""
    preferences: Preferences = Preferences()
    password_changed_at: int = 0
    signed_in_at: int = 0

    @property
    def shown_name(self) -> str:
        """What others see of them: the display name, else the name."""
        return self.display_name or self.name

    @property
    def waiting(self) -> bool:
        """Invited, and has not set a password yet."""
        return not self.password and not self.issuer


class LinkPurpose(StrEnum):
    """What a one-time link is for."""

    INVITE = "invite"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A one-time link by which a person sets their password; an account has one at most.

    ``digest`` is the SHA-256 of its secret in 64 hex digits. Instants are Unix milliseconds.
    """

    digest: str
    account_id: str
    purpose: LinkPurpose
    created_at: int
    expires_at: int
    created_by: str = ""


class SignInMethod(StrEnum):
    """How a person signed in."""

    TOKEN = "token"  # noqa: S105 - no password
    PASSWORD = "password"  # noqa: S105 - no password
    LINK = "link"
    OIDC = "oidc"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser.

    ``digest`` is the SHA-256 of the cookie's value in 64 hex digits; ``id`` names the session in lists and gives no
    access. It belongs to the account ``account_id`` or, where that is '', to the token with ``token_digest``. ``csrf``
    must accompany everything that it changes; ``host`` is the host and port that it was opened at, and is good for.
    ``client`` is the browser in a few words. Instants are Unix milliseconds.
    """

    digest: str
    id: str
    csrf: str = field(repr=False)
    created_at: int
    last_seen_at: int
    expires_at: int
    host: str
    method: SignInMethod
    account_id: str = ""
    token_digest: str = ""
    address: str = ""
    client: str = ""

    def live(self, now: int, idle_ms: int) -> bool:
        """Whether it is good at an instant, where it ends after ``idle_ms`` without a request."""
        return now < min(self.expires_at, self.last_seen_at + idle_ms)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a credential belongs to: an account, or a token that belongs to none.

    ``role`` is what they may do now, None for nothing: a token has no greater role than its owner. ``id`` is stable
    and the same however a person signed in: ``account:<id>`` or ``token:<id>``.
    """

    role: Role | None
    account: Account | None = None
    token: Token | None = None

    @property
    def id(self) -> str:
        """A name of this principal for records, which never changes and is not used again."""
        if self.account is not None:
            return f"account:{self.account.id}"
        return f"token:{self.token.id}" if self.token is not None else ""

    @property
    def name(self) -> str:
        """What people see: the account's name to others, else the token's."""
        if self.account is not None:
            return self.account.shown_name
        return self.token.name if self.token is not None else ""

"""What the running platform offers its HTTP side about people: accounts and sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from eldonia_ops.model.access import Account, AccountLink, Preferences, Principal, Role, Session, SignInMethod


@dataclass(frozen=True, slots=True)
class NewLink:
    """A one-time link just made: ``secret`` is shown once and forgotten."""

    record: AccountLink
    secret: str


@dataclass(frozen=True, slots=True)
class Outsider:
    """A person as a provider of sign-on, or a proxy, names them.

    ``issuer`` and ``subject`` say who they are, for good; ``name`` is the name that they would like to have here.
    ``role`` is what their groups give them; None where groups are not looked at, so that an account keeps its role and
    a new one has ``first_role``; with neither a new one is refused. ``id_token`` is the proof that the provider gave:
    it wants it back when this person signs out there.
    """

    issuer: str
    subject: str
    name: str
    display_name: str = ""
    mail: str = ""
    role: Role | None = None
    first_role: Role | None = None
    id_token: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a person signs in from: the host and port that they address, their address, their browser."""

    host: str
    address: str = ""
    client: str = ""


class Accounts(Protocol):
    """People: their accounts, passwords and one-time links. ``id`` is an account's id or its name.

    Methods that change an account raise :class:`~eldonia_ops.services.api.NotFoundError` for an unknown one,
    :class:`~eldonia_ops.access.AccessError` for a value that cannot be, and
    :class:`~eldonia_ops.services.api.RefusedError` where the state of things does not allow it. ``by`` says who acts.
    """

    async def all(self) -> list[Account]:
        """Every account by its name, disabled ones included."""
        ...

    async def links(self) -> list[AccountLink]:
        """The one-time links that can still be used."""
        ...

    async def get(self, id: str) -> Account:
        """One account."""
        ...

    async def principal(self, id: str) -> Principal | None:
        """Who an account is now, by its id; None where it is disabled or gone."""
        ...

    async def has_any(self) -> bool:
        """Whether anybody can sign in with a password."""
        ...

    async def create(
        self, name: str, role: Role, *, display: str = "", mail: str = "", password: str = "", by: str = ""
    ) -> tuple[Account, NewLink | None]:
        """A new account. Without a password the person sets one by the link that comes with it."""
        ...

    async def change(
        self,
        id: str,
        *,
        role: Role | None = None,
        display: str | None = None,
        mail: str | None = None,
        disabled: bool | None = None,
        by: str = "",
    ) -> Account:
        """Change what is given. A disabled account has no sessions any more, and its tokens open nothing."""
        ...

    async def delete(self, id: str, by: str = "") -> Account:
        """Drop an account that was never used."""
        ...

    async def new_link(self, id: str, by: str = "") -> tuple[Account, NewLink]:
        """A one-time link by which the person sets their password, in place of the one that they have."""
        ...

    async def of_link(self, secret: str) -> Account | None:
        """Whose password a link sets; None for one that does not exist, has been used or has expired."""
        ...

    async def use_link(self, secret: str, password: str) -> Account | None:
        """Set the password of a link's account, and end the link and all sessions of the account; None as above."""
        ...

    async def sign_in(self, name: str, password: str) -> Account | None:
        """The account with this name and password. Equally slow for names that do not exist."""
        ...

    async def change_password(self, id: str, old: str, new: str, keep: str = "") -> bool:
        """Set another password, and end all sessions but that with the digest ``keep``; False for a wrong old one."""
        ...

    async def prefer(self, id: str, preferences: Preferences) -> Account:
        """Remember how a person wants the pages."""
        ...

    async def admit(self, outsider: Outsider) -> Account | None:
        """The account of a person whom a provider vouches for; None when they may not come in."""
        ...

    async def admit_by_name(self, outsider: Outsider) -> Account | None:
        """The same for a proxy, whose word for who somebody is is their name."""
        ...


class Sessions(Protocol):
    """Sessions of browsers."""

    async def open(
        self, principal: Principal, method: SignInMethod, visit: Visit, replacing: str = ""
    ) -> tuple[str, Session]:
        """Start a session; returns the cookie's value, which is always a new one. What session the cookie
        ``replacing`` has ends.

        Raises:
            eldonia_ops.services.api.RefusedError: the account was disabled, or its password changed, in between.
        """
        ...

    async def find(self, value: str, host: str) -> tuple[Session, Principal] | None:
        """The session of a cookie's value and who it belongs to, or None."""
        ...

    async def end(self, value: str) -> None:
        """End the session of a cookie."""
        ...

    async def end_all(self, digests: Sequence[str]) -> int:
        """End sessions, from the next request on; returns how many there were."""
        ...

    async def all(self) -> list[Session]:
        """Every session that is good now, the one seen last first."""
        ...

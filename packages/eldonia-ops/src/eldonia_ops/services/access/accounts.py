"""People: their accounts, passwords and one-time links."""

import logging
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.access import RANDOM_BYTES, AccessError, digest_of
from eldonia_ops.access.accounts import (
    account_name,
    account_role,
    check_password,
    display_name,
    free_name,
    known_name,
    leaves_no_admin,
    mail_address,
    name_from,
    name_of_another,
    new_link,
    well_formed_link,
)
from eldonia_ops.access.audit import field_changes
from eldonia_ops.model.access import Account, AccountLink, LinkPurpose, Preferences, Principal, Role, SignInMethod
from eldonia_ops.model.audit import AuditEntry
from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.access.passwords import Passwords
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.api import NotFoundError, RefusedError
from eldonia_ops.services.api.people import NewLink, Outsider

log = logging.getLogger("eldonia_ops.services.access.accounts")

LINK_LIFETIME_MS: Final = 3 * 24 * 3_600_000
RESET_LIFETIME_MS: Final = 24 * 3_600_000
_MOST_ACCOUNTS: Final = 5_000
_HOUR_MS: Final = 3_600_000
_OFFLINE: Final = "eldonia-ops accounts --offline"
_LAST_ADMIN: Final = "this is the last admin who can sign in: make somebody else an admin first"


class AccountService:
    """Implements :class:`~eldonia_ops.services.api.people.Accounts` over the state store."""

    def __init__(
        self, clock: Clock, state: StateStore, principals: Principals, passwords: Passwords | None = None
    ) -> None:
        self._clock = clock
        self._state = state
        self._principals = principals
        self._passwords = passwords or Passwords()

    def close(self) -> None:
        """Compare no more passwords."""
        self._passwords.close()

    async def all(self) -> list[Account]:
        """Every account by its name."""
        return await self._state.read(lambda tx: tx.accounts.all())

    async def links(self) -> list[AccountLink]:
        """The one-time links that can still be used."""
        now = self._clock.now()
        return [one for one in await self._state.read(lambda tx: tx.accounts.links()) if one.expires_at > now]

    async def get(self, id: str) -> Account:
        """The account with this id, or with this name.

        Raises:
            NotFoundError: there is none.
        """
        return await self._state.read(lambda tx: _named(tx, id))

    async def principal(self, id: str) -> Principal | None:
        """Who an account is now, by its id; None where it is disabled or gone."""
        return (await self._principals.known()).of_account(id)

    async def has_any(self) -> bool:
        """Whether anybody can sign in with a password."""
        return any(one.password and not one.disabled for one in (await self._principals.known()).accounts.values())

    async def create(
        self, name: str, role: Role, *, display: str = "", mail: str = "", password: str = "", by: str = ""
    ) -> tuple[Account, NewLink | None]:
        """A new account. Without a password the person sets one by the link that comes with it.

        Raises:
            AccessError: a field cannot be as asked, or the password is too weak.
            RefusedError: the name is taken, or another account could be taken for this one.
        """
        now = self._clock.now()
        account = Account(
            uuid.uuid4().hex, account_name(name), account_role(role), now, display_name(display), mail_address(mail)
        )
        if password:
            check_password(password, account.name)
            account = replace(account, password=await self._passwords.hash(password), password_changed_at=now)
        link = None if password else self._made_link(account, now, by)

        def work(tx: StateTransaction) -> None:
            if tx.accounts.by_name(account.name) is not None:
                raise RefusedError(f"there is an account {account.name} already")
            if tx.accounts.count() >= _MOST_ACCOUNTS:
                raise RefusedError(f"there are {_MOST_ACCOUNTS:,} accounts already")
            _check_looks(tx, account)
            tx.accounts.put(account)
            if link is not None:
                tx.accounts.put_link(link.record)
            if not by:
                # No request passes the gate, where all other acts are noted.
                _note(tx, None, account, now, actor=_OFFLINE, method="offline")

        await self._write(work)
        log.info("account %s (%s) was made by %s", account.name, account.role, by or "this command")
        return account, link

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
        """Change what is given. A disabled account has no sessions any more, and its tokens and links open nothing.

        Raises:
            NotFoundError: there is no such account.
            AccessError: a field cannot be as asked.
            RefusedError: no admin would be left, or another account could be taken for this one.
        """
        changes: dict[str, Any] = {}
        if role is not None:
            changes["role"] = account_role(role)
        if display is not None:
            changes["display_name"] = display_name(display)
        if mail is not None:
            changes["mail"] = mail_address(mail)
        if disabled is not None:
            changes["disabled"] = disabled

        def work(tx: StateTransaction) -> Account:
            before = _named(tx, id)
            after = replace(before, **changes)
            if leaves_no_admin(tx.accounts.all(), after):
                raise RefusedError(_LAST_ADMIN)
            if after.shown_name != before.shown_name:
                _check_looks(tx, after)
            tx.accounts.put(after)
            if after.disabled:
                _end_sessions(tx, after.id)
                tx.accounts.drop_link(after.id)
            return after

        account = await self._write(work)
        log.info("account %s was changed (%s) by %s", account.name, ", ".join(changes) or "nothing", by)
        return account

    async def delete(self, id: str, by: str = "") -> Account:
        """Drop an account that was never used, such as an invitation to a wrong name.

        Raises:
            NotFoundError: there is no such account.
            RefusedError: somebody signed in with it: what they did names it.
        """

        def work(tx: StateTransaction) -> Account:
            account = _named(tx, id)
            if account.signed_in_at or not account.waiting:
                raise RefusedError(f"{account.name} has been in use: disable the account instead")
            tx.accounts.drop_link(account.id)
            tx.accounts.delete(account.id)
            return account

        account = await self._write(work)
        log.info("account %s was deleted by %s", account.name, by)
        return account

    async def new_link(self, id: str, by: str = "") -> tuple[Account, NewLink]:
        """A one-time link by which the person sets their password, in place of the one that they have.

        Raises:
            NotFoundError: there is no such account.
            RefusedError: it is disabled.
        """
        now = self._clock.now()

        def work(tx: StateTransaction) -> tuple[Account, NewLink]:
            account = _named(tx, id)
            if account.disabled:
                raise RefusedError(f"the account {account.name} is disabled")
            link = self._made_link(account, now, by)
            tx.accounts.put_link(link.record)
            return account, link

        account, link = await self._write(work)
        log.info("a link to set the password of %s was made by %s", account.name, by or "this command")
        return account, link

    async def of_link(self, secret: str) -> Account | None:
        """Whose password a link sets; None for one that does not exist, has been used or has expired."""
        if not well_formed_link(secret):
            return None
        now = self._clock.now()
        return await self._state.read(lambda tx: _of_link(tx, secret, now))

    async def use_link(self, secret: str, password: str) -> Account | None:
        """Set the password of a link's account, and end the link and all sessions of the account; None as above.

        Raises:
            PasswordError: the password is too weak; the link is still good.
        """
        account = await self.of_link(secret)
        if account is None:
            return None
        check_password(password, account.name)
        hashed, now = await self._passwords.hash(password), self._clock.now()

        def work(tx: StateTransaction) -> Account | None:
            known = _of_link(tx, secret, now)  # of two requests with one link the second finds nothing
            if known is None:
                return None
            return _set_password(tx, known, hashed, now)

        found = await self._write(work)
        if found is not None:
            log.info("%s has set a password by a link", found.name)
        return found

    async def sign_in(self, name: str, password: str) -> Account | None:
        """The account with this name and password. Takes as long for names that do not exist, and for accounts that
        are disabled or have no password."""
        wanted = known_name(name)
        account = await self._state.read(lambda tx: tx.accounts.by_name(wanted)) if wanted else None
        usable = account is not None and not account.disabled
        stored = account.password if account is not None and usable else ""
        match = await self._passwords.match(password, stored)
        if account is None or not match.right:
            return None
        if match.rehash:
            await self._rehash(account.id, stored, match.rehash)
        return account

    async def change_password(self, id: str, old: str, new: str, keep: str = "") -> bool:
        """Set another password, and end all sessions but the one with the digest ``keep``; False for a wrong old one.

        Raises:
            NotFoundError: there is no such account.
            RefusedError: it has no password: a link sets the first one.
            PasswordError: the new password is too weak.
        """
        account = await self.get(id)
        if not account.password:
            raise RefusedError("this account has no password yet: ask an admin for a link")
        match = await self._passwords.match(old, account.password)
        if not match.right:
            return False
        check_password(new, account.name)
        hashed, now = await self._passwords.hash(new), self._clock.now()

        def work(tx: StateTransaction) -> bool:
            known = _named(tx, id)
            if known.password != account.password:
                raise RefusedError("the password was changed in between")
            _set_password(tx, known, hashed, now, keep)
            return True

        done = await self._write(work)
        log.info("%s has changed their password", account.name)
        return done

    async def prefer(self, id: str, preferences: Preferences) -> Account:
        """Remember how a person wants the pages.

        Raises:
            NotFoundError: there is no such account.
        """

        def work(tx: StateTransaction) -> Account:
            account = replace(_named(tx, id), preferences=preferences)
            tx.accounts.put(account)
            return account

        return await self._write(work)

    async def admit(self, outsider: Outsider) -> Account | None:
        """The account of a person whom a provider of sign-on vouches for, made when they come for the first time.

        Their role follows what the provider says now, their mail as well. None when they may not come in: the account
        is disabled, or there is no role for them.
        """
        now = self._clock.now()

        def work(tx: StateTransaction) -> Account | None:
            known = tx.accounts.by_identity(outsider.issuer, outsider.subject)
            return _admitted(tx, known, outsider, now, SignInMethod.OIDC)

        return await self._write(work)

    async def admit_by_name(self, outsider: Outsider) -> Account | None:
        """The same for a proxy, whose word for who somebody is is their name: an account with that name is theirs."""
        now = self._clock.now()
        name = account_name(outsider.name)

        def work(tx: StateTransaction) -> Account | None:
            account = _admitted(tx, tx.accounts.by_name(name), outsider, now, SignInMethod.PROXY)
            if account is not None and now - account.signed_in_at >= _HOUR_MS:
                tx.accounts.touch(account.id, now)
            return account

        return await self._write(work)

    def _made_link(self, account: Account, now: int, by: str) -> NewLink:
        purpose = LinkPurpose.INVITE if account.waiting else LinkPurpose.RESET
        lifetime = LINK_LIFETIME_MS if purpose is LinkPurpose.INVITE else RESET_LIFETIME_MS
        record, secret = new_link(account.id, purpose, secrets.token_bytes(RANDOM_BYTES), now, lifetime, by)
        return NewLink(record, secret.reveal())

    async def _rehash(self, id: str, stored: str, hashed: str) -> None:
        def work(tx: StateTransaction) -> None:
            account = tx.accounts.get(id)
            if account is not None and account.password == stored:
                tx.accounts.put(replace(account, password=hashed))

        try:
            await self._write(work)
        except Exception:
            log.exception("a password could not be hashed anew; the old hash still works")

    async def _write(self, work: Callable[[StateTransaction], Any]) -> Any:
        done = await self._state.write(work)
        self._principals.forget()
        return done


def _named(tx: StateTransaction, id: str) -> Account:
    account = tx.accounts.get(id) or tx.accounts.by_name(known_name(id))
    if account is None:
        raise NotFoundError(f"there is no account {id[:80]}")
    return account


def _of_link(tx: StateTransaction, secret: str, now: int) -> Account | None:
    link = tx.accounts.link(digest_of(secret))
    account = tx.accounts.get(link.account_id) if link is not None and now < link.expires_at else None
    return None if account is None or account.disabled else account


def _set_password(tx: StateTransaction, account: Account, hashed: str, now: int, keep: str = "") -> Account:
    changed = replace(account, password=hashed, password_changed_at=now)
    tx.accounts.put(changed)
    tx.accounts.drop_link(account.id)
    _end_sessions(tx, account.id, keep)
    return changed


def _end_sessions(tx: StateTransaction, account_id: str, keep: str = "") -> None:
    """Those that were opened with a token of the account, too."""
    digests = {one.digest for one in tx.tokens.all() if one.owner == account_id}
    theirs = [
        one.digest
        for one in tx.sessions.all()
        if (one.account_id == account_id or one.token_digest in digests) and one.digest != keep
    ]
    tx.sessions.delete(theirs)


def _check_looks(tx: StateTransaction, account: Account) -> None:
    if other := name_of_another(tx.accounts.all(), account):
        raise RefusedError(f"{account.shown_name!r} could be taken for the account {other}: choose another name")


def _admitted(
    tx: StateTransaction, known: Account | None, outsider: Outsider, now: int, method: SignInMethod
) -> Account | None:
    if known is not None and known.disabled:
        return None
    if known is None:
        role = outsider.role or outsider.first_role
        if role is None or tx.accounts.count() >= _MOST_ACCOUNTS:
            return None
        taken = [one.name for one in tx.accounts.all()]
        name = free_name(name_from(outsider.name, outsider.mail.partition("@")[0]), taken)
        known = Account(
            uuid.uuid4().hex, name, role, now, issuer=outsider.issuer, subject=outsider.subject, mail=_mail(outsider)
        )
        named = replace(known, display_name=_shown(outsider))
        known = known if name_of_another(tx.accounts.all(), named) else named
        log.info("account %s (%s) was made for somebody whom %s vouches for", name, role, outsider.issuer)
        tx.accounts.put(known)
        _note(tx, None, known, now, actor=outsider.issuer, method=method.value)
        return known
    changed = replace(known, role=outsider.role or known.role, mail=_mail(outsider) or known.mail)
    if changed != known:
        if changed.role is not known.role:
            log.info("%s is %s now, by the groups that %s names", known.name, changed.role, outsider.issuer)
        if leaves_no_admin(tx.accounts.all(), changed):
            log.warning("%s was the last admin who can sign in; the token in the data folder still is one", known.name)
        tx.accounts.put(changed)
        _note(tx, known, changed, now, actor=outsider.issuer, method=method.value)
    return changed


def _note(tx: StateTransaction, before: Account | None, after: Account, now: int, *, actor: str, method: str) -> None:
    """Into the audit log: what a provider of sign-on, a proxy or this command makes of an account."""
    fields = ("name", "display_name", "mail", "role")
    old = None if before is None else {field: str(getattr(before, field)) for field in fields}
    changes = field_changes(old, {field: str(getattr(after, field)) for field in fields})
    action = "created" if before is None else "changed"
    entry = AuditEntry(0, now, "", actor, method, "", "account", after.id, after.name, action, tuple(changes))
    tx.audit.append(entry)


def _shown(outsider: Outsider) -> str:
    try:
        return display_name(outsider.display_name[:100])
    except AccessError:
        return ""


def _mail(outsider: Outsider) -> str:
    try:
        return mail_address(outsider.mail)
    except AccessError:
        return ""

"""Accounts over both databases: what must hold, whatever else happens at the same moment."""

import asyncio
import threading
from typing import Any

import pytest
from argon2 import PasswordHasher

from eldonia_ops.access.accounts import PasswordError
from eldonia_ops.model.access import Principal, Role, SignInMethod
from eldonia_ops.model.audit import AuditQuery, FieldChange
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.access.accounts import LINK_LIFETIME_MS, AccountService
from eldonia_ops.services.access.passwords import Passwords
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.access.sessions import SessionService
from eldonia_ops.services.access.tokens import AccessService
from eldonia_ops.services.api import NotFoundError, OverloadedError, RefusedError
from eldonia_ops.services.api.people import Outsider, Visit
from eldonia_ops.storage.state import SqlStateStore

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "correct horse"
HERE = Visit("ops:9600", "192.0.2.1", "Firefox · Linux")


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000_000

    def now(self) -> int:
        return self.at

    async def sleep_until(self, at: int) -> None:
        raise NotImplementedError


class World:
    def __init__(self, store: SqlStateStore, hasher: PasswordHasher = CHEAP) -> None:
        self.clock = Clock()
        principals = Principals(self.clock, store)
        self.accounts = AccountService(self.clock, store, principals, Passwords(hasher))
        self.access = AccessService(self.clock, store, principals)
        self.sessions = SessionService(self.clock, store, principals)

    async def signed_in(self, name: str) -> str:
        account = await self.accounts.sign_in(name, GOOD)
        assert account is not None
        return (await self.sessions.open(Principal(account.role, account), SignInMethod.PASSWORD, HERE))[0]


@pytest.fixture
async def world(store: SqlStateStore) -> World:
    world = World(store)
    await world.accounts.create("hana", Role.ADMIN, password=GOOD)
    await world.accounts.create("ken", Role.RESPONDER, password=GOOD)
    return world


async def test_a_disabled_account_is_out_at_once_with_its_sessions_and_tokens(world: World) -> None:
    ken = await world.accounts.get("ken")
    _, secret = await world.access.create("laptop", Role.RESPONDER, 0, ken.id)
    cookie = await world.signed_in("ken")
    by_token = await world.access.authenticate(secret)
    assert by_token is not None
    assert (by_token.role, by_token.id, by_token.name) == (Role.RESPONDER, f"account:{ken.id}", "ken")
    second, _ = await world.sessions.open(by_token, SignInMethod.TOKEN, HERE)
    assert len(await world.sessions.all()) == 2

    await world.accounts.change("ken", disabled=True)
    assert await world.access.authenticate(secret) is None
    assert await world.sessions.find(cookie, "ops:9600") is None
    assert await world.sessions.find(second, "ops:9600") is None
    assert await world.accounts.sign_in("ken", GOOD) is None
    assert await world.sessions.all() == []
    with pytest.raises(RefusedError, match="disabled"):
        await world.access.create("another", Role.VIEWER, 0, ken.id)

    await world.accounts.change("ken", disabled=False)
    assert await world.access.authenticate(secret) is not None, "tokens are back"
    assert await world.sessions.find(cookie, "ops:9600") is None, "sessions are not"
    assert await world.accounts.sign_in("ken", GOOD) is not None


async def test_a_token_follows_the_role_of_its_owner_down(world: World) -> None:
    hana = await world.accounts.get("hana")
    await world.accounts.create("mio", Role.ADMIN, password=GOOD)
    _, admin = await world.access.create("a", Role.ADMIN, 0, hana.id)
    _, ingest = await world.access.create("i", Role.INGEST, 0, hana.id)
    await world.accounts.change("hana", role=Role.VIEWER)
    found = [await world.access.authenticate(secret) for secret in (admin, ingest)]
    assert [one and one.role for one in found] == [Role.VIEWER, None]
    await world.accounts.change("hana", role=Role.ADMIN)
    found = [await world.access.authenticate(secret) for secret in (admin, ingest)]
    assert [one and one.role for one in found] == [Role.ADMIN, Role.INGEST]
    with pytest.raises(NotFoundError):
        await world.access.create("x", Role.VIEWER, 0, "unknown")


async def test_two_admins_cannot_disable_each_other_at_the_same_moment(world: World) -> None:
    await world.accounts.create("mio", Role.ADMIN, password=GOOD)
    both = [world.accounts.change(name, disabled=True) for name in ("hana", "mio")]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(one, RefusedError) for one in outcomes) == 1
    left = [one for one in await world.accounts.all() if one.role is Role.ADMIN and not one.disabled]
    assert len(left) == 1


async def test_of_many_uses_of_one_link_at_once_one_counts(world: World) -> None:
    _, link = await world.accounts.create("mio", Role.VIEWER)
    assert link is not None
    words = [f"password number {number}" for number in range(8)]
    done = await asyncio.gather(*(world.accounts.use_link(link.secret, one) for one in words))
    assert sum(one is not None for one in done) == 1
    right = [await world.accounts.sign_in("mio", one) for one in words]
    assert sum(one is not None for one in right) == 1


async def test_a_weak_password_does_not_use_up_a_link(world: World) -> None:
    _, link = await world.accounts.create("mio", Role.VIEWER)
    assert link is not None
    with pytest.raises(PasswordError):
        await world.accounts.use_link(link.secret, "weak")
    assert await world.accounts.use_link(link.secret, GOOD) is not None
    _, link = await world.accounts.new_link("mio")
    world.clock.at += LINK_LIFETIME_MS
    assert await world.accounts.use_link(link.secret, "another password") is None
    for wrong in ("", "x", link.secret[:-1], "eopl_" + "A" * 43):
        assert await world.accounts.of_link(wrong) is None


async def test_hashes_follow_the_parameters_of_today(world: World, store: SqlStateStore) -> None:
    stronger = World(store, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = (await world.accounts.get("hana")).password
    assert await stronger.accounts.sign_in("hana", "wrong password") is None
    assert (await world.accounts.get("hana")).password == before
    assert await stronger.accounts.sign_in("hana", GOOD) is not None
    after = (await world.accounts.get("hana")).password
    assert before != after
    assert "t=2" in after
    assert GOOD not in after
    assert await stronger.accounts.sign_in("hana", GOOD) is not None
    assert (await world.accounts.get("hana")).password == after


async def test_a_damaged_hash_lets_no_person_in_and_fails_no_sign_in(world: World, store: SqlStateStore) -> None:
    from dataclasses import replace

    hana = await world.accounts.get("hana")
    await store.write(lambda tx: tx.accounts.put(replace(hana, password="damaged")))
    assert await world.accounts.sign_in("hana", GOOD) is None


async def test_a_password_that_changes_during_the_sign_in_opens_no_session(world: World) -> None:
    account = await world.accounts.sign_in("ken", GOOD)
    assert account is not None
    world.clock.at += 1
    assert await world.accounts.change_password("ken", GOOD, "a completely new one")
    with pytest.raises(RefusedError):
        await world.sessions.open(Principal(account.role, account), SignInMethod.PASSWORD, HERE)


async def test_sessions_that_end_while_they_are_looked_up_do_not_stay(world: World) -> None:
    cookie = await world.signed_in("ken")
    read, hold = world.sessions._state.read, asyncio.Event()

    async def late(work: Any) -> Any:
        found = await read(work)
        await hold.wait()
        return found

    plain = world.sessions._state
    world.sessions._state = type("Late", (), {"read": staticmethod(late), "write": plain.write})()  # type: ignore[assignment]
    asking = asyncio.create_task(world.sessions.find(cookie, "ops:9600"))
    await asyncio.sleep(0.05)
    await world.sessions.end(cookie)
    hold.set()
    await asking  # it came in before, and may get its answer
    assert await world.sessions.find(cookie, "ops:9600") is None


async def test_the_oldest_sessions_make_room(world: World) -> None:
    cookies = [await world.signed_in("ken") for _ in range(52)]
    assert len(await world.sessions.all()) == 50
    assert await world.sessions.find(cookies[-1], "ops:9600") is not None


async def test_a_person_from_a_provider_is_known_by_its_subject_alone(world: World) -> None:
    first = await world.accounts.admit(Outsider("https://id", "1", "hana", "Hana", "h@x", Role.VIEWER))
    second = await world.accounts.admit(Outsider("https://id", "2", "hana", "Hana", "h@x", Role.VIEWER))
    other = await world.accounts.admit(Outsider("https://other", "1", "hana", "", "h@x", Role.VIEWER))
    assert first is not None
    assert second is not None
    assert other is not None
    assert [one.name for one in (first, second, other)] == ["hana-2", "hana-3", "hana-4"]
    assert second.display_name == "", "two people do not look alike"
    again = await world.accounts.admit(Outsider("https://id", "1", "renamed", "", "new@x", Role.ADMIN))
    assert again is not None
    assert (again.id, again.name, again.role, again.mail) == (first.id, "hana-2", Role.ADMIN, "new@x")
    assert (await world.accounts.get("hana")).issuer == ""


async def test_what_no_request_does_is_in_the_audit_log_too(world: World, store: SqlStateStore) -> None:
    made = await world.accounts.admit(Outsider("https://id", "1", "mio", "", "m@x", Role.VIEWER))
    await world.accounts.admit(Outsider("https://id", "1", "mio", "", "m@x", Role.VIEWER))
    await world.accounts.admit(Outsider("https://id", "1", "mio", "", "m@x", Role.ADMIN))
    await world.accounts.create("first", Role.ADMIN, password="a long enough phrase")
    await world.accounts.create("by-page", Role.VIEWER, by="account:1")
    entries = await store.read(lambda tx: tx.audit.find(AuditQuery(kind="account")))
    assert made is not None
    noted = [
        (one.actor, one.method, one.action, one.title) for one in reversed(entries) if one.title not in ("hana", "ken")
    ]
    assert noted == [
        ("https://id", "oidc", "created", "mio"),
        ("https://id", "oidc", "changed", "mio"),
        ("eldonia-ops accounts --offline", "offline", "created", "first"),
    ]
    assert entries[1].changes == (FieldChange("role", "viewer", "admin"),)
    assert "phrase" not in repr(entries)


async def test_who_has_no_role_gets_no_account(world: World) -> None:
    count = len(await world.accounts.all())
    assert await world.accounts.admit(Outsider("https://id", "1", "x")) is None
    assert len(await world.accounts.all()) == count
    made = await world.accounts.admit(Outsider("https://id", "1", "x", first_role=Role.VIEWER))
    assert made is not None
    await world.accounts.change(made.id, role=Role.RESPONDER)
    again = await world.accounts.admit(Outsider("https://id", "1", "x", first_role=Role.VIEWER))
    assert again is not None
    assert again.role is Role.RESPONDER, "without groups, what an admin gave stays"


async def test_only_what_was_never_used_can_be_deleted(world: World) -> None:
    await world.accounts.create("typo", Role.VIEWER)
    await world.accounts.delete("typo")
    for name in ("hana", "typo"):
        with pytest.raises((RefusedError, NotFoundError)):
            await world.accounts.delete(name)


async def test_an_admin_account_is_a_way_in_and_its_tokens_are_none(world: World, tmp_path: Any) -> None:
    assert await world.access.has_admin()
    hana = await world.accounts.get("hana")
    await world.access.create("a", Role.ADMIN, 0, hana.id)
    assert await world.access.ensure_admin(tmp_path / "admin.token") is not None


async def test_few_passwords_are_looked_at_at_once_and_few_wait() -> None:
    passwords, running, most, gate = Passwords(CHEAP), 0, 0, threading.Event()
    plain, lock = passwords._match, threading.Lock()

    def slow(stored: str, given: bytes) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(10)
        with lock:
            running -= 1
        return plain(stored, given)

    passwords._match = slow  # type: ignore[method-assign]
    asked = [asyncio.create_task(passwords.match("x", "")) for _ in range(70)]
    await asyncio.sleep(0.1)
    gate.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert most == 2
    assert sum(isinstance(one, OverloadedError) for one in outcomes) == 6
    passwords.close()


async def test_damaged_rows_keep_no_other_person_out(world: World, store: SqlStateStore) -> None:
    from sqlalchemy import text

    def damage(tx: StateTransaction) -> None:
        tx.accounts._connection.execute(text("UPDATE accounts SET role = 'emperor' WHERE name = 'ken'"))  # type: ignore[attr-defined]

    await store.write(damage)
    assert await world.accounts.sign_in("ken", GOOD) is None
    assert await world.accounts.sign_in("hana", GOOD) is not None

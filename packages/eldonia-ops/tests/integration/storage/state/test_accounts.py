"""Accounts, links and sessions on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from eldonia_ops.model.access import (
    Account,
    AccountLink,
    LinkPurpose,
    Preferences,
    Role,
    Session,
    SignInMethod,
    Token,
)
from eldonia_ops.storage.state import SqlStateStore, StateError

HANA = Account(
    "a1", "hana", Role.ADMIN, 5, "花子 “H”", "hana@shop.example", "$argon2id$x", False, "", "",
    Preferences("Asia/Tokyo", "ja", "dark"), 6, 7,
)  # fmt: skip
KEN = Account("a2", "ken", Role.VIEWER, 8, issuer="https://id.example", subject="42")


def session(digest: str, account: str = "a1", seen: int = 100, expires: int = 1_000) -> Session:
    return Session(
        digest, f"id-{digest}", "csrf", 10, seen, expires, "ops:9600", SignInMethod.PASSWORD, account, "",
        "192.0.2.1", "Firefox · Linux",
    )  # fmt: skip


async def test_accounts_come_back_as_they_were(store: SqlStateStore) -> None:
    await store.write(lambda tx: [tx.accounts.put(one) for one in (KEN, HANA)])
    assert await store.read(lambda tx: tx.accounts.all()) == [HANA, KEN]
    assert await store.read(lambda tx: tx.accounts.get("a1")) == HANA
    assert await store.read(lambda tx: tx.accounts.by_name("ken")) == KEN
    assert await store.read(lambda tx: tx.accounts.by_name("Ken")) is None
    assert await store.read(lambda tx: tx.accounts.by_identity("https://id.example", "42")) == KEN
    assert await store.read(lambda tx: tx.accounts.by_identity("https://id.example", "43")) is None
    changed = replace(HANA, role=Role.RESPONDER, disabled=True)
    await store.write(lambda tx: tx.accounts.put(changed))
    await store.write(lambda tx: [tx.accounts.touch("a1", 90), tx.accounts.touch("a1", 80)])
    assert await store.read(lambda tx: tx.accounts.get("a1")) == replace(changed, signed_in_at=90)
    assert await store.read(lambda tx: tx.accounts.count()) == 2
    assert await store.write(lambda tx: tx.accounts.delete("a1"))
    assert not await store.write(lambda tx: tx.accounts.delete("a1"))


@pytest.mark.parametrize(
    "double",
    [Account("a9", "hana", Role.VIEWER, 1), Account("a9", "x", Role.VIEWER, 1, issuer=KEN.issuer, subject="42")],
)
async def test_a_name_and_an_identity_are_those_of_one_account(store: SqlStateStore, double: Account) -> None:
    await store.write(lambda tx: [tx.accounts.put(one) for one in (KEN, HANA)])
    with pytest.raises(StateError):
        await store.write(lambda tx: tx.accounts.put(double))
    # Those without a provider are different people.
    await store.write(lambda tx: tx.accounts.put(Account("a8", "mio", Role.VIEWER, 1)))


async def test_an_account_has_one_link(store: SqlStateStore) -> None:
    first = AccountLink("d1", "a1", LinkPurpose.INVITE, 10, 20, "token:t")
    second = AccountLink("d2", "a1", LinkPurpose.RESET, 11, 30)
    other = AccountLink("d3", "a2", LinkPurpose.INVITE, 12, 99)
    await store.write(lambda tx: [tx.accounts.put_link(one) for one in (first, second, other)])
    assert await store.read(lambda tx: tx.accounts.link("d1")) is None
    assert await store.read(lambda tx: tx.accounts.link("d2")) == second
    assert await store.read(lambda tx: tx.accounts.links()) == [second, other]
    assert (await store.write(lambda tx: tx.purge(31)))["account_links"] == 1
    assert await store.read(lambda tx: tx.accounts.links()) == [other]
    assert await store.write(lambda tx: tx.accounts.drop_link("a2"))
    assert not await store.write(lambda tx: tx.accounts.drop_link("a2"))


async def test_sessions_are_listed_touched_and_ended(store: SqlStateStore) -> None:
    some = [session("d1", seen=100), session("d2", seen=300), session("d3", "a2", seen=200), session("d4", "", 50)]
    await store.write(lambda tx: [tx.sessions.put(one) for one in some])
    assert await store.read(lambda tx: tx.sessions.by_digest("d1")) == some[0]
    assert [one.digest for one in await store.read(lambda tx: tx.sessions.all())] == ["d2", "d3", "d1", "d4"]
    assert [one.digest for one in await store.read(lambda tx: tx.sessions.of_account("a1"))] == ["d2", "d1"]
    await store.write(lambda tx: [tx.sessions.touch("d1", 400), tx.sessions.touch("d1", 350)])
    assert [one.last_seen_at for one in await store.read(lambda tx: tx.sessions.of_account("a1"))] == [400, 300]
    assert await store.write(lambda tx: tx.sessions.delete(["d3", "d9"])) == 1
    assert await store.write(lambda tx: tx.sessions.delete([])) == 0
    assert await store.write(lambda tx: tx.sessions.purge(360, 100, 10)) == 1  # d4 was idle
    assert await store.write(lambda tx: tx.sessions.purge(1_000, 10_000, 1)) == 1
    assert len(await store.read(lambda tx: tx.sessions.all())) == 1


async def test_a_damaged_account_hides_no_other(store: SqlStateStore) -> None:
    def damage(tx) -> None:
        for one in (KEN, HANA):
            tx.accounts.put(one)
        tx.accounts._connection.execute(text("UPDATE accounts SET preferences = '[]' WHERE id = 'a1'"))

    await store.write(damage)
    assert await store.read(lambda tx: tx.accounts.all()) == [KEN]
    assert await store.read(lambda tx: tx.accounts.by_name("hana")) is None


async def test_tokens_keep_their_owners(store: SqlStateStore) -> None:
    await store.write(lambda tx: tx.tokens.add(Token("t1", "laptop", Role.VIEWER, "d1", 1, owner="a1")))
    assert [one.owner for one in await store.read(lambda tx: tx.tokens.all())] == ["a1"]

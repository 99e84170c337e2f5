"""Tokens: the first one, who comes in with which, and their end."""

import asyncio
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from service_world import HOUR, MINUTE, SECOND, open_world

from eldonia_ops.model.access import Role
from eldonia_ops.services.access.tokens import AccessService, write_secret
from eldonia_ops.storage.state.errors import StateError


async def test_the_first_start_makes_one_admin_token_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "data" / "admin.token"
    async with open_world() as world:
        assert not await world.access.has_admin()
        secret = await world.access.ensure_admin(file)
        assert secret is not None
        assert file.read_text() == secret + "\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert await world.access.ensure_admin(file) is None, "shown once"
        token = await world.access.authenticate(secret)
        assert token is not None
        assert token.role is Role.ADMIN
        assert secret not in repr(await world.access.all())


async def test_a_crash_between_the_file_and_the_store_leaves_a_way_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "admin.token"
    async with open_world() as world:

        async def dies(_: object) -> bool:
            raise StateError("killed")

        with monkeypatch.context() as patch:
            patch.setattr(world.state, "write", dies)
            with pytest.raises(StateError):
                await world.access.ensure_admin(file)
        assert await world.access.authenticate(file.read_text().strip()) is None
        secret = await world.access.ensure_admin(file)
        assert secret is not None
        assert await world.access.authenticate(secret) is not None


def test_a_secret_file_replaces_a_readable_one_and_a_draft_that_a_crash_left(tmp_path: Path) -> None:
    file = tmp_path / "admin.token"
    file.write_text("old")
    file.chmod(0o644)
    draft = tmp_path / f".admin.token.{os.getpid()}"
    draft.write_text("a draft that anybody can read")
    draft.chmod(0o644)
    write_secret(file, "new")
    assert file.read_text() == "new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


async def test_a_revoked_token_is_worthless_at_once_here_and_soon_in_another_process() -> None:
    async with open_world() as world:
        token, secret = await world.access.create("dashboard", Role.VIEWER)
        other = AccessService(world.clock, world.state)
        assert await world.access.authenticate(secret) is not None
        assert await other.authenticate(secret) is not None
        assert await world.access.revoke(token.id)
        assert not await world.access.revoke("nothing")
        assert await world.access.authenticate(secret) is None
        await world.pass_time(5 * SECOND)
        assert await other.authenticate(secret) is None


async def test_a_token_revoked_while_the_list_is_read_does_not_stay_in_memory() -> None:
    async with open_world() as world:
        token, secret = await world.access.create("dashboard", Role.VIEWER)
        read = world.state.read
        hold = asyncio.Event()

        async def late(work: Any) -> Any:
            found = await read(work)
            await hold.wait()
            return found

        access = world.access
        access._principals._state = type("Late", (), {"read": staticmethod(late), "write": world.state.write})()  # type: ignore[assignment]
        asking = asyncio.create_task(access.authenticate(secret))
        await world.clock.settle()
        await access.revoke(token.id)
        hold.set()
        await asking  # it came in before the revocation, and may get its answer
        assert await access.authenticate(secret) is None


async def test_use_is_noted_once_a_minute_and_a_full_disk_locks_no_user_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_world() as world:
        token, secret = await world.access.create("dashboard", Role.VIEWER)
        await world.pass_time(HOUR)
        await world.access.authenticate(secret)
        (stored,) = await world.access.all()
        assert stored.last_used_at == world.clock.now()
        first = world.clock.now()
        await world.pass_time(30 * SECOND)
        await world.access.authenticate(secret)
        assert [item.last_used_at for item in await world.access.all()] == [first]

        async def full(_: object) -> None:
            raise StateError("disk is full")

        monkeypatch.setattr(world.state, "write", full)
        await world.pass_time(MINUTE)
        found = await world.access.authenticate(secret)
        assert found is not None
        assert found.token.id == token.id
        assert secret not in caplog.text


async def test_unknown_and_malformed_secrets_are_no_user() -> None:
    async with open_world() as world:
        _, secret = await world.access.create("dashboard", Role.VIEWER)
        for wrong in ("", "x", secret[:-1], secret + "a", secret.swapcase(), "\0" * 50, "é" * 50):
            assert await world.access.authenticate(wrong) is None


async def test_a_token_ends_at_its_time_and_is_forgotten_later(tmp_path: Path) -> None:
    async with open_world() as world:
        token, secret = await world.access.create("ci", Role.ADMIN, 2 * HOUR)
        assert token.expires_at == world.clock.now() + 2 * HOUR
        assert await world.access.has_admin()
        await world.pass_time(2 * HOUR - 1)
        assert await world.access.authenticate(secret) is not None
        await world.pass_time(1)
        assert await world.access.authenticate(secret) is None
        assert not await world.access.has_admin()
        # With no way in left, the next start makes one, which never expires.
        assert await world.access.ensure_admin(tmp_path / "admin.token")
        (admin,) = [one for one in await world.access.all() if one.name == "admin"]
        assert admin.expires_at == 0
        await world.pass_time(24 * HOUR)
        assert await world.state.write(lambda tx: tx.tokens.purge(world.clock.now(), 10)) == 1
        assert [one.name for one in await world.access.all()] == ["admin"]

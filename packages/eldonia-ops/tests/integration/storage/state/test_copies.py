"""The state copied as a whole: out of either database, and back."""

from pathlib import Path

import pytest

from eldonia_ops.model.access import Role
from eldonia_ops.services.access.tokens import AccessService
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.storage.state import StateError, open_state_store
from eldonia_ops.storage.state.copies import from_file


@pytest.fixture
def scratch(tmp_path):
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


async def filled(url: str) -> set[str]:
    """A state with some tokens and a message in the inbox; their names."""
    store = await open_state_store(url)
    access = AccessService(SystemClock(), store)
    for name in ("a", "b", "パン"):
        await access.create(name, Role.VIEWER)
    await store.close()
    return await names(url)


async def names(url: str) -> set[str]:
    store = await open_state_store(url)
    found = {token.name + token.id for token in await AccessService(SystemClock(), store).all()}
    await store.close()
    return found


async def copied(url: str, scratch: Path) -> Path:
    store = await open_state_store(url)
    [file] = await store.snapshot(scratch, scratch)
    await store.give_up_snapshot()
    await store.close()
    assert file.size == file.path.stat().st_size
    return file.path


async def test_sqlite_is_copied_while_it_is_open(tmp_path, scratch):
    url = f"sqlite:///{tmp_path / 'state.db'}"
    expected = await filled(url)
    copy = await copied(url, scratch)
    assert await names(f"sqlite:///{copy}") == expected


async def test_postgresql_goes_into_a_file_and_from_there_into_an_empty_one(scratch, postgresql_server):
    urls = []
    for name in ("copies_a", "copies_b"):
        postgresql_server.execute(f"CREATE DATABASE {name}")
        urls.append(postgresql_server.url(name))
    first, second = urls
    try:
        expected = await filled(first)
        copy = await copied(first, scratch)
        assert await names(f"sqlite:///{copy}") == expected
        from_file(copy, second)
        assert await names(second) == expected
        # Numbers go on behind those that were copied.
        store = await open_state_store(second)
        await AccessService(SystemClock(), store).create("c", Role.VIEWER)
        await store.close()
        with pytest.raises(StateError, match="holds a state already") as refused:
            from_file(copy, second)
        assert postgresql_server.password not in str(refused.value)
    finally:
        for name in ("copies_a", "copies_b"):
            postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")

"""Opening, migrating, and what is said when that cannot be."""

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgresql import PostgresqlServer
from sqlalchemy import column, create_engine, insert, table

from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.alerting.notification import LogEntry
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import InboxItem
from eldonia_ops.storage.state import SqlStateStore, StateError, StateVersionError, open_state_store
from eldonia_ops.storage.state.migrate import VERSION_TABLE, migrate, newest_revision
from eldonia_ops.storage.state.tables import metadata


def engine_for(url: str) -> Any:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


async def test_the_migrations_make_the_tables_that_the_code_expects(store: SqlStateStore, state_url: str) -> None:
    engine = engine_for(state_url)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


async def test_a_database_newer_than_the_code_is_refused(state_url: str) -> None:
    await (await open_state_store(state_url)).close()
    engine = engine_for(state_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(StateVersionError, match=r"newer version of Eldonia Ops \(it is at 9999"):
        await open_state_store(state_url)


async def test_a_database_without_an_inbox_gets_one(state_url: str) -> None:
    engine = engine_for(state_url)
    with engine.begin() as connection:
        migrate(connection, "0003")
        counters = table("counters", column("name"), column("value"))
        connection.execute(insert(counters).values(name="incident_ordinal", value=41))
    engine.dispose()
    item = InboxItem(0, 7, (Alert(Labels({"alertname": "Down"})),))
    for ids in ([1], [2]):
        store = await open_state_store(state_url)
        try:
            assert await store.write(lambda t: t.inbox.append([item])) == ids
            assert await store.read(lambda t: t.incidents.last_ordinal()) == 41
        finally:
            await store.close()


async def test_alert_groups_of_the_first_form_keep_what_receivers_know(state_url: str) -> None:
    engine = engine_for(state_url)
    document = {
        "key": "0:{a}",
        "group_key": "{}:{a}",
        "route": "0",
        "receiver": "team",
        "labels": {"alertname": "Down"},
        "fingerprints": ["f1", "f2"],
        "created_at": 1,
        "flush_at": 40,
        "flushed_at": 10,
        "log": {"team/webhook/0": {"firing": ["f1"], "resolved": [], "at": 10}},
        "verdicts": {"team/webhook/0/f1": "sent", "team/webhook/0/f2": "silenced"},
    }
    with engine.begin() as connection:
        migrate(connection, "0001")
        machines = table("machines", column("kind"), column("key"), column("state"), column("deadline"))
        rows = [("0:{a}", json.dumps(document)), ("0:{b}", '"odd"')]
        for key, state in rows:
            connection.execute(insert(machines).values(kind="alert_group", key=key, state=state, deadline=40))
    engine.dispose()
    store = await open_state_store(state_url)
    try:
        assert await store.read(lambda t: t.groups.all()) == {
            "0:{a}": AlertGroupState(
                "0:{a}",
                "{}:{a}",
                "0",
                "team",
                {"alertname": "Down"},
                ("f1", "f2"),
                1,
                40,
                10,
                {"team/webhook/0": LogEntry(("f1",), (), 10)},
                {"f1": {"team/webhook/0": "sent"}, "f2": {"team/webhook/0": "silenced"}},
            )
        }
        assert await store.read(lambda t: t.machines.next_deadline("alert_group")) is None
    finally:
        await store.close()


async def test_tokens_from_before_accounts_belong_to_none_and_sessions_end(state_url: str) -> None:
    engine = engine_for(state_url)
    with engine.begin() as connection:
        migrate(connection, "0005")
        instants = ("created_at", "last_used_at", "revoked_at", "expires_at")
        tokens = table("tokens", *(column(name) for name in ("id", "name", "role", "digest", *instants)))
        zeros = {"last_used_at": 0, "revoked_at": 0, "expires_at": 0}
        connection.execute(insert(tokens).values(id="t", name="ci", role="ingest", digest="d", created_at=1, **zeros))
        machines = table("machines", column("kind"), column("key"), column("state"))
        for kind in ("web.session", "security_window"):
            connection.execute(insert(machines).values(kind=kind, key="k", state="{}"))
    engine.dispose()
    store = await open_state_store(state_url)
    try:
        assert [one.owner for one in await store.read(lambda t: t.tokens.all())] == [""]
        assert await store.read(lambda t: t.machines.load_all("web.session", dict)) == {}
        assert await store.read(lambda t: t.machines.load_all("security_window", dict)) == {"k": {}}
        assert await store.read(lambda t: (t.accounts.all(), t.sessions.all())) == ([], [])
    finally:
        await store.close()


async def test_a_new_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "state.db"
    before = os.umask(0)
    try:
        store = await open_state_store(f"sqlite:///{path}")
        await store.write(lambda t: t.positions.put("x", "1:1", 1))
        modes = {item.name: stat.S_IMODE(item.stat().st_mode) for item in path.parent.iterdir()}
        await store.close()
    finally:
        os.umask(before)
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


async def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("shopping list\n" * 100)
    with pytest.raises(StateError, match="not a database"):
        await open_state_store(f"sqlite:///{path}")
    assert path.read_text() == "shopping list\n" * 100


async def test_a_folder_is_not_a_state_file(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot open the state file"):
        await open_state_store(f"sqlite:///{tmp_path}")


@pytest.mark.parametrize("url", ["", "state.db", "mysql://root:hunter2@db/x", "postgresql://u:hunter2@h:x/y"])
async def test_other_urls_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(StateError) as caught:
        await open_state_store(url)
    assert "hunter2" not in str(caught.value)


async def test_a_wrong_password_is_not_printed(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(StateError, match="password authentication failed") as caught:
        await open_state_store(postgresql_server.url(password="hunter2"))
    assert "hunter2" not in str(caught.value)
    assert "ops:***@127.0.0.1" in str(caught.value)


async def test_an_unreachable_server_is_named(postgresql_server: PostgresqlServer) -> None:
    with pytest.raises(StateError, match=r"cannot open postgresql://u:\*\*\*@127\.0\.0\.1:1/x"):
        await open_state_store("postgresql://u:hunter2@127.0.0.1:1/x")


async def test_a_database_that_cannot_hold_all_text_is_refused(postgresql_server: PostgresqlServer) -> None:
    postgresql_server.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(StateError, match="encoded in LATIN1"):
            await open_state_store(postgresql_server.url("narrow"))
    finally:
        postgresql_server.execute("DROP DATABASE narrow WITH (FORCE)")


async def test_the_unix_socket_serves_too(postgresql_server: PostgresqlServer, postgresql_url: str) -> None:
    store = await open_state_store(postgresql_server.socket_url(postgresql_url.rsplit("/", 1)[1]))
    assert store.name == "postgresql"
    assert await store.write(lambda t: t.incidents.next_ordinal()) == 1
    await store.close()


async def test_a_lost_connection_is_made_again(postgresql_server: PostgresqlServer, postgresql_url: str) -> None:
    store = await open_state_store(postgresql_url)
    assert await store.write(lambda t: t.incidents.next_ordinal()) == 1
    name = postgresql_url.rsplit("/", 1)[1]
    kill = (
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    )
    postgresql_server.execute(kill)
    assert await store.write(lambda t: t.incidents.next_ordinal()) == 2

    attempts = []

    def cut_off_once(t: Any) -> int:
        attempts.append(t.incidents.next_ordinal())
        if len(attempts) == 1:
            postgresql_server.execute(kill)
        return t.incidents.next_ordinal()

    assert await store.write(cut_off_once) == 4
    assert attempts == [3, 3]
    await store.close()


def test_the_newest_migration_is_the_one_that_alembic_would_run_up_to() -> None:
    folder = files("eldonia_ops.storage.state") / "migrations"
    with as_file(folder) as path:
        config = Config()
        config.set_main_option("script_location", str(path))
        assert newest_revision() == ScriptDirectory.from_config(config).get_current_head()


def test_a_start_with_nothing_to_migrate_does_not_load_alembic(tmp_path: Path) -> None:
    """To load it is a twelfth of a start."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    asyncio.run(open_state_store(url))
    code = (
        "import asyncio, sys; from eldonia_ops.storage.state import open_state_store\n"
        "asyncio.run(open_state_store(sys.argv[1]))\nprint('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "False"

"""A real PostgreSQL server, watched."""

import asyncio

import psycopg
from collector_loops import Rows, loop_of

from eldonia_ops.collectors.postgresql import postgresql_plan
from eldonia_ops.collectors.postgresql.config import PostgresqlSettings
from eldonia_ops.collectors.postgresql.source import PostgresqlSource
from eldonia_ops.collectors.status import TargetHealth
from eldonia_ops.model.secret import Secret


def find(readings, name, **labels):
    return [value for found, own, value in readings if found == name and labels.items() <= dict(own).items()]


async def test_reads_what_the_server_does(postgresql_url):
    database = postgresql_url.rpartition("/")[2]
    source = PostgresqlSource(Secret(postgresql_url))
    async with await psycopg.AsyncConnection.connect(postgresql_url) as other:
        await other.execute("CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
        await asyncio.sleep(0.1)
        readings, problem = await source.measure()
        assert problem == ""
        assert find(readings, "pg_up") == find(readings, "up") == [1.0]
        assert find(readings, "pg_stat_database_numbackends", datname=database) == [2.0]
        assert find(readings, "pg_stat_activity_count", datname=database, state="idle in transaction") == [1.0]
        assert find(readings, "pg_stat_activity_count", datname=database, state="idle") == [0.0]
        [longest] = find(readings, "pg_stat_activity_max_tx_duration", datname=database, state="idle in transaction")
        assert 0.1 <= longest < 60
        assert find(readings, "pg_database_size_bytes", datname=database)[0] > 1_000_000
        assert find(readings, "pg_settings_max_connections") == [50.0]
        assert find(readings, "pg_replication_lag_seconds") == [0.0]
        assert find(readings, "pg_replication_is_replica") == [0.0]
        assert find(readings, "pg_locks_count", datname=database, mode="accessexclusivelock")[0] >= 1
        for name in ("xact_commit", "xact_rollback", "blks_hit", "blks_read", "deadlocks", "tup_inserted"):
            assert len(find(readings, f"pg_stat_database_{name}", datname=database)) == 1
        await other.rollback()
    await source.close()


async def test_a_lost_connection_is_made_again(postgresql_url, postgresql_server):
    source = PostgresqlSource(Secret(postgresql_url))
    await source.measure()
    postgresql_server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'eldonia-ops'"
    )
    readings, problem = await source.measure()
    assert find(readings, "pg_up") == [0.0]
    assert "terminat" in problem
    readings, problem = await source.measure()
    assert (find(readings, "pg_up"), problem) == ([1.0], "")
    await source.close()


async def test_failures_are_said_without_the_password(postgresql_server):
    sink = Rows()
    rows = sink.collected
    url = postgresql_server.url(password="Open-Sesame")
    loop = loop_of(postgresql_plan(PostgresqlSettings(Secret(url))), sink.store)
    await loop.measure_once(1_000)
    assert loop.status.health is TargetHealth.DOWN
    assert "password authentication failed" in loop.status.error
    assert "Open-Sesame" not in loop.status.error + repr(loop.status) + repr(loop.__dict__)
    # The rule TargetDown looks at up, and names the reason.
    assert [labels.name for labels in rows[0].row.labels] == ["up", "pg_up", "target_failure_info"]
    assert rows[0].row.values.tolist() == [0.0, 0.0, 1.0]
    assert "password authentication failed" in rows[0].row.labels[2].get("reason")
    assert "Open-Sesame" not in repr(rows[0].row.labels)
    assert loop.status.url == f"postgresql://127.0.0.1:{postgresql_server.port}/postgres"
    assert loop.status.labels["instance"] == f"127.0.0.1:{postgresql_server.port}"
    assert loop.status.error.startswith("FATAL: "), "the address is beside it"
    for dsn, words in [
        ("host=127.0.0.1 port=1 password=Open-Sesame user=x", "Connection refused"),
        ("postgresql://u:Open-Sesame@127.0.0.1:notaport/x", ""),
        ("this is Open-Sesame no dsn", ""),
    ]:
        loop = loop_of(postgresql_plan(PostgresqlSettings(Secret(dsn), "db")), sink.store)
        await loop.measure_once(1_000)
        assert words in loop.status.error
        assert loop.status.error
        assert "Is the server running" not in loop.status.error
        assert "Open-Sesame" not in loop.status.error + repr(loop.status)
        await loop.close()


async def test_a_server_that_hangs_is_given_up():
    async def silent(reader, writer):
        await reader.read(1)
        await asyncio.sleep(5)

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    source = PostgresqlSource(Secret(f"postgresql://u:p@127.0.0.1:{port}/d"), timeout_ms=200)
    readings, problem = await source.measure()
    assert (find(readings, "up"), problem) == ([0.0], "no answer within 0.2 s")
    server.close()


async def test_a_part_that_is_refused_takes_no_other_away(postgresql_url, postgresql_server):
    database = postgresql_url.rpartition("/")[2]
    postgresql_server.execute("CREATE ROLE watcher LOGIN PASSWORD 'w'")
    try:
        for function in ("pg_database_size(oid)", "pg_lock_status()"):
            postgresql_server.execute(f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC", database)
        source = PostgresqlSource(Secret(f"postgresql://watcher:w@127.0.0.1:{postgresql_server.port}/{database}"))
        readings, problem = await source.measure()
        await source.close()
    finally:
        postgresql_server.execute("DROP ROLE watcher")
    assert find(readings, "pg_up") == find(readings, "up") == [1.0]
    assert problem.startswith("locks: permission denied")
    assert find(readings, "pg_locks_count") == []
    # The sizes were refused together, and are asked for one by one.
    assert find(readings, "pg_database_size_bytes", datname=database)[0] > 1_000_000
    assert find(readings, "pg_settings_max_connections") == [50.0]
    assert find(readings, "pg_stat_database_xact_commit", datname=database)


async def test_a_database_whose_files_are_gone_takes_no_other_away(postgresql_url, postgresql_server):
    database = postgresql_url.rpartition("/")[2]
    postgresql_server.execute("CREATE DATABASE broken")
    postgresql_server.execute("CHECKPOINT")  # no page of it has to be written any more
    [(oid,)] = postgresql_server.execute("SELECT oid FROM pg_database WHERE datname = 'broken'")
    files = postgresql_server.directory / "data" / "base" / str(oid)
    files.rename(files.with_name("moved"))
    try:
        source = PostgresqlSource(Secret(postgresql_url))
        readings, problem = await source.measure()
        await source.close()
    finally:
        files.with_name("moved").rename(files)
        postgresql_server.execute("DROP DATABASE broken")
    assert (find(readings, "pg_up"), problem) == ([1.0], "")
    assert find(readings, "pg_database_size_bytes", datname=database)[0] > 1_000_000
    assert find(readings, "pg_database_size_bytes", datname="broken") == []

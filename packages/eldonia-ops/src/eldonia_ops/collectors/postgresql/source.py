"""A PostgreSQL server's activity under postgres_exporter's names.

Names: https://github.com/prometheus-community/postgres_exporter. One connection is kept; every query runs
under a time limit, read-only. Needs the ``postgresql`` extra (psycopg).
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.model.samples import MetricMetadata, MetricType
from eldonia_ops.model.secret import Secret

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger("eldonia_ops.collectors.postgresql")

STATES: Final = (
    "active",
    "idle",
    "idle in transaction",
    "idle in transaction (aborted)",
    "fastpath function call",
    "disabled",
)
_DATABASE_COLUMNS: Final = (
    "numbackends",
    "xact_commit",
    "xact_rollback",
    "blks_read",
    "blks_hit",
    "tup_returned",
    "tup_fetched",
    "tup_inserted",
    "tup_updated",
    "tup_deleted",
    "conflicts",
    "temp_files",
    "temp_bytes",
    "deadlocks",
)
_DATABASES = (
    f"SELECT datid::text, datname, {', '.join(_DATABASE_COLUMNS)} "  # noqa: S608 - the names are constants above
    "FROM pg_stat_database WHERE datname IS NOT NULL ORDER BY datname"
)
_ACTIVITY = (
    "SELECT datname, state, count(*), "
    "coalesce(max(extract(epoch FROM now() - xact_start)), 0)::float8 "
    "FROM pg_stat_activity WHERE datname IS NOT NULL AND state IS NOT NULL AND pid <> pg_backend_pid() "
    "GROUP BY datname, state"
)
_SIZED = "FROM pg_database WHERE datallowconn AND has_database_privilege(oid, 'CONNECT') ORDER BY datname"
_SIZES = f"SELECT datname, pg_database_size(oid) {_SIZED}"
_NAMES = f"SELECT datname {_SIZED}"
_SIZE = "SELECT pg_database_size(%s::name)"
_SERVER = (
    "SELECT pg_is_in_recovery()::int, "
    "CASE WHEN NOT pg_is_in_recovery() THEN 0 "
    "WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 "
    "ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END::float8, "
    "current_setting('max_connections')::int, "
    "extract(epoch FROM pg_postmaster_start_time())::float8, "
    "current_setting('server_version')"
)
_REPLICAS = (
    "SELECT coalesce(application_name, ''), coalesce(client_addr::text, ''), coalesce(state, ''), "
    "pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_receive_lsn() "
    "ELSE pg_current_wal_lsn() END, replay_lsn)::float8 FROM pg_stat_replication WHERE replay_lsn IS NOT NULL"
)
_LOCKS = (
    "SELECT d.datname, lower(l.mode), count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database "
    "GROUP BY d.datname, l.mode"
)

_Answer: TypeAlias = tuple[str, Mapping[str, str], Any]
_DOWN: Final[list[Reading]] = [("up", {}, 0.0), ("pg_up", {}, 0.0)]

METADATA: Final = (
    MetricMetadata("pg_up", MetricType.GAUGE, "1 when the server answered."),
    MetricMetadata("pg_stat_database_numbackends", MetricType.GAUGE, "Connections to a database."),
    *(
        MetricMetadata(f"pg_stat_database_{name}", MetricType.COUNTER, f"{name} of pg_stat_database.")
        for name in _DATABASE_COLUMNS[1:]
    ),
    MetricMetadata("pg_stat_activity_count", MetricType.GAUGE, "Connections in each state."),
    MetricMetadata(
        "pg_stat_activity_max_tx_duration", MetricType.GAUGE, "Age of the oldest transaction in each state, seconds."
    ),
    MetricMetadata("pg_database_size_bytes", MetricType.GAUGE, "Disk space of a database."),
    MetricMetadata("pg_replication_lag_seconds", MetricType.GAUGE, "How far a replica is behind; 0 on a primary."),
    MetricMetadata("pg_settings_max_connections", MetricType.GAUGE, "How many connections the server takes."),
)


def address(dsn: Secret) -> str:
    """``host:port/database`` without user and password; empty when the DSN cannot be read."""
    try:
        from psycopg.conninfo import conninfo_to_dict

        parts = conninfo_to_dict(dsn.reveal())
    except Exception:  # noqa: BLE001 - any complaint about a DSN could quote its password
        return ""
    host = str(parts.get("host") or parts.get("hostaddr") or "localhost")
    return f"{host}:{parts.get('port') or 5432}/{parts.get('dbname') or ''}".rstrip("/")


def reason_in(text: str) -> str:
    """What went wrong, out of what libpq says: without the address, which the reader of a page sees beside it, and
    without the question whether the server is running, which is the reader's own."""
    text = text.removeprefix("connection failed: ")
    if text.startswith("connection to server "):
        before, _, after = text.partition(" failed: ")
        text = after or before
    return text.partition(" Is the server running ")[0]


class PostgresqlSource:
    """Reads one server. ``dsn`` is a libpq connection string or ``postgresql://`` URL.

    Implements :class:`~eldonia_ops.collectors.poll_loop.Source`.
    """

    def __init__(self, dsn: Secret, *, timeout_ms: int = 5_000) -> None:
        self._dsn = dsn
        self._timeout_ms = timeout_ms
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def measure(self) -> tuple[list[Reading], str]:
        """All readings; when the server does not answer, ``up`` and ``pg_up`` 0 and the reason in words.

        A part that the server refuses to answer, or one database, is left out and named in the text.

        postgres_exporter is itself a target that is ``up``; here there is none between, and a server that
        cannot be read is a target that is down.
        """
        try:
            import psycopg
        except ImportError:
            return _DOWN, "psycopg is not installed: pip install 'eldonia-ops[postgresql]'"
        seconds = self._timeout_ms / 1000
        try:
            async with asyncio.timeout(seconds):
                found, faults = await self._read()
        except (psycopg.Error, OSError, ValueError) as error:
            await self.close()
            late = isinstance(error, TimeoutError)
            return _DOWN, f"no answer within {seconds:g} s" if late else self._words(error)
        except BaseException:
            await self.close()
            raise
        return [("up", {}, 1.0), ("pg_up", {}, 1.0), *found], "; ".join(faults)[:300]

    async def close(self) -> None:
        """Close the connection. Idempotent."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _read(self) -> tuple[list[Reading], list[str]]:
        """Readings, and in words what could not be read."""
        import psycopg

        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._dsn.reveal(),
                autocommit=True,
                application_name="eldonia-ops",
                options=f"-c statement_timeout={self._timeout_ms} -c default_transaction_read_only=on",
            )
        found: list[Reading] = []
        faults: list[str] = []
        parts = (self._databases, self._sizes, self._server, self._replicas, self._locks)
        for part in parts:
            try:
                async for name, labels, value in part(faults):
                    if value is not None:  # what the server does not know
                        found.append((name, labels, float(value)))
            except psycopg.Error as error:
                # Without a connection nothing can be read; the databases are what the rest is about.
                if self._connection.closed or part == self._databases:
                    raise
                faults.append(f"{part.__name__.strip('_')}: {self._words(error)}")
        return found, faults

    async def _databases(self, faults: list[str]) -> AsyncIterator[_Answer]:
        databases = await self._rows(_DATABASES)
        for datid, datname, *values in databases:
            labels = {"datid": datid, "datname": datname}
            for column, value in zip(_DATABASE_COLUMNS, values, strict=True):
                yield f"pg_stat_database_{column}", labels, value
        activity = {(row[0], row[1]): (row[2], row[3]) for row in await self._rows(_ACTIVITY)}
        for _, datname, *_ in databases:
            for state in STATES:
                count, longest = activity.get((datname, state), (0, 0.0))
                labels = {"datname": datname, "state": state}
                yield "pg_stat_activity_count", labels, count
                yield "pg_stat_activity_max_tx_duration", labels, longest

    async def _sizes(self, faults: list[str]) -> AsyncIterator[_Answer]:
        import psycopg

        try:
            sizes = await self._rows(_SIZES)
        except psycopg.Error:
            if self._connection is None or self._connection.closed:
                raise
            # One database whose files cannot be read: each is asked for by itself.
            sizes = []
            for (datname,) in await self._rows(_NAMES):
                try:
                    [(size,)] = await self._rows(_SIZE, (datname,))
                    sizes.append((datname, size))
                except psycopg.Error as error:
                    if self._connection.closed:
                        raise
                    faults.append(f"the size of {datname}: {self._words(error)}")
        for datname, size in sizes:
            yield "pg_database_size_bytes", {"datname": datname}, size

    async def _server(self, faults: list[str]) -> AsyncIterator[_Answer]:
        [(replica, lag, connections, started, version)] = await self._rows(_SERVER)
        yield "pg_replication_is_replica", {}, replica
        yield "pg_settings_max_connections", {}, connections
        yield "pg_postmaster_start_time_seconds", {}, started
        yield "pg_static", {"version": version}, 1.0
        yield "pg_replication_lag_seconds", {}, lag

    async def _replicas(self, faults: list[str]) -> AsyncIterator[_Answer]:
        for application, client, state, behind in await self._rows(_REPLICAS):
            labels = {"application_name": application, "client_addr": client, "state": state}
            yield "pg_stat_replication_pg_wal_lsn_diff", labels, behind

    async def _locks(self, faults: list[str]) -> AsyncIterator[_Answer]:
        for datname, mode, count in await self._rows(_LOCKS):
            yield "pg_locks_count", {"datname": datname, "mode": mode}, count

    async def _rows(self, query: str, parameters: tuple[str, ...] = ()) -> Sequence[tuple[Any, ...]]:
        assert self._connection is not None
        async with self._connection.cursor() as cursor:
            await cursor.execute(query.encode(), parameters or None)
            return await cursor.fetchall()

    def _words(self, error: BaseException) -> str:
        """The first line of what the server or libpq says, with the password removed at every place."""
        text = reason_in(" ".join(str(error).split())) or type(error).__name__
        for hidden in self._hidden():
            text = text.replace(hidden, "<secret>")
        return text[:300]

    def _hidden(self) -> list[str]:
        dsn = self._dsn.reveal()
        try:
            from psycopg.conninfo import conninfo_to_dict

            password = conninfo_to_dict(dsn).get("password")
        except Exception:  # noqa: BLE001 - what cannot be read as a DSN is hidden as a whole, word by word
            return sorted({dsn, *dsn.split()}, key=len, reverse=True)
        return [dsn, str(password)] if password else [dsn]

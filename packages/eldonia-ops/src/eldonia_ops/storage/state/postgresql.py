"""State in a PostgreSQL database, which several processes may share."""

from importlib.util import find_spec
from typing import Any

from sqlalchemy import URL, create_engine
from sqlalchemy.exc import DBAPIError

from eldonia_ops.storage.state.backend import Backend, explain, shown
from eldonia_ops.storage.state.errors import StateError

_READERS = 4
_COLLISIONS = {
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
}
_CONNECT_SECONDS = 10
_SESSION = "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"


def open_postgresql(url: URL) -> Backend:
    """Open the database that a URL names and look whether it can hold the state.

    Writing transactions are SERIALIZABLE, so that concurrent processes see the same as if they had
    taken turns; reading ones are REPEATABLE READ snapshots.

    Raises:
        StateError: the driver is not installed, the database cannot be reached, or it is not UTF-8.
    """
    if find_spec("psycopg") is None:
        raise StateError("state in PostgreSQL needs the psycopg driver: install eldonia-ops[postgresql]")
    defaults: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "application_name": "eldonia-ops",
        "options": _SESSION,
    }
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={name: value for name, value in defaults.items() if name not in url.query},
        isolation_level="SERIALIZABLE",
        pool_size=_READERS + 1,
        max_overflow=1,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    try:
        with engine.connect() as connection:
            encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    except DBAPIError as error:
        engine.dispose()
        raise StateError(f"cannot open {shown(url)}: {explain(error, url)}") from None
    if encoding != "UTF8":
        engine.dispose()
        raise StateError(f"{shown(url)} is encoded in {encoding}; state needs a database with ENCODING 'UTF8'")
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    migrator = engine.execution_options(isolation_level="READ COMMITTED")
    return Backend("postgresql", engine, reader, migrator, _READERS, _retryable)


def _retryable(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in _COLLISIONS

"""State in one SQLite file (https://www.sqlite.org/wal.html)."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from eldonia_ops.storage.state.backend import Backend
from eldonia_ops.storage.state.errors import StateError

_BUSY_SECONDS = 5
_READERS = 4
_BUSY, _LOCKED = 5, 6  # sqlite3.SQLITE_BUSY, SQLITE_LOCKED


def open_sqlite(url: URL) -> Backend:
    """Open (or create, readable by its owner only) the file that a URL names; ``sqlite://`` is memory.

    Raises:
        StateError: the file cannot be created or opened.
    """
    path = url.database or ""
    if path in ("", ":memory:"):
        engine = _engine("file::memory:", "BEGIN IMMEDIATE", memory=True)
        return Backend("memory", engine, engine, engine, 0, _retryable)
    _create(Path(path))
    writer = _engine(path, "BEGIN IMMEDIATE")
    reader = _engine(path, "BEGIN", read_only=True)
    return Backend("sqlite", writer, reader, writer, _READERS, _retryable)


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite would create the file as the umask says; its journal files take the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StateError(f"cannot open the state file {path}: {error.strerror}") from None


def _engine(path: str, begin: str, *, read_only: bool = False, memory: bool = False) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level None leaves BEGIN to us: the driver's own would begin too late and never immediate.
        return sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=memory)

    pool: dict[str, Any] = {"poolclass": StaticPool} if memory else {"poolclass": QueuePool, "pool_size": _READERS}
    engine = create_engine("sqlite://", creator=connect, hide_parameters=True, **pool)

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        if not memory:
            _write_ahead(connection)
        # FULL: a commit is on the disk when it returns, also when the power fails the moment after.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        if read_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL. Where another does so at the same moment SQLite does not wait as it does otherwise."""
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != _BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _retryable(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF in (_BUSY, _LOCKED)

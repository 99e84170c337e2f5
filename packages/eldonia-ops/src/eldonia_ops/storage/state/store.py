"""The state store: transactions on threads of their own, away from the event loop."""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import StateTransaction
from eldonia_ops.storage.state.backend import Backend, explain, parse_url, shown
from eldonia_ops.storage.state.committed import Committed
from eldonia_ops.storage.state.copies import copy_sqlite, to_file
from eldonia_ops.storage.state.errors import StateClosedError, StateError
from eldonia_ops.storage.state.migrate import migrate
from eldonia_ops.storage.state.postgresql import open_postgresql
from eldonia_ops.storage.state.sqlite import open_sqlite
from eldonia_ops.storage.state.transaction import SqlTransaction

T = TypeVar("T")

_RETRY_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5


async def open_state_store(url: str) -> "SqlStateStore":
    """Open the state at ``sqlite:///path`` or ``postgresql://user:password@host/database``, migrating it if needed.

    A missing SQLite file is created with mode 0600; ``sqlite://`` keeps the state in memory, for tests.

    Raises:
        StateVersionError: the state was written by a newer version of the program.
        StateError: it cannot be opened; the message never holds the password.
    """
    return await asyncio.to_thread(_open, url)


def _open(text: str) -> "SqlStateStore":
    url = parse_url(text)
    backend = open_postgresql(url) if url.get_backend_name() == "postgresql" else open_sqlite(url)
    try:
        with backend.migrator.begin() as connection:
            migrate(connection)
    except DBAPIError as error:
        backend.dispose()
        raise StateError(f"cannot open {shown(url)}: {explain(error, url)}") from None
    except BaseException:
        backend.dispose()
        raise
    return SqlStateStore(backend)


class SqlStateStore:
    """See :class:`~eldonia_ops.ports.StateStore`.

    Writes run one after the other on one thread: SQLite has one writer anyway, and on PostgreSQL a
    process does not collide with itself. Reads run beside them on threads of their own.
    Cancelling a caller does not undo a write that has begun.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="state-write")
        self._reading = (
            ThreadPoolExecutor(backend.readers, thread_name_prefix="state-read") if backend.readers else self._writing
        )
        self._closed = False
        self._committed = Committed()

    @property
    def name(self) -> str:
        """``sqlite``, ``postgresql`` or ``memory``."""
        return self._backend.name

    async def write(self, work: Callable[[StateTransaction], T]) -> T:
        """Run ``work`` in one serialisable transaction and return its result once that is committed.

        Whatever ``work`` raises rolls the transaction back and comes out here.

        Raises:
            StateError: the database failed, or kept colliding with others for 30 s.
        """
        return await self._run(self._writing, self._backend.writer, work, writes=True)

    async def read(self, work: Callable[[StateTransaction], T]) -> T:
        """Run ``work`` in one read-only snapshot.

        Raises:
            StateError: the database failed, or ``work`` tried to write.
        """
        return await self._run(self._reading, self._backend.reader, work, writes=False)

    async def snapshot(self, scratch: Path, data: Path) -> list[SnapshotFile]:
        """One SQLite file with what was committed before; see :class:`~eldonia_ops.ports.Snapshots`."""
        if self._closed:
            raise StateClosedError("the state store is closed")
        target = scratch / "state.db"
        await asyncio.get_running_loop().run_in_executor(self._reading, self._copy, target)
        return [SnapshotFile(target.name, target, target.stat().st_size)]

    async def give_up_snapshot(self) -> None:
        """The copy lies in the caller's folder."""

    async def close(self) -> None:
        """Finish what runs or waits, then close the connections. Idempotent."""
        self._closed = True

        def finish() -> None:
            self._writing.shutdown(wait=True)
            self._reading.shutdown(wait=True)
            self._backend.dispose()

        await asyncio.to_thread(finish)

    def _copy(self, target: Path) -> None:
        if self._backend.name == "postgresql":
            to_file(self._backend.reader, target)
            return
        with self._backend.reader.connect() as connection:
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            copy_sqlite(source, target)

    async def _run(
        self, threads: ThreadPoolExecutor, engine: Engine, work: Callable[[StateTransaction], T], *, writes: bool
    ) -> T:
        if self._closed:
            raise StateClosedError("the state store is closed")
        return await asyncio.get_running_loop().run_in_executor(threads, self._attempt, engine, work, writes)

    def _attempt(self, engine: Engine, work: Callable[[StateTransaction], T], writes: bool) -> T:
        give_up_at = time.monotonic() + _RETRY_SECONDS
        pause = _FIRST_PAUSE
        while True:
            committing = False
            try:
                with engine.begin() as connection:
                    transaction = SqlTransaction(connection, self._committed, writes=writes)
                    result = work(transaction)
                    committing = True
                if writes:
                    transaction.committed()
                return result
            except DBAPIError as error:
                if error.connection_invalidated and committing:
                    # It may have been committed: to run it again could do everything twice.
                    raise StateError(f"lost the database while committing: {explain(error)}") from None
                passing = self._backend.retryable(error) or error.connection_invalidated
                if not passing or time.monotonic() > give_up_at:
                    raise StateError(f"the state database failed: {explain(error)}") from None
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE)

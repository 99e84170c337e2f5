"""ClickHouse inside this process (chDB).

Facts this module rests on (chDB 4.4, engine 26.9):

* a process may have one data directory open, by any number of connections;
* a connection serialises its statements, connections run in parallel and release the GIL;
* a fork after opening ends in a deadlock (``subprocess`` is fine, it executes at once);
* exiting while a statement runs crashes, so :meth:`ChdbEngine.close` cancels and joins first;
* after a statement that failed half-way its connection is soiled and has to be replaced;
* chDB's insert stream ends with success also when the engine refused the data, so an insert is one statement that
  reads its data from a file; data inside a statement would end at an empty line, and take half as long again;
* server settings come from a configuration file only, and unknown ones are ignored in silence.
"""

import asyncio
import errno
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from eldonia_ops.model.snapshots import SnapshotFile
from eldonia_ops.ports import TelemetryError
from eldonia_ops.storage.clickhouse.engines import frozen
from eldonia_ops.storage.clickhouse.engines.chdb_settings import READER_SETTINGS, SERVER_SETTINGS, configuration_xml
from eldonia_ops.storage.clickhouse.engines.engine import (
    READ_SETTINGS,
    WRITE_SETTINGS,
    Parameter,
    failure,
    insert_statement,
    quoted,
    rendered,
)

T = TypeVar("T")
_log = logging.getLogger(__name__)

_MFD_NOEXEC_SEAL: Final = 0x0008
"""linux/memfd.h: not executable. Kernels from 6.3 on warn without it, and may be set to refuse (vm.memfd_noexec)."""


class ChdbEngine:
    """An :class:`~eldonia_ops.storage.clickhouse.engines.engine.Engine` on a directory of this machine.

    One writer and ``readers`` reading connections, each used by one thread of its own.
    """

    def __init__(self, path: Path, *, database: str = "default", readers: int = 2) -> None:
        self._path = path
        self._database = database
        self._settings_ignored: list[str] = []
        self._connections: list[Any] = []
        self._local = threading.local()
        self._closed = False
        self._closing: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1, "telemetry-write")
        self._readers = ThreadPoolExecutor(readers, "telemetry-read", initializer=self._open_reader)
        self._write_connection: Any = None

    async def open(self) -> None:
        """Open the directory, creating it when missing.

        Raises:
            TelemetryError: another process has it open, or this process has another one open.
        """
        if any(character in str(self._path) for character in "?&#"):
            raise TelemetryError(f"the data directory must not contain ?, & or #: {self._path}")
        await self._on_writer(self._open)

    async def execute(self, sql: str, parameters: Mapping[str, Parameter] | None = None) -> None:
        """Run a statement on the writing connection."""
        values = rendered(parameters)
        await self._on_writer(lambda: self._write_connection.query(sql, "Null", params=values))

    async def insert(self, table: str, columns: tuple[str, ...], format: str, body: bytes, *, token: str = "") -> None:
        """Insert on the writing connection."""

        def run() -> None:
            try:
                with memory_file(body) as path:
                    statement = insert_statement(table, columns, token, source=path)
                    self._write_connection.query(f"{statement} FORMAT {format}", "Null")
            except OSError as error:
                raise TelemetryError(f"{len(body)} bytes for {table} could not be handed over: {error}") from None

        await self._on_writer(run)

    async def query(
        self, sql: str, parameters: Mapping[str, Parameter] | None = None, *, format: str = "JSONEachRow"
    ) -> bytes:
        """Read on whichever reading connection is free."""
        values = rendered(parameters)

        def run() -> bytes:
            try:
                return self._local.connection.query(sql, format, params=values).bytes()
            except BaseException:
                # What a failed statement had written already would come out before the next one's result.
                self._replace_reader()
                raise

        return await self._run(self._readers, run)

    async def freeze(self, data: Path) -> list[SnapshotFile]:
        """Keep the parts that are stored now, table by table; see ``frozen.py``."""
        await self.thaw()
        tables = (await self.query("SHOW TABLES", format="TSV")).decode().split()
        for table in frozen.in_order(tables):
            await self.execute(f"ALTER TABLE {table} FREEZE WITH NAME '{frozen.NAME}'")
        return await asyncio.to_thread(frozen.files, self._path / "data", data)

    async def thaw(self) -> None:
        """Remove what was kept, also by a run that was killed."""
        await asyncio.to_thread(frozen.remove, self._path / "data")

    def facts(self) -> dict[str, Any]:
        """Kind, path, and the server settings that did not take effect."""
        return {"engine": "chdb", "path": str(self._path), "settings_ignored": list(self._settings_ignored)}

    async def close(self) -> None:
        """Refuse new work, finish writes, cancel reads, join the threads, close the connections."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._closed = True
        await asyncio.to_thread(self._shut_down)

    # --- on the worker threads -------------------------------------------------------------

    async def _on_writer(self, work: Callable[[], T]) -> T:
        return await self._run(self._writer, work)

    async def _run(self, executor: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        if self._closed:
            raise TelemetryError("the telemetry store is closed")

        def guarded() -> T:
            try:
                return work()
            except RuntimeError as error:  # chDB raises RuntimeError and its own Exception below
                raise failure(str(error)) from None
            except Exception as error:
                if type(error).__name__ == "ChdbError":
                    raise failure(str(error)) from None
                raise

        return await asyncio.get_running_loop().run_in_executor(executor, guarded)

    def _open(self) -> None:
        # The engine makes its files as the umask says, and logs are not for other users: the folder is closed,
        # also where the folder above it is open.
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.chmod(0o700)
        self._configuration.write_text(configuration_xml(), "utf-8")
        (self._path / "data").mkdir(exist_ok=True)
        frozen.remove(self._path / "data")
        connection = self._connect(WRITE_SETTINGS)
        self._write_connection = connection
        if self._database != "default":
            connection.query(f"CREATE DATABASE IF NOT EXISTS {self._database}")
            connection.query(f"USE {self._database}")
        in_force = {
            line.split("\t")[0]: line.split("\t")[1]
            for line in connection.query("SELECT name, value FROM system.server_settings", "TSV")
            .bytes()
            .decode()
            .splitlines()
        }
        self._settings_ignored = [
            name for name, value in SERVER_SETTINGS.items() if float(in_force.get(name) or "nan") != value
        ]
        if self._settings_ignored:
            _log.warning("server settings not in force: %s", ", ".join(self._settings_ignored))

    def _open_reader(self) -> None:
        connection = self._connect({**READ_SETTINGS, **READER_SETTINGS})
        if self._database != "default":
            connection.query(f"USE {self._database}")
        self._local.connection = connection

    def _replace_reader(self) -> None:
        old = self._local.connection
        if self._closed:
            return
        # Opened before the other is closed: the engine stops with its last connection.
        self._open_reader()
        self._connections.remove(old)
        old.close()

    @property
    def _configuration(self) -> Path:
        return self._path / "engine.xml"

    def _connect(self, settings: Mapping[str, int | str]) -> Any:
        import chdb  # a quarter of a gigabyte: only for those who use it

        where = f"{self._path.absolute() / 'data'}?config-file={quote(str(self._configuration.absolute()))}"
        try:
            connection = chdb.connect(where)
        except RuntimeError as error:
            raise TelemetryError(
                f"cannot open {self._path}: {str(error).split('(version')[0].strip()[:400]} "
                "(a directory can be open in one process, and a process can have one directory open)"
            ) from None
        self._connections.append(connection)
        for name, value in settings.items():
            connection.query(f"SET {name} = {quoted(value) if isinstance(value, str) else value}")
        return connection

    def _shut_down(self) -> None:
        self._writer.submit(lambda: None).result()  # what was accepted before is finished now
        self._readers.shutdown(wait=False, cancel_futures=True)
        if self._write_connection is not None:
            # The pool's shutdown below waits for the cancelled reads to return.
            self._writer.submit(self._kill_reads).result()
        self._readers.shutdown(wait=True)
        self._writer.shutdown(wait=True)
        while self._connections:
            self._connections.pop().close()

    def _kill_reads(self) -> None:
        try:
            self._write_connection.query("KILL QUERY WHERE query_id != queryID() ASYNC", "Null")
        except Exception as error:  # noqa: BLE001  a failed KILL must not keep the process from stopping
            _log.warning("could not cancel running reads: %s", error)


@contextmanager
def memory_file(data: bytes) -> Iterator[str]:
    """A file without a name that holds ``data``; gives a path by which this process can read it.

    It takes no room on a disk, and nothing of it outlives the process.

    Raises:
        OSError: too many files are open, or there is no memory for it.
    """
    try:
        descriptor = os.memfd_create("insert", os.MFD_CLOEXEC | _MFD_NOEXEC_SEAL)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        descriptor = os.memfd_create("insert")  # Linux before 6.3
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"

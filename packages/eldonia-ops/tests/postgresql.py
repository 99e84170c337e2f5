"""A real PostgreSQL for tests, from the Debian package when it is installed.

``postgresql_url`` gives each test an empty database of its own; ``postgresql_server`` is the server
behind it, one a session (and one a worker), on a free loopback port and on a Unix socket.
"""

import contextlib
import itertools
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from required_tools import find_tool, missing, requires_module

_PASSWORD = "sesame-" + secrets.token_hex(8)
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class PostgresqlServer:
    """A running server. ``directory`` holds its socket; the superuser ``ops`` has ``password``."""

    host: str
    port: int
    directory: Path
    password: str
    pid: int

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """The URL of a database over TCP."""
        return f"postgresql://ops:{password or self.password}@{self.host}:{self.port}/{database}"

    def socket_url(self, database: str = "postgres") -> str:
        """The URL of a database over the Unix socket, which asks for no password."""
        return f"postgresql://ops@/{database}?host={self.directory}&port={self.port}"

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement outside a transaction and return its rows."""
        import psycopg

        with psycopg.connect(self.socket_url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def _programs() -> Path | None:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name), reverse=True
    )
    if found:
        return found[0].parent
    initdb = find_tool("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _account() -> pwd.struct_passwd | None:
    """Whom to run the server as: it refuses root, so another account when we are root; None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return missing("PostgreSQL refuses to run as root and there is no account postgres or nobody")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """A server with the superuser ``ops``; skips when PostgreSQL or psycopg is not installed."""
    with running_postgresql() as server:
        yield server


@contextlib.contextmanager
def running_postgresql(*, fsync: bool = False) -> Iterator[PostgresqlServer]:
    """A server until the context is left. Tests have no use for ``fsync``, measurements must not go without.

    Raises:
        pytest.skip.Exception: PostgreSQL or psycopg is not installed, or cannot run here; the message says why.
    """
    requires_module("psycopg")
    programs = _programs() or missing("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    account = _account()
    as_user: dict[str, Any] = (
        {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account is not None else {}
    )
    # Not below pytest's own folder: that is closed to other accounts, and too deep for a socket's path.
    directory = Path(tempfile.mkdtemp(prefix="eops-pg-"))
    server: subprocess.Popen[bytes] | None = None
    try:
        password_file = directory / "password"
        password_file.write_text(_PASSWORD + "\n")
        for path in (directory, password_file):
            if account is not None:
                os.chown(path, account.pw_uid, account.pw_gid)
        made = subprocess.run(
            [
                *(programs / "initdb", "--pgdata", directory / "data", "--username", "ops"),
                *("--pwfile", password_file, "--auth-local", "trust", "--auth-host", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            capture_output=True,
            cwd=directory,
            check=False,
            **as_user,
        )
        if made.returncode:
            missing(f"initdb failed: {made.stderr.decode(errors='replace')[-500:]}")
        port = _free_port()
        log = directory / "log"
        with log.open("wb") as output:
            started: subprocess.Popen[Any] = subprocess.Popen(
                [
                    *(programs / "postgres", "-D", directory / "data", "-p", str(port), "-k", directory),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"),
                    *("-c", f"fsync={'on' if fsync else 'off'}"),
                    *("-c", "max_connections=50"),
                ],
                stdout=output,
                stderr=output,
                cwd=directory,
                **as_user,
            )
        server = started
        running = PostgresqlServer("127.0.0.1", port, directory, _PASSWORD, started.pid)
        _wait_for(running, started, log)
        yield running
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)  # "fast": it disconnects everybody
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _wait_for(running: PostgresqlServer, server: "subprocess.Popen[bytes]", log: Path) -> None:
    import psycopg

    give_up_at = time.monotonic() + 30
    while True:
        try:
            running.execute("SELECT 1")
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > give_up_at:
                text = log.read_text(errors="replace")[-1000:]
                raise RuntimeError(f"PostgreSQL did not start: {text}") from None
        time.sleep(0.05)


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a database that is empty and only this test's."""
    name = f"test_{next(_numbers)}"
    postgresql_server.execute(f"CREATE DATABASE {name}")
    yield postgresql_server.url(name)
    postgresql_server.execute(f"DROP DATABASE {name} WITH (FORCE)")

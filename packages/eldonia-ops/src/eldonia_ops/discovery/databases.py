"""Asks PostgreSQL and Redis whether they let us in as we are: nothing is guessed, no password is tried."""

import asyncio
import getpass
import importlib.util
from collections.abc import Iterable
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from eldonia_ops.discovery.facts import Access, Database, Listener

_SECONDS: Final = 2.0
_MOST_WORDS: Final = 160
POSTGRESQL: Final = frozenset({"postgres", "postmaster"})
REDIS: Final = frozenset({"redis-server", "valkey-server", "keydb-server"})


async def postgresql_servers(sockets: Iterable[str], found: Iterable[Listener]) -> list[Database]:
    """Every server once: over its Unix socket where that lets us in, else over TCP."""
    by_port: dict[int, list[tuple[str, str]]] = {}
    user = quote(_user(), safe="")
    for path in sockets:
        port = PurePath(path).name.rpartition(".")[2]
        if port.isascii() and port.isdigit():
            folder = quote(str(PurePath(path).parent), safe="/")
            query = f"/postgres?host={folder}&port={port}"
            by_port.setdefault(int(port), []).append((f"postgresql://{user}@{query}", f"postgresql://{query}"))
    for one in found:
        if one.program.name in POSTGRESQL or (not one.program.name and one.port in (5432, 5433)):
            rest = f"{one.address}/postgres"
            by_port.setdefault(one.port, []).append((f"postgresql://{user}@{rest}", f"postgresql://{rest}"))
    return [await _postgresql(port, by_port[port]) for port in sorted(by_port)]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a number without a name, in a container
        return "postgres"


async def _postgresql(port: int, ways: list[tuple[str, str]]) -> Database:
    instance = f"127.0.0.1:{port}"
    # What asks for a password goes over TCP where there is TCP: the platform may run as another user.
    place = ways[-1][1]
    if importlib.util.find_spec("psycopg") is None:
        return Database(place, Access.NO_DRIVER, instance)
    import psycopg

    why = ""
    for dsn, _ in ways:
        try:
            async with asyncio.timeout(_SECONDS):
                connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name="eldonia-ops")
                async with connection:
                    cursor = await connection.execute("SELECT pg_has_role('pg_monitor', 'MEMBER')")
                    row = await cursor.fetchone()
                    return Database(dsn, Access.OPEN, instance, full=bool(row and row[0]))
        except (psycopg.Error, OSError) as error:
            why = why or _words(error)
            if "does not exist" in why:
                break  # there is no such role on any way, and each attempt is a line in the log of the server
    return Database(place, Access.PASSWORD, instance, why)


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split()) or "no answer in time"
    return text.rpartition("FATAL:")[2].strip()[:_MOST_WORDS]


async def redis_servers(found: Iterable[Listener]) -> list[Database]:
    """Every Redis that listens on TCP."""
    ours = [one for one in found if one.program.name in REDIS or (not one.program.name and one.port == 6379)]
    return [await _redis(one) for one in ours]


async def _redis(one: Listener) -> Database:
    url = f"redis://{one.address}"
    try:
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(one.host, one.port, limit=4096)
            try:
                writer.write(b"*1\r\n$4\r\nPING\r\n")
                answer = await reader.readline()
            finally:
                writer.close()
    except (OSError, ValueError) as error:
        return Database(url, Access.FAILED, one.address, _words(error))
    if answer.startswith((b"-NOAUTH", b"-DENIED", b"-NOPERM")):
        return Database(url, Access.PASSWORD, one.address)
    if not answer.startswith(b"+PONG"):
        return Database(url, Access.FAILED, one.address, "it does not speak Redis' protocol")
    has_driver = importlib.util.find_spec("redis") is not None
    return Database(url, Access.OPEN if has_driver else Access.NO_DRIVER, one.address)

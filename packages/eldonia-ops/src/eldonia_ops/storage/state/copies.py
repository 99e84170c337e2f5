"""Copies of the state: as one SQLite file, whatever database it is in, and from such a file back.

SQLite is copied by its backup interface (https://www.sqlite.org/backup.html) while others write. Of a PostgreSQL each
table is read in one snapshot, row by row and as stored, so rows that this version cannot read are copied as well.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy import Boolean, Connection, Engine, Table, column, func, select, table, text
from sqlalchemy.exc import DBAPIError

from eldonia_ops.storage.state.backend import explain, parse_url, shown
from eldonia_ops.storage.state.errors import StateError
from eldonia_ops.storage.state.migrate import migrate
from eldonia_ops.storage.state.postgresql import open_postgresql
from eldonia_ops.storage.state.sqlite import open_sqlite
from eldonia_ops.storage.state.tables import metadata

_ROWS: Final = 500


def copy_sqlite(source: sqlite3.Connection, target: Path) -> None:
    """Copy the database of a connection into a new file.

    Raises:
        StateError: the disk is full, or the database is damaged.
    """
    try:
        with contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
    except sqlite3.Error as error:
        raise StateError(f"the state could not be copied: {error}") from None


def copy_file(source: Path, target: Path) -> None:
    """The same of a file that no process has open.

    Raises:
        StateError: it is no database, is damaged, or the disk is full.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as connection:
            copy_sqlite(connection, target)
    except sqlite3.Error as error:
        raise StateError(f"the state in {source} could not be copied: {error}") from None


def to_file(engine: Engine, target: Path) -> None:
    """Copy all tables of a database, in one snapshot of it, into a new SQLite file.

    Raises:
        StateError: one of the two failed.
    """
    backend = open_sqlite(parse_url(f"sqlite:///{target}"))
    try:
        with backend.migrator.begin() as connection:
            migrate(connection)
        with engine.begin() as reading, backend.writer.begin() as writing:
            _copy(reading, writing)
    except DBAPIError as error:
        raise StateError(f"the state could not be copied: {explain(error)}") from None
    finally:
        backend.dispose()


def from_file(source: Path, url: str) -> None:
    """Fill an empty PostgreSQL with the state of a file, in one transaction.

    Raises:
        StateError: the database holds a state already, or one of the two failed; the message has no password.
    """
    place = parse_url(url)
    target, kept = open_postgresql(place), open_sqlite(parse_url(f"sqlite:///{source}"))
    try:
        with kept.migrator.begin() as connection:
            migrate(connection)
        with kept.reader.begin() as reading, target.migrator.begin() as writing:
            migrate(writing)
            if filled := [one.name for one in metadata.sorted_tables if _has_rows(writing, one)]:
                raise StateError(f"{shown(place)} holds a state already ({', '.join(filled[:3])}): name an empty one")
            _copy(reading, writing)
            for one in metadata.sorted_tables:
                _count_on(writing, one)
    except DBAPIError as error:
        raise StateError(f"{shown(place)} could not be filled: {explain(error, place)}") from None
    finally:
        target.dispose()
        kept.dispose()


def _has_rows(connection: Connection, one: Table) -> bool:
    return connection.execute(select(one.c[0]).limit(1)).first() is not None


def _copy(reading: Connection, writing: Connection) -> None:
    """Copy every row as it is stored: without the types of the columns, which would read documents."""
    for one in metadata.sorted_tables:
        names = [found.name for found in one.columns]
        plain = table(one.name, *(column(name) for name in names))
        truths = [found.name for found in one.columns if isinstance(found.type, Boolean)]
        rows = reading.execution_options(yield_per=_ROWS).execute(select(plain)).mappings()
        for some in rows.partitions(_ROWS):
            copied = [{**row, **{name: bool(row[name]) for name in truths if row[name] is not None}} for row in some]
            writing.execute(plain.insert(), copied)


def _count_on(connection: Connection, one: Table) -> None:
    """Numbers that the database gives go on behind those that were copied."""
    for found in one.columns:
        sequence = connection.execute(
            text("SELECT pg_get_serial_sequence(:table, :name)"), {"table": one.name, "name": found.name}
        ).scalar()
        if sequence and (last := connection.execute(select(func.max(found))).scalar()):
            connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})

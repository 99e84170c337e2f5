"""Rows to dataclasses and back, and the two kinds of insert that both databases share."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from enum import Enum
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Dialect, Row, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from eldonia_ops.storage.state.columns import Unreadable, converter

log = logging.getLogger("eldonia_ops.storage.state")

T = TypeVar("T")

MOST_ROWS = 10_000
"""No listing returns more, whatever limit was asked for."""

_MOST_LEFT_OUT = 1_000
_left_out: set[tuple[str, object]] = set()


def bounded(limit: int) -> int:
    """A limit within ``0 .. MOST_ROWS``."""
    return max(0, min(limit, MOST_ROWS))


def values_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, parts left as they are."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def made_of(type_: type[T], row: Row[Any] | None) -> T | None:
    """The dataclass that a row holds, or None for no row and for one that cannot be read."""
    return None if row is None or unreadable(type_, row) else type_(**row._mapping)


def all_made_of(type_: type[T], rows: Sequence[Row[Any]]) -> list[T]:
    """The dataclasses that some rows hold, but for those that cannot be read."""
    return [type_(**row._mapping) for row in rows if not unreadable(type_, row)]


def unreadable(type_: type[Any], row: Row[Any]) -> bool:
    """Whether a row holds a value that cannot be read. It is logged once, by its first column, which is its key.

    One damaged row must not keep the platform from its start, nor its neighbours from being read. It stays where it is.
    """
    for value in row:
        if value.__class__ is Unreadable:
            leave_out(type_.__name__, row[0], value.reason)
            return True
    return False


def leave_out(kind: str, key: object, reason: str) -> None:
    """Log once that a stored row is not used."""
    if (kind, key) not in _left_out and len(_left_out) < _MOST_LEFT_OUT:
        _left_out.add((kind, key))
        log.error("the stored %s %r cannot be read and is left out: %s", kind, key, reason)


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def chunks(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The values in parts that an ``IN`` takes on both databases."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def among(column: Column[Any], name: str = "among") -> ColumnElement[bool]:
    """``column IN`` the values that are given as ``name`` when the statement runs: SQLAlchemy takes a look at each of
    those that are in the statement itself."""
    return column.in_(bindparam(name, expanding=True, type_=column.type))


class Conflict(Enum):
    """What becomes of a row whose key is there already."""

    FAIL = ""
    PASS_OVER = "nothing"  # noqa: S105 - no password
    REPLACE = "update"


def write_rows(
    connection: Connection,
    table: Table,
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    conflict: Conflict = Conflict.FAIL,
) -> None:
    """Insert rows, each with its values in the order of the column ``names``.

    A storm writes tens of thousands: the values go to the driver as the columns' types convert them, without the steps
    that SQLAlchemy takes for each parameter, which are most of what such an insert costs.
    """
    text, processors = _insertion(table, tuple(names), conflict, connection.dialect)
    converted = _converted(rows, processors)
    if converted:
        connection.exec_driver_sql(text, converted)


def insert_numbered(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> list[int]:
    """Insert a few rows one by one, as lean as :func:`write_rows`; returns the ``id`` that the database gave each."""
    text, processors = _insertion(table, tuple(names), Conflict.FAIL, connection.dialect)
    converted = _converted(rows, processors)
    return [connection.exec_driver_sql(f"{text} RETURNING id", row).scalar_one() for row in converted]


@lru_cache(maxsize=256)
def _insertion(table: Table, names: tuple[str, ...], conflict: Conflict, dialect: Dialect) -> "tuple[str, _Processors]":
    quote = dialect.identifier_preparer.quote_identifier
    columns = ", ".join(quote(name) for name in names)
    places = ", ".join("%s" if dialect.name == "postgresql" else "?" for _ in names)
    text = f"INSERT INTO {quote(table.name)} ({columns}) VALUES ({places})"  # noqa: S608 - names of our own tables
    if conflict is Conflict.PASS_OVER:
        text += " ON CONFLICT DO NOTHING"
    elif conflict is Conflict.REPLACE:
        keys = [column.name for column in table.primary_key]
        changed = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in keys)
        text += f" ON CONFLICT ({', '.join(map(quote, keys))}) DO UPDATE SET {changed}"
    return text, _processors(table, names, dialect)


def _converted(rows: Iterable[Sequence[Any]], processors: "_Processors") -> list[tuple[Any, ...]]:
    """Rows as the driver takes them; column by column, which leaves most of the work to the interpreter itself."""
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place, process in processors if columns else ():
        columns[place] = map(process, columns[place])
    return list(zip(*columns, strict=True))


_Processors: TypeAlias = tuple[tuple[int, Callable[[Any], Any]], ...]


def _processors(table: Table, names: Iterable[str], dialect: Dialect) -> _Processors:
    found = (converter(table.c[name], dialect) for name in names)
    return tuple((place, process) for place, process in enumerate(found) if process is not None)


def update_rows(
    connection: Connection, table: Table, keys: Sequence[str], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    """Change the columns ``names`` of rows that ``keys`` find, each with the values of its names and then of its keys;
    returns how many were found. As lean as :func:`write_rows`, for the same reason."""
    text, processors = _change(table, tuple(keys), tuple(names), connection.dialect)
    converted = _converted(rows, processors)
    return connection.exec_driver_sql(text, converted).rowcount if converted else 0


@lru_cache(maxsize=256)
def _change(table: Table, keys: tuple[str, ...], names: tuple[str, ...], dialect: Dialect) -> "tuple[str, _Processors]":
    quote = dialect.identifier_preparer.quote_identifier
    place = "%s" if dialect.name == "postgresql" else "?"
    changed = ", ".join(f"{quote(name)} = {place}" for name in names)
    found = " AND ".join(f"{quote(name)} = {place}" for name in keys)
    text = f"UPDATE {quote(table.name)} SET {changed} WHERE {found}"  # noqa: S608 - names of our own tables
    return text, _processors(table, (*names, *keys), dialect)


def names_of(type_: type[Any], *without: str) -> tuple[str, ...]:
    """The fields of a dataclass, but for some."""
    return tuple(field.name for field in fields(type_) if field.name not in without)


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns, each replacing the one with the same primary key."""
    if rows:
        names = list(rows[0])
        write_rows(connection, table, names, ([row[name] for name in names] for row in rows), Conflict.REPLACE)


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique key forbids it; returns whether it was inserted."""
    query = _insert(connection, table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(query).first() is not None

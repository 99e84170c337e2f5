"""Rows to dataclasses and back, and the two kinds of insert that both databases share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

MOST_ROWS = 10_000
"""No listing returns more, whatever limit was asked for."""


def bounded(limit: int) -> int:
    """A limit within ``0 .. MOST_ROWS``."""
    return max(0, min(limit, MOST_ROWS))


def values_of(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name, parts left as they are."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def made_of(type_: type[T], row: Row[Any] | None) -> T | None:
    """The dataclass that a row holds, or None for no row."""
    return None if row is None else type_(**row._mapping)


def all_made_of(type_: type[T], rows: Sequence[Row[Any]]) -> list[T]:
    """The dataclasses that some rows hold."""
    return [type_(**row._mapping) for row in rows]


def _insert(connection: Connection, table: Table) -> Any:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def chunks(values: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """The values in parts that an ``IN`` takes on both databases."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name the same columns, each replacing the one with the same primary key."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    query = _insert(connection, table)
    changed = {name: query.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(query.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def insert_all_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; those that a unique key forbids are passed over."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), list(rows))


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique key forbids it; returns whether it was inserted."""
    query = _insert(connection, table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(query).first() is not None

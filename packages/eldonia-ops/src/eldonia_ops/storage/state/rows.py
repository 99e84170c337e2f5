"""Rows to dataclasses and back, and the two kinds of insert that both databases share."""

from collections.abc import Mapping, Sequence
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


def upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or replace the one with the same primary key."""
    keys = [column.name for column in table.primary_key]
    changed = {name: value for name, value in values.items() if name not in keys}
    connection.execute(
        _insert(connection, table).values(values).on_conflict_do_update(index_elements=keys, set_=changed)
    )


def insert_new(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless a unique key forbids it; returns whether it was inserted."""
    query = _insert(connection, table).values(values).on_conflict_do_nothing().returning(*table.primary_key)
    return connection.execute(query).first() is not None

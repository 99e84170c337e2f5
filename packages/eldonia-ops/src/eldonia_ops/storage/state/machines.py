"""Private states of the state machines, as documents."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, func, select

from eldonia_ops.storage.state.columns import from_json, to_json
from eldonia_ops.storage.state.rows import chunks, leave_out, upsert
from eldonia_ops.storage.state.tables import machines

T = TypeVar("T")


class SqlMachines:
    """See :class:`~eldonia_ops.ports.MachineRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, kind: str, key: str, type_: type[T]) -> T | None:
        """The saved state, None for none and for one that has another shape than ``type_``; that is logged."""
        query = select(machines.c.state).where(machines.c.kind == kind, machines.c.key == key)
        text = self._connection.execute(query).scalar_one_or_none()
        return None if text is None else _restore(kind, key, text, type_)

    def load_all(self, kind: str, type_: type[T]) -> dict[str, T]:
        """All saved states of a kind by key, in the order of their keys. Those of another shape than ``type_`` are
        logged and left out: what they belong to begins anew, and its neighbours go on."""
        return self._where(kind, type_)

    def load_some(self, kind: str, keys: Sequence[str], type_: type[T]) -> dict[str, T]:
        """Those of the states that are saved, by key, as :meth:`load_all`."""
        found: dict[str, T] = {}
        for part in chunks(keys):
            found |= self._where(kind, type_, machines.c.key.in_(part))
        return found

    def _where(self, kind: str, type_: type[T], *conditions: ColumnElement[bool]) -> dict[str, T]:
        query = select(machines.c.key, machines.c.state).where(machines.c.kind == kind, *conditions)
        rows = self._connection.execute(query.order_by(machines.c.key))
        found = ((key, _restore(kind, key, text, type_)) for key, text in rows)
        return {key: state for key, state in found if state is not None}

    def save(self, kind: str, key: str, state: Any, *, deadline: int | None = None) -> None:
        """Store a state made of what JSON can hold, replacing the former one and its deadline."""
        self.save_all(kind, {key: (state, deadline)})

    def save_all(self, kind: str, states: Mapping[str, tuple[Any, int | None]]) -> None:
        """The same for several states, each with its deadline, by key."""
        rows = [
            {"kind": kind, "key": key, "state": to_json(state), "deadline": deadline}
            for key, (state, deadline) in states.items()
        ]
        upsert(self._connection, machines, rows)

    def delete(self, kind: str, key: str) -> None:
        """Forget a state; an unknown one is passed over."""
        self._connection.execute(delete(machines).where(machines.c.kind == kind, machines.c.key == key))

    def next_deadline(self, kind: str) -> int | None:
        """The earliest deadline saved for a kind, or None."""
        query = select(func.min(machines.c.deadline)).where(machines.c.kind == kind)
        return self._connection.execute(query).scalar_one()


def _restore(kind: str, key: str, text: str, type_: type[T]) -> T | None:
    try:
        return from_json(text, type_)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        leave_out(f"{kind} state", key, str(error))
        return None

"""Alert groups, and which alerts each holds."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

import msgspec
from sqlalchemy import Connection, Text, and_, bindparam, delete, select, type_coerce

from eldonia_ops.alerting.dispatch import PROGRESS, PutGroup
from eldonia_ops.alerting.group import AlertGroupState
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import DueGroup, ListedGroup
from eldonia_ops.storage.state.columns import Unreadable
from eldonia_ops.storage.state.errors import StateDocumentError
from eldonia_ops.storage.state.rows import Conflict, among, chunks, names_of, update_rows, write_rows
from eldonia_ops.storage.state.tables import alert_group_members as members
from eldonia_ops.storage.state.tables import alert_groups as groups

log = logging.getLogger("eldonia_ops.storage.state")

_NAMES = names_of(AlertGroupState, "fingerprints", "verdicts")
_values = attrgetter(*_NAMES)
_progress = attrgetter(*PROGRESS)
_ALL = select(groups).order_by(groups.c.key)
_SOME = _ALL.where(among(groups.c.key))
_HELD = select(members.c.key, members.c.fingerprint, members.c.verdicts)
_HELD_BY_SOME = _HELD.where(among(members.c.key))


@lru_cache(maxsize=20_000)
def _labels(text: str) -> Labels | None:
    try:
        return Labels(msgspec.json.decode(text, type=dict[str, str]))
    except (msgspec.MsgspecError, ValueError):  # a damaged row: those beside it are listed all the same
        return None


@dataclass(slots=True)
class _Held:
    fingerprints: list[str]
    verdicts: dict[str, dict[str, str]]


class SqlAlertGroups:
    """See :class:`~eldonia_ops.ports.AlertGroupRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, changes: Sequence[PutGroup]) -> None:
        """Store groups with what has changed of their members."""
        joined: list[tuple[str, str, dict[str, str]]] = []
        left: list[dict[str, str]] = []
        changed: list[tuple[dict[str, str], str, str]] = []
        for change in changes:
            group = change.group
            said = group.verdicts
            joined += [(group.key, item, said.get(item, {})) for item in change.joined]
            left += [{"of": group.key, "item": item} for item in change.left]
            changed += [(said.get(item, {}), group.key, item) for item in change.changed]
        stored = (_values(one.group) for one in changes if not one.members_only and not one.progress_only)
        write_rows(self._connection, groups, _NAMES, stored, Conflict.REPLACE)
        progress = ((*_progress(one.group), one.group.key) for one in changes if one.progress_only)
        update_rows(self._connection, groups, ("key",), PROGRESS, progress)
        write_rows(self._connection, members, ("key", "fingerprint", "verdicts"), joined, Conflict.REPLACE)
        if left:
            one = and_(members.c.key == bindparam("of"), members.c.fingerprint == bindparam("item"))
            self._connection.execute(delete(members).where(one), left)
        update_rows(self._connection, members, ("key", "fingerprint"), ("verdicts",), changed)

    def delete(self, keys: Sequence[str]) -> None:
        """Forget groups with their members; unknown ones are passed over."""
        for part in chunks(keys):
            self._connection.execute(delete(members).where(members.c.key.in_(part)))
            self._connection.execute(delete(groups).where(groups.c.key.in_(part)))

    def some(self, keys: Sequence[str], holding: Sequence[str] | None = None) -> dict[str, AlertGroupState]:
        """Those of the groups that are stored, by key; of their alerts only ``holding`` (None: all).

        Raises:
            StateDocumentError: one of them cannot be read.
        """
        found: dict[str, AlertGroupState] = {}
        for part in chunks(keys):
            found |= self._read(part, holding)
        return found

    def all(self) -> dict[str, AlertGroupState]:
        """Every group, in the order of their keys.

        Raises:
            StateDocumentError: one of them cannot be read.
        """
        return self._read(None, None)

    def listed(self) -> list[ListedGroup]:
        """Every group as people see it, in the order of their keys."""
        # As texts: what a column's type does for each value is most of what reading ten thousand rows costs.
        held: dict[str, list[str]] = {}
        keys = type_coerce(members.c.key, Text), type_coerce(members.c.fingerprint, Text)
        for key, fingerprint in self._connection.execute(select(*keys)):
            held.setdefault(key, []).append(fingerprint)
        columns = type_coerce(groups.c.key, Text), type_coerce(groups.c.labels, Text), groups.c.receiver
        rows = self._connection.execute(select(*columns).order_by(groups.c.key))
        return [
            ListedGroup(labels, receiver, tuple(held.get(key, ())))
            for key, text, receiver in rows
            if (labels := _labels(text)) is not None
        ]

    def drop_unreadable(self) -> list[str]:
        """Delete the groups that cannot be read; returns their keys."""
        lost: list[str] = []
        for key in list(self._connection.execute(select(groups.c.key)).scalars()):
            try:
                self.some([key])
            except StateDocumentError:
                lost.append(key)
        self.delete(lost)
        return lost

    def due(self, after: int, until: int) -> list[DueGroup]:
        """The groups with ``after < flush_at <= until``, the earliest first."""
        query = (
            select(groups.c.key, groups.c.flush_at, groups.c.urgent, groups.c.cause)
            .where(groups.c.flush_at > max(after, 0), groups.c.flush_at <= until)
            .order_by(groups.c.flush_at, groups.c.key)
        )
        return [DueGroup(*row) for row in self._connection.execute(query)]

    def next_deadline(self, after: int = 0) -> int | None:
        """The earliest ``flush_at`` later than ``after``, or None."""
        query = select(groups.c.flush_at).where(groups.c.flush_at > max(after, 0)).order_by(groups.c.flush_at).limit(1)
        return self._connection.execute(query).scalar_one_or_none()

    def _read(self, keys: Sequence[str] | None, holding: Sequence[str] | None) -> dict[str, AlertGroupState]:
        query = _ALL if keys is None else _SOME
        rows = self._connection.execute(query, {} if keys is None else {"among": keys}).all()
        for row in rows:
            _readable(row)
        held = self._held(keys, holding)
        found: dict[str, AlertGroupState] = {}
        for row in rows:
            of = held.get(row.key)
            found[row.key] = AlertGroupState(
                **row._mapping,
                fingerprints=tuple(of.fingerprints) if of else (),
                verdicts=of.verdicts if of else {},
            )
        return found

    def _held(self, keys: Sequence[str] | None, holding: Sequence[str] | None) -> dict[str, _Held]:
        query = _HELD if keys is None else _HELD_BY_SOME
        given = {} if keys is None else {"among": keys}
        questions: Iterable[dict[str, Sequence[str]]] = [given]
        if holding is not None:
            query = query.where(among(members.c.fingerprint, "holding"))
            questions = ({**given, "holding": part} for part in chunks(holding))
        found: dict[str, _Held] = {}
        for question in questions:
            for row in self._connection.execute(query, question):
                _readable(row)
                key, fingerprint, verdicts = row
                held = found.get(key)
                if held is None:
                    held = found[key] = _Held([], {})
                held.fingerprints.append(fingerprint)
                if verdicts:
                    held.verdicts[fingerprint] = verdicts
        return found


def _readable(row: Iterable[object]) -> None:
    for value in row:
        if isinstance(value, Unreadable):
            raise StateDocumentError(f"the stored state of an alert group cannot be read: {value.reason}")

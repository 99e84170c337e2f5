"""Notifications on their way."""

from collections.abc import Sequence
from operator import attrgetter

from sqlalchemy import Connection, bindparam, delete, func, select, update

from eldonia_ops.model.alerts import Outgoing, OutgoingStatus
from eldonia_ops.model.frozen import copier
from eldonia_ops.ports import ConflictError, DeliveryState, QueuedRow
from eldonia_ops.storage.state.committed import CommittedMessages
from eldonia_ops.storage.state.rows import (
    all_made_of,
    among,
    bounded,
    chunks,
    insert_new,
    made_of,
    names_of,
    update_rows,
    values_of,
    write_rows,
)
from eldonia_ops.storage.state.tables import outbox

_NAMES = names_of(Outgoing, "id")
_values = attrgetter(*_NAMES)
_copy = copier(Outgoing)
_QUEUED = names_of(QueuedRow)
_SETTLED = names_of(DeliveryState)
_settled = attrgetter(*_SETTLED)
_STANDING = select(outbox.c.id, *(outbox.c[name] for name in _SETTLED)).where(among(outbox.c.id))
_SOME = select(outbox).where(among(outbox.c.id)).order_by(outbox.c.id)
_KNOWN_KEYS = select(outbox.c.idempotency_key).where(among(outbox.c.idempotency_key))
_PENDING = (
    select(*(outbox.c[name] for name in _QUEUED))
    .where(outbox.c.id > bindparam("after"), outbox.c.status == OutgoingStatus.PENDING)
    .order_by(outbox.c.id)
)
_HEADS = (
    select(func.min(outbox.c.id)).where(outbox.c.status == OutgoingStatus.PENDING).group_by(outbox.c.order_key)
).scalar_subquery()


class SqlOutbox:
    """See :class:`~eldonia_ops.ports.OutboxRepository`."""

    def __init__(self, connection: Connection, committed: CommittedMessages) -> None:
        self._connection = connection
        self._committed = committed
        self._added: list[Outgoing] = []

    def committed(self) -> None:
        """The transaction has been committed."""
        if self._added:
            self._committed.keep(self._added)

    def add(self, outgoing: Outgoing) -> bool:
        """Append a row under a new id; False when its idempotency key is known.

        Raises:
            ValueError: the row already has an id.
        """
        if outgoing.id:
            raise ValueError("the outbox assigns ids itself")
        values = values_of(outgoing)
        del values["id"]
        return insert_new(self._connection, outbox, values)

    def add_all(self, rows: Sequence[Outgoing]) -> list[Outgoing]:
        """Append rows in their order; returns those whose idempotency key was not known.

        Raises:
            ValueError: a row already has an id.
        """
        fresh: dict[str, Outgoing] = {}
        for row in rows:
            fresh.setdefault(row.idempotency_key, row)
        for part in chunks(list(fresh)):
            for key in self._connection.execute(_KNOWN_KEYS, {"among": part}).scalars():
                del fresh[key]
        added = list(fresh.values())
        if any(row.id for row in added):
            raise ValueError("the outbox assigns ids itself")
        write_rows(self._connection, outbox, _NAMES, map(_values, added))
        self._added += added
        return added

    def due(self, now: int, limit: int = 100, *, each: int = 0) -> list[Outgoing]:
        """The head of each queue whose time has come, by id; ``each`` bounds those of one integration (0: no bound)."""
        ripe = (outbox.c.id.in_(_HEADS), outbox.c.next_attempt_at <= now)
        query = select(outbox).where(*ripe)
        if each:
            place = func.row_number().over(
                partition_by=(outbox.c.receiver, outbox.c.integration, outbox.c.index), order_by=outbox.c.id
            )
            ranked = select(outbox.c.id, place.label("place")).where(*ripe).subquery()
            query = select(outbox).where(outbox.c.id.in_(select(ranked.c.id).where(ranked.c.place <= each)))
        query = query.order_by(outbox.c.id).limit(bounded(limit))
        return all_made_of(Outgoing, self._connection.execute(query).all())

    def next_attempt_at(self, after: int = -1) -> int | None:
        """The earliest instant later than ``after`` at which the head of some queue may be tried, or None."""
        query = select(func.min(outbox.c.next_attempt_at)).where(
            outbox.c.id.in_(_HEADS), outbox.c.next_attempt_at > after
        )
        return self._connection.execute(query).scalar_one()

    def pending(self, after: int = 0) -> list[QueuedRow]:
        """All pending rows with a later id, by id."""
        return [QueuedRow(*row) for row in self._connection.execute(_PENDING, {"after": after})]

    def take_kept(self, rows: Sequence[QueuedRow]) -> list[Outgoing]:
        """Those of the rows that this process put there lately, as they were then; each is handed out once."""
        kept = self._committed.take([row.idempotency_key for row in rows])
        return [_copy(kept[row.idempotency_key], id=row.id) for row in rows if row.idempotency_key in kept]

    def settle(self, rows: Sequence[Outgoing]) -> None:
        """Store what became of rows: status, attempts, times and error."""
        update_rows(self._connection, outbox, ("id",), _SETTLED, ((*_settled(row), row.id) for row in rows))

    def delivery_states(self, ids: Sequence[int]) -> dict[int, DeliveryState]:
        """What :meth:`settle` changes, of those of the rows that are stored."""
        found: dict[int, DeliveryState] = {}
        for part in chunks(ids):
            for id, *values in self._connection.execute(_STANDING, {"among": part}):
                found[id] = DeliveryState(*values)
        return found

    def some(self, ids: Sequence[int]) -> list[Outgoing]:
        """Those of the rows that are stored, by id."""
        found: list[Outgoing] = []
        for part in chunks(ids):
            found += all_made_of(Outgoing, self._connection.execute(_SOME, {"among": part}).all())
        return found

    def update(self, outgoing: Outgoing) -> None:
        """Store the new standing of a row.

        Raises:
            ConflictError: there is no such row (any more).
        """
        values = values_of(outgoing)
        del values["id"]
        if self._connection.execute(update(outbox).where(outbox.c.id == outgoing.id).values(values)).rowcount != 1:
            raise ConflictError(f"no row {outgoing.id} in the outbox")

    def get(self, id: int) -> Outgoing | None:
        """The row with this id."""
        return made_of(Outgoing, self._connection.execute(select(outbox).where(outbox.c.id == id)).one_or_none())

    def find(self, *, status: OutgoingStatus | None = None, limit: int = 100) -> list[Outgoing]:
        """Rows, newest first."""
        query = select(outbox).order_by(outbox.c.id.desc()).limit(bounded(limit))
        if status is not None:
            query = query.where(outbox.c.status == status)
        return all_made_of(Outgoing, self._connection.execute(query).all())

    def count(self, status: OutgoingStatus) -> int:
        """How many rows have that state."""
        return self._connection.execute(
            select(func.count()).select_from(outbox).where(outbox.c.status == status)
        ).scalar_one()

    def purge(self, before: int, limit: int) -> int:
        """Drop finished rows older than ``before``; pending ones always stay."""
        old = (
            select(outbox.c.id)
            .where(outbox.c.status != OutgoingStatus.PENDING, outbox.c.finished_at < before)
            .order_by(outbox.c.id)
            .limit(limit)
        )
        return self._connection.execute(delete(outbox).where(outbox.c.id.in_(old.scalar_subquery()))).rowcount

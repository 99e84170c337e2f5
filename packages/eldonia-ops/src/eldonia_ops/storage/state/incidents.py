"""Incidents."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from eldonia_ops.model.incidents import Incident, IncidentStatus
from eldonia_ops.ports import ConflictError
from eldonia_ops.storage.state.columns import clean
from eldonia_ops.storage.state.rows import all_made_of, bounded, insert_new, made_of, values_of
from eldonia_ops.storage.state.tables import counters, incidents

_ORDINAL = "incident_ordinal"
_MOST_SERVICES = 500  # beyond that it costs less to read the incidents of all
_OVER = (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)


class SqlIncidents:
    """See :class:`~eldonia_ops.ports.IncidentRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, incident: Incident) -> None:
        """Store an incident: a new one with version 0 or 1, a known one with the stored version + 1.

        Raises:
            ConflictError: somebody else stored a version in between.
        """
        values = values_of(incident)
        changed = self._connection.execute(
            update(incidents)
            .where(incidents.c.id == incident.id, incidents.c.version == incident.version - 1)
            .values(values)
        ).rowcount
        if changed:
            return
        stored = self._connection.execute(
            select(incidents.c.version).where(incidents.c.id == incident.id)
        ).scalar_one_or_none()
        if stored is not None:
            raise ConflictError(
                f"incident {incident.reference} is at version {stored}, so version {incident.version} cannot follow"
            )
        if incident.version > 1:
            raise ConflictError(f"incident {incident.reference} is not stored, so it cannot be at {incident.version}")
        self._connection.execute(insert(incidents).values(values))

    def add(self, some: Sequence[Incident]) -> None:
        """Store incidents that are new, with version 0 or 1.

        Raises:
            ConflictError: one of them has a later version, so it is not new.
        """
        for incident in some:
            if incident.version > 1:
                raise ConflictError(f"incident {incident.reference} is at version {incident.version}: not a new one")
        if some:
            self._connection.execute(insert(incidents), [values_of(incident) for incident in some])

    def put_all(self, some: Sequence[Incident]) -> None:
        """Store new versions of known incidents.

        Raises:
            ConflictError: somebody else stored a version of one of them in between.
        """
        if not some:
            return
        query = update(incidents).where(
            incidents.c.id == bindparam("known_id"), incidents.c.version == bindparam("known_version")
        )
        rows = [
            {**values_of(incident), "known_id": incident.id, "known_version": incident.version - 1} for incident in some
        ]
        changed = self._connection.execute(query, rows).rowcount
        if changed != len(rows):
            raise ConflictError(f"{len(rows) - changed} of {len(rows)} incidents have been changed by somebody else")

    def get(self, id: str) -> Incident | None:
        """The incident with this id."""
        return made_of(Incident, self._connection.execute(select(incidents).where(incidents.c.id == id)).one_or_none())

    def by_ordinal(self, ordinal: int) -> Incident | None:
        """The incident that people call ``INC-<ordinal>``."""
        query = select(incidents).where(incidents.c.ordinal == ordinal)
        return made_of(Incident, self._connection.execute(query).one_or_none())

    def next_ordinal(self) -> int:
        """Take the next number: 1, 2, 3 ...; given back if the transaction fails."""
        return self.next_ordinals(1)[0]

    def last_ordinal(self) -> int:
        """The number taken last, 0 for none."""
        query = select(counters.c.value).where(counters.c.name == _ORDINAL)
        return self._connection.execute(query).scalar_one_or_none() or 0

    def next_ordinals(self, count: int) -> range:
        """Take the next so many numbers, likewise."""
        insert_new(self._connection, counters, {"name": _ORDINAL, "value": 0})
        last = self._connection.execute(
            update(counters)
            .where(counters.c.name == _ORDINAL)
            .values(value=counters.c.value + count)
            .returning(counters.c.value)
        ).scalar_one()
        return range(last - count + 1, last + 1)

    def open(self) -> list[Incident]:
        """Neither resolved nor closed, newest first."""
        query = select(incidents).where(incidents.c.status.not_in(_OVER)).order_by(incidents.c.ordinal.desc())
        return all_made_of(Incident, self._connection.execute(query).all())

    def count_open(self) -> tuple[int, int]:
        """How many are neither resolved nor closed, and how many of those nobody has acknowledged."""
        waiting = func.count().filter(incidents.c.acknowledged_at == 0)
        query = select(func.count(), waiting).select_from(incidents).where(incidents.c.status.not_in(_OVER))
        total, unacknowledged = self._connection.execute(query).one()
        return total, unacknowledged

    def unclosed(self, resolved_since: int = 0, services: Sequence[str] | None = None) -> list[Incident]:
        """Everything that is not closed, newest first; not what was resolved before and has nothing firing."""
        query = (
            select(incidents).where(incidents.c.status != IncidentStatus.CLOSED).order_by(incidents.c.ordinal.desc())
        )
        if services is not None and len(services) <= _MOST_SERVICES:
            query = query.where(incidents.c.service.in_(services))
        if resolved_since:
            query = query.where(
                or_(
                    incidents.c.status != IncidentStatus.RESOLVED,
                    incidents.c.resolved_at >= resolved_since,
                    incidents.c.firing != (),
                )
            )
        found = all_made_of(Incident, self._connection.execute(query).all())
        wanted = None if services is None else {clean(service) for service in services}
        return found if wanted is None else [incident for incident in found if incident.service in wanted]

    def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", since: int = 0, limit: int = 100
    ) -> list[Incident]:
        """Incidents that meet every condition given (``since`` bounds ``created_at``), newest first."""
        query = select(incidents).order_by(incidents.c.ordinal.desc()).limit(bounded(limit))
        if statuses:
            query = query.where(incidents.c.status.in_(statuses))
        if service:
            query = query.where(incidents.c.service == service)
        if since:
            query = query.where(incidents.c.created_at >= since)
        return all_made_of(Incident, self._connection.execute(query).all())

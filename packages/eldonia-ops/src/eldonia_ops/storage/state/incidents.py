"""Incidents."""

import re
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, false, func, insert, or_, select, update

from eldonia_ops.model.incidents import Incident, IncidentStatus
from eldonia_ops.ports import ConflictError
from eldonia_ops.storage.state.columns import clean
from eldonia_ops.storage.state.committed import CommittedIncidents
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
from eldonia_ops.storage.state.tables import counters, incidents

_ORDINAL = "incident_ordinal"
_MOST_SERVICES = 500  # beyond that it costs less to read the incidents of all
_SOME = select(incidents).where(among(incidents.c.id))
_VERSIONS = select(incidents.c.id, incidents.c.version).order_by(incidents.c.ordinal.desc())
_SOME_VERSIONS = _VERSIONS.where(among(incidents.c.id))
_NAMES = names_of(Incident)
_values = attrgetter(*_NAMES)
_JOINED = ("fingerprints", "firing", "updated_at", "version", "outage", "recovered_at")
_others = attrgetter(*names_of(Incident, *_JOINED))
_AS_STORED = re.compile("[^\x00\ud800-\udfff]*+")
_OVER = (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)


class SqlIncidents:
    """See :class:`~eldonia_ops.ports.IncidentRepository`."""

    def __init__(self, connection: Connection, committed: CommittedIncidents) -> None:
        self._connection = connection
        self._committed = committed
        self._written: dict[str, Incident | None] = {}

    def committed(self) -> None:
        """The transaction has been committed."""
        self._committed.keep({id: incident for id, incident in self._written.items() if incident is not None})

    def put(self, incident: Incident) -> None:
        """Store an incident: a new one with version 0 or 1, a known one with the stored version + 1.

        Raises:
            ConflictError: another writer stored a version in between.
        """
        values = values_of(incident)
        self._wrote([incident])
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
            self._wrote(some)
            write_rows(self._connection, incidents, _NAMES, map(_values, some))

    def put_all(self, some: Sequence[Incident]) -> None:
        """Store new versions of known incidents.

        Raises:
            ConflictError: another writer stored a version of one of them in between.
        """
        if not some:
            return
        joined: list[Incident] = []
        others: list[Incident] = []
        for incident in some:
            (joined if self._only_alerts_joined(incident) else others).append(incident)
        changed = self._update(joined, _JOINED) + self._update(others, _NAMES)
        self._wrote(some)
        if changed != len(some):
            raise ConflictError(f"{len(some) - changed} of {len(some)} incidents have been changed by another writer")

    def _only_alerts_joined(self, incident: Incident) -> bool:
        """Whether nothing else has changed since the stored version, as most do in a storm."""
        before = self._committed.at(incident.id, incident.version - 1)
        return before is not None and incident.id not in self._written and _others(before) == _others(incident)

    def _update(self, some: Sequence[Incident], names: Sequence[str]) -> int:
        if not some:
            return 0
        values = attrgetter(*names)
        rows = ((*values(incident), incident.id, incident.version - 1) for incident in some)
        return update_rows(self._connection, incidents, ("id", "version"), names, rows)

    def get(self, id: str) -> Incident | None:
        """The incident with this id."""
        return next(iter(self._where(incidents.c.id == id)), None)

    def some(self, ids: Sequence[str]) -> dict[str, Incident]:
        """Those of the incidents that are stored, by id."""
        return {one.id: one for part in chunks(ids) for one in self._known_or_read(_SOME_VERSIONS, {"among": part})}

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
        return self._where(incidents.c.status.not_in(_OVER))

    def next_escalation(self) -> int | None:
        """The earliest ``escalate_at`` of those that are neither resolved nor closed, or None."""
        query = select(func.min(incidents.c.escalate_at)).where(
            incidents.c.status.not_in(_OVER), incidents.c.escalate_at > 0
        )
        return self._connection.execute(query).scalar_one()

    def count_open(self) -> tuple[int, int]:
        """How many are neither resolved nor closed, and how many of those have no acknowledgement."""
        waiting = func.count().filter(incidents.c.acknowledged_at == 0)
        query = select(func.count(), waiting).select_from(incidents).where(incidents.c.status.not_in(_OVER))
        total, unacknowledged = self._connection.execute(query).one()
        return total, unacknowledged

    def unclosed(
        self, resolved_since: int = 0, services: Sequence[str] | None = None, detected_since: int | None = None
    ) -> list[Incident]:
        """Everything that is not closed, newest first; not what was resolved before and has nothing firing.

        Of other services than those given, outages, and what is unresolved and was detected since an instant.
        """
        conditions: list[ColumnElement[bool]] = [incidents.c.status != IncidentStatus.CLOSED]
        if services is not None and len(services) <= _MOST_SERVICES:
            recent = (
                incidents.c.status.not_in(_OVER),
                incidents.c.detected_at >= (0 if detected_since is None else detected_since),
            )
            others = false() if detected_since is None else and_(*recent)
            conditions.append(or_(incidents.c.service.in_(services), incidents.c.outage.is_(True), others))
        if resolved_since:
            conditions.append(
                or_(
                    incidents.c.status != IncidentStatus.RESOLVED,
                    incidents.c.resolved_at >= resolved_since,
                    incidents.c.firing != (),
                )
            )
        found = self._where(*conditions)
        wanted = None if services is None else {clean(service) for service in services}
        return (
            found
            if wanted is None
            else [
                incident
                for incident in found
                if incident.service in wanted
                or incident.outage
                or (
                    detected_since is not None
                    and incident.detected_at >= detected_since
                    and incident.status not in _OVER
                )
            ]
        )

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

    def _wrote(self, some: Sequence[Incident]) -> None:
        # One whose texts are stored otherwise than they were handed in has to be read.
        for one in some:
            texts = (one.title, one.description, one.service, one.component, one.cause)
            self._written[one.id] = one if _AS_STORED.fullmatch("".join(texts)) else None

    def _where(self, *conditions: ColumnElement[bool]) -> list[Incident]:
        """Incidents that meet the conditions, newest first."""
        return self._known_or_read(_VERSIONS.where(*conditions), {})

    def _known_or_read(self, query: Select[Any, Any], given: Mapping[str, object]) -> list[Incident]:
        """The incidents whose ids and versions a query finds; those that are known at their version are not read."""
        found: dict[str, Incident | None] = {}
        for id, version in self._connection.execute(query, given):
            written = self._written.get(id)
            known = written is not None and written.version == version
            found[id] = written if known else self._committed.at(id, version)
        unknown = [id for id, incident in found.items() if incident is None]
        read: dict[str, Incident] = {}
        for part in chunks(unknown):
            rows = self._connection.execute(_SOME, {"among": part}).all()
            read |= {incident.id: incident for incident in all_made_of(Incident, rows)}
        self._committed.keep({id: incident for id, incident in read.items() if id not in self._written})
        return [incident for incident in (found[id] or read.get(id) for id in found) if incident is not None]

"""Timelines of incidents."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection, delete, select

from eldonia_ops.model.incidents import IncidentStatus, TimelineEntry
from eldonia_ops.storage.state.rows import Conflict, all_made_of, insert_new, names_of, values_of, write_rows
from eldonia_ops.storage.state.tables import incidents, timeline

NOTE: Final = "human.note"
"""The kind of an entry that somebody wrote."""

_NAMES = names_of(TimelineEntry, "id")
_values = attrgetter(*_NAMES)


class SqlTimeline:
    """See :class:`~eldonia_ops.ports.TimelineRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, entry: TimelineEntry) -> bool:
        """Append an entry under a new id; False when the incident has one with this key."""
        values = values_of(entry)
        del values["id"]
        return insert_new(self._connection, timeline, values)

    def append_all(self, entries: Sequence[TimelineEntry]) -> None:
        """The same for several entries, of any incidents."""
        write_rows(self._connection, timeline, _NAMES, map(_values, entries), Conflict.PASS_OVER)

    def of(self, incident_id: str) -> list[TimelineEntry]:
        """The entries of one incident, in order of time."""
        query = select(timeline).where(timeline.c.incident_id == incident_id).order_by(timeline.c.at, timeline.c.id)
        return all_made_of(TimelineEntry, self._connection.execute(query).all())

    def notes(self, incident_ids: Sequence[str]) -> list[TimelineEntry]:
        """The notes on the timelines of some incidents, in order of time."""
        query = (
            select(timeline)
            .where(timeline.c.incident_id.in_(incident_ids), timeline.c.kind == NOTE)
            .order_by(timeline.c.at, timeline.c.id)
        )
        return all_made_of(TimelineEntry, self._connection.execute(query).all()) if incident_ids else []

    def purge(self, before: int, limit: int) -> int:
        """Drop the timelines of incidents closed before an instant.

        The incident itself stays: its postmortem is what is meant to outlive the details.
        """
        closed = select(incidents.c.id).where(
            incidents.c.status == IncidentStatus.CLOSED, incidents.c.closed_at < before
        )
        old = select(timeline.c.id).where(timeline.c.incident_id.in_(closed.scalar_subquery())).limit(limit)
        return self._connection.execute(delete(timeline).where(timeline.c.id.in_(old.scalar_subquery()))).rowcount

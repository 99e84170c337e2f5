"""Alerts that have been acknowledged to their senders and wait to be taken in."""

import logging
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Text, delete, select, type_coerce

from eldonia_ops.model.alerts import Alert
from eldonia_ops.ports import InboxItem
from eldonia_ops.storage.state.columns import from_json
from eldonia_ops.storage.state.rows import among, chunks, insert_numbered
from eldonia_ops.storage.state.tables import alert_inbox

log = logging.getLogger("eldonia_ops.storage.state")

_REMOVE = delete(alert_inbox).where(among(alert_inbox.c.id)).returning(alert_inbox.c.id)


class SqlAlertInbox:
    """See :class:`~eldonia_ops.ports.AlertInboxRepository`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, items: Sequence[InboxItem]) -> list[int]:
        """Store items in their order; returns their new ids.

        Raises:
            ValueError: an item already has an id.
        """
        if any(item.id for item in items):
            raise ValueError("the inbox assigns ids itself")
        rows = ((item.received_at, item.alerts) for item in items)
        return insert_numbered(self._connection, alert_inbox, ("received_at", "alerts"), rows)

    def all(self) -> list[InboxItem]:
        """Every item that can be read, the oldest first; what cannot be read is logged and left where it is."""
        text = type_coerce(alert_inbox.c.alerts, Text)
        found: list[InboxItem] = []
        for id, at, document in self._connection.execute(
            select(alert_inbox.c.id, alert_inbox.c.received_at, text).order_by(alert_inbox.c.id)
        ):
            try:
                found.append(InboxItem(id, at, from_json(document, tuple[Alert, ...])))
            except (msgspec.MsgspecError, ValueError) as error:
                log.error("item %d of the alert inbox cannot be read, and is not taken in: %s", id, error)
        return found

    def remove(self, ids: Sequence[int]) -> set[int]:
        """Remove items; returns the ids of those that were there."""
        found: set[int] = set()
        for part in chunks(ids):
            found.update(self._connection.execute(_REMOVE, {"among": part}).scalars())
        return found

"""Keeps and finds the audit log."""

import logging
from collections.abc import Sequence

from eldonia_ops.model.audit import AuditEntry, AuditQuery, FieldChange
from eldonia_ops.ports import StateStore

log = logging.getLogger("eldonia_ops.audit")


class AuditLog:
    """The audit log of a platform."""

    def __init__(self, state: StateStore) -> None:
        self._state = state

    async def record(
        self,
        at: int,
        *,
        actor_id: str,
        actor: str,
        method: str,
        address: str,
        kind: str,
        subject: str,
        title: str,
        action: str,
        changes: Sequence[FieldChange] = (),
    ) -> None:
        """Keep an act. It has been done already: a failure to keep it is logged, with everything but the values."""
        entry = AuditEntry(
            0, at, actor_id, actor, method, address, kind, subject[:500], title[:500], action, tuple(changes)
        )
        try:
            await self._state.write(lambda tx: tx.audit.append(entry))
        except Exception:
            fields = ", ".join(one.field for one in changes)
            log.exception("not kept: %s (%s) %s %s %r (%s)", actor, actor_id, action, kind, subject, fields)

    async def find(self, query: AuditQuery) -> list[AuditEntry]:
        """Entries of a query, newest first."""
        return await self._state.read(lambda tx: tx.audit.find(query))

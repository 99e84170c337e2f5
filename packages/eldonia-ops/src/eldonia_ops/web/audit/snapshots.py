"""The state of a subject before and after an act, as the API would show it: nothing that would help to sign in."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.api import NotFoundError, Platform
from eldonia_ops.web.native.incident_schemas import incident_shape
from eldonia_ops.web.native.people_schemas import account_shape, token_shape
from eldonia_ops.web.native.schemas import silence_shape


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A subject at one instant: its id for records, what people call it, and its fields as plain data."""

    subject: str
    title: str
    fields: Mapping[str, Any]


class Snapshots:
    """Takes snapshots of the subjects of a platform. A kind that it does not know has none."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._of: Mapping[str, Callable[[str], Awaitable[Snapshot | None]]] = {
            "account": self._account,
            "change": self._change,
            "dashboard": self._dashboard,
            "finding": self._finding,
            "incident": self._incident,
            "saved_search": self._saved_search,
            "service": self._service,
            "silence": self._silence,
            "token": self._token,
        }

    async def take(self, kind: str, subject: str) -> Snapshot | None:
        """The subject as it is now; None where there is none, or nothing is known of its kind."""
        of = self._of.get(kind)
        if of is None or not subject:
            return None
        try:
            return await of(subject)
        except NotFoundError:
            return None

    async def _incident(self, subject: str) -> Snapshot:
        found, _ = await self._platform.incidents.get(subject)
        fields = _plain(incident_shape(found))
        for name in ("checklist", "fingerprints", "firing", "escalate_at"):
            fields.pop(name, None)
        fields["checklist"] = {item.key: item.done_by for item in found.checklist if item.done_at}
        fields["postmortem"] = found.postmortem
        return Snapshot(found.reference, found.title, fields)

    async def _silence(self, subject: str) -> Snapshot | None:
        now = self._platform.now()
        for one in await self._platform.alerts.silences():
            if one.id == subject:
                fields = _plain(silence_shape(one, now))
                fields["matchers"] = [f"{each['name']}{each['op']}{each['value']}" for each in fields["matchers"]]
                return Snapshot(one.id, one.comment, fields)
        return None

    async def _token(self, subject: str) -> Snapshot | None:
        now, owners = self._platform.now(), {one.id: one for one in await self._platform.accounts.all()}
        for one in await self._platform.access.all():
            if one.id == subject:
                return Snapshot(one.id, one.name, _plain(token_shape(one, now, owners)))
        return None

    async def _account(self, subject: str) -> Snapshot:
        found = await self._platform.accounts.get(subject)
        fields = _plain(account_shape(found))
        fields["preferences"] = _plain(found.preferences)
        fields.pop("signed_in_at", None)
        return Snapshot(found.id, found.name, fields)

    async def _saved_search(self, subject: str) -> Snapshot | None:
        found = await self._platform.state.read(lambda tx: tx.saved_searches.get(subject))
        return None if found is None else Snapshot(found.id, found.name, _plain(found))

    async def _change(self, subject: str) -> Snapshot | None:
        def work(tx: StateTransaction) -> Any:
            return tx.changes.get(subject)

        found = await self._platform.state.read(work)
        return None if found is None else Snapshot(found.id, found.title, _plain(found))

    async def _dashboard(self, subject: str) -> Snapshot | None:
        def work(tx: StateTransaction) -> Any:
            head = tx.dashboards.head(subject)
            return None if head is None else (head, tx.dashboards.version(subject, head.version))

        found = await self._platform.state.read(work)
        if found is None or found[1] is None:
            return None
        head, version = found
        fields = {"saved_version": head.version, "title": version.title, "message": version.message}
        return None if head.deleted_at else Snapshot(subject, version.title, fields)

    async def _finding(self, subject: str) -> Snapshot:
        found = await self._platform.security.get(subject)
        fields = {"status": found.status.value, "type": found.type.value, "source": found.source}
        return Snapshot(found.id, f"{found.type.value} {found.source}", fields)

    async def _service(self, subject: str) -> Snapshot | None:
        for one in await self._platform.recovery.status():
            if one.service == subject:
                fields = {"maintenance": one.maintenance, "state": one.state, "attempts": one.attempts}
                return Snapshot(one.service, one.service, fields)
        return None


def _plain(value: Any) -> dict[str, Any]:
    return msgspec.to_builtins(value)

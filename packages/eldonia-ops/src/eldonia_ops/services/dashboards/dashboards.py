"""Dashboards that are saved, with their versions, beside those that come from files."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from msgspec.structs import replace

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import DashboardError
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.provided import Provided, ProvidedDashboards
from eldonia_ops.dashboards.reading import read_dashboard, to_plain
from eldonia_ops.model.stored_dashboard import DashboardHead, DashboardVersion
from eldonia_ops.ports import StateStore, StateTransaction
from eldonia_ops.services.api import NotFoundError, PreconditionError, RefusedError

MAX_DASHBOARDS: Final = 1_000
MAX_VERSIONS: Final = 200
"""Versions of one dashboard that are kept."""
MAX_DELETED: Final = 200
"""Deleted dashboards that can be brought back."""

Allowed = Callable[[str], bool]
"""Whether the stored document with this text ('' for none) may be replaced."""


@dataclass(frozen=True, slots=True)
class Held:
    """A dashboard and where it is from. ``version`` is None for one of a file; ``text`` is the document as stored."""

    dashboard: Dashboard
    source: Literal["stored", "file", "shipped"]
    text: str
    file: str = ""
    version: DashboardVersion | None = None

    @property
    def read_only(self) -> bool:
        """Whether it can be changed in its file alone."""
        return self.source != "stored"


class DashboardService:
    """The dashboards of a platform. ``provided`` gives those of files, as they are in force."""

    def __init__(self, state: StateStore, provided: Callable[[], ProvidedDashboards]) -> None:
        self._state = state
        self._provided = provided
        self._read: dict[tuple[str, int, int], Dashboard] = {}

    @property
    def provided(self) -> ProvidedDashboards:
        """Those of files, and what is wrong with files."""
        return self._provided()

    async def all(self) -> list[Held]:
        """Every dashboard that is not deleted, those of files first."""
        files = [_of_file(one) for one in self._provided().dashboards]
        taken = {one.dashboard.uid for one in files}

        def read(tx: StateTransaction) -> list[DashboardVersion]:
            heads = [head for head in tx.dashboards.heads() if not head.deleted_at and head.uid not in taken]
            found = (tx.dashboards.version(head.uid, head.version) for head in heads)
            return [one for one in found if one is not None]

        stored = await self._state.read(read)
        return [*files, *(held for one in stored if (held := self._held(one)) is not None)]

    async def get(self, uid: str) -> Held:
        """One dashboard as it is now.

        Raises:
            NotFoundError: there is none, or it was deleted.
        """
        if one := self._provided().get(uid):
            return _of_file(one)
        version = await self._state.read(lambda tx: _newest(tx, uid))
        held = self._held(version) if version is not None else None
        if held is None:
            raise NotFoundError(f"no dashboard has the uid {uid}: it may have been deleted (versions of it stay)")
        return held

    async def add(self, dashboard: Dashboard, message: str, by: str, now: int) -> Held:
        """Save a new dashboard; one whose uid is taken, or is not given, gets another.

        Raises:
            RefusedError: there are :data:`MAX_DASHBOARDS` already.
        """

        def save(tx: StateTransaction) -> DashboardVersion:
            uid = dashboard.uid
            head = tx.dashboards.head(uid) if uid else None
            if not uid or head is not None or self._provided().get(uid):
                uid = f"{uid[:27]}-{uuid.uuid4().hex[:12]}" if uid else uuid.uuid4().hex[:12]
            return _put(tx, replace(dashboard, uid=uid), message, by, now)

        return self._certain(await self._state.write(save))

    async def save(self, dashboard: Dashboard, message: str, by: str, now: int, allowed: Allowed) -> Held:
        """Save a version of the dashboard with this uid; nothing is written when nothing differs.

        Raises:
            PreconditionError: what is stored may not be replaced.
            RefusedError: it comes from a file, or there are too many.
        """
        self._refuse_files(dashboard.uid)

        def save(tx: StateTransaction) -> DashboardVersion:
            now_stored = _newest(tx, dashboard.uid)
            _check(now_stored, allowed)
            return _put(tx, dashboard, message, by, now, now_stored)

        return self._certain(await self._state.write(save))

    async def delete(self, uid: str, by: str, now: int, allowed: Allowed) -> Held:
        """Delete a dashboard; returns what it was. :meth:`restore` brings it back.

        Raises:
            NotFoundError: there is none.
            PreconditionError, RefusedError: as in :meth:`save`.
        """
        self._refuse_files(uid)

        def drop(tx: StateTransaction) -> DashboardVersion:
            stored = _newest(tx, uid)
            if stored is None:
                raise NotFoundError(f"no dashboard has the uid {uid}")
            _check(stored, allowed)
            tx.dashboards.delete(uid, now, by)
            gone = sorted((head for head in tx.dashboards.heads() if head.deleted_at), key=lambda one: -one.deleted_at)
            for head in gone[MAX_DELETED:]:
                tx.dashboards.forget(head.uid)
            return stored

        return self._certain(await self._state.write(drop))

    async def versions(self, uid: str) -> tuple[list[DashboardVersion], DashboardHead]:
        """The versions, the newest first, also of a deleted one.

        Raises:
            NotFoundError: there never was one.
        """

        def read(tx: StateTransaction) -> tuple[list[DashboardVersion], DashboardHead]:
            head = tx.dashboards.head(uid)
            if head is None:
                if self._provided().get(uid):
                    raise RefusedError("it comes from a file: its versions are where the file is kept")
                raise NotFoundError(f"no dashboard has the uid {uid}")
            return tx.dashboards.versions(uid), head

        return await self._state.read(read)

    async def version(self, uid: str, version: int) -> Held:
        """One version.

        Raises:
            NotFoundError: there is none with this number.
        """
        found = await self._state.read(lambda tx: tx.dashboards.version(uid, version))
        if found is None:
            raise NotFoundError(f"the dashboard {uid} has no version {version}")
        return self._certain(found)

    async def restore(self, uid: str, version: int, by: str, now: int) -> Held:
        """Make a version the newest; the way back from a deletion too.

        Raises:
            NotFoundError: there is no such version.
            RefusedError: a file has the uid now.
        """
        self._refuse_files(uid)

        def save(tx: StateTransaction) -> DashboardVersion:
            old = tx.dashboards.version(uid, version)
            if old is None:
                raise NotFoundError(f"the dashboard {uid} has no version {version}")
            head = tx.dashboards.head(uid)
            if head is not None and head.version == version and not head.deleted_at:
                return old
            made = DashboardVersion(
                uid, _following(tx, uid), old.document, old.title, now, by, f"version {version} again"
            )
            tx.dashboards.put(made)
            return made

        return self._certain(await self._state.write(save))

    async def deleted(self) -> list[tuple[DashboardVersion, DashboardHead]]:
        """The last version of each deleted one, the latest first."""

        def read(tx: StateTransaction) -> list[tuple[DashboardVersion, DashboardHead]]:
            gone = sorted((head for head in tx.dashboards.heads() if head.deleted_at), key=lambda one: -one.deleted_at)
            found = ((tx.dashboards.version(head.uid, head.version), head) for head in gone)
            return [(one, head) for one, head in found if one is not None]

        return await self._state.read(read)

    async def star(self, who: str, uid: str, on: bool) -> None:
        """Star a dashboard for somebody, or take the star away.

        Raises:
            NotFoundError: there is none.
        """
        if on:
            await self.get(uid)
        await self._state.write(lambda tx: tx.dashboards.star(who, uid, on))

    async def stars(self, who: str) -> set[str]:
        """What somebody starred."""
        return await self._state.read(lambda tx: tx.dashboards.stars(who))

    def _refuse_files(self, uid: str) -> None:
        if one := self._provided().get(uid):
            where = f"the file {one.file}" if one.file else "the platform itself"
            raise RefusedError(f"this dashboard comes from {where}: save a copy under another uid")

    def _held(self, version: DashboardVersion) -> Held | None:
        key = (version.uid, version.version, version.saved_at)
        found = self._read.get(key)
        if found is None:
            try:
                found = read_dashboard(json.loads(version.document), version.uid)
            except (ValueError, DashboardError):
                return None
            if len(self._read) >= 2 * MAX_DASHBOARDS:
                self._read.clear()
            self._read[key] = found
        return Held(found, "stored", version.document, "", version)

    def _certain(self, version: DashboardVersion) -> Held:
        held = self._held(version)
        if held is None:
            raise RefusedError(f"version {version.version} of {version.uid} cannot be read by this release")
        return held


def _of_file(one: Provided) -> Held:
    return Held(one.dashboard, one.source, document_text(one.dashboard), one.file)


def document_text(dashboard: Dashboard) -> str:
    """The document as it is stored."""
    return json.dumps(to_plain(dashboard), ensure_ascii=False, separators=(",", ":"))


def _newest(tx: StateTransaction, uid: str) -> DashboardVersion | None:
    head = tx.dashboards.head(uid)
    return None if head is None or head.deleted_at else tx.dashboards.version(uid, head.version)


def _check(stored: DashboardVersion | None, allowed: Allowed) -> None:
    if not allowed("" if stored is None else stored.document):
        if stored is None:
            raise PreconditionError("the dashboard was deleted in between")
        raise PreconditionError(f"{stored.saved_by} saved version {stored.version} in between")


def _following(tx: StateTransaction, uid: str) -> int:
    versions = tx.dashboards.versions(uid)
    return versions[0].version + 1 if versions else 1


def _put(
    tx: StateTransaction,
    dashboard: Dashboard,
    message: str,
    by: str,
    now: int,
    stored: DashboardVersion | None = None,
) -> DashboardVersion:
    text = document_text(dashboard)
    if stored is not None and stored.document == text:
        return stored
    if stored is None and sum(not head.deleted_at for head in tx.dashboards.heads()) >= MAX_DASHBOARDS:
        raise RefusedError(f"{MAX_DASHBOARDS} dashboards are saved already: delete one that is not needed any more")
    number = _following(tx, dashboard.uid)
    made = DashboardVersion(dashboard.uid, number, text, shown(dashboard.title), now, by, message)
    tx.dashboards.put(made)
    tx.dashboards.keep_newest(dashboard.uid, MAX_VERSIONS)
    return made

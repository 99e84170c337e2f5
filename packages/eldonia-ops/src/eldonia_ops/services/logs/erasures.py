"""Erases the records of one person: durable jobs that go on after a restart, one at a time."""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec.structs import replace

from eldonia_ops.model.audit import FieldChange
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.erasure import Erasure, ErasureStage
from eldonia_ops.ports import Clock, LogQuery, LogStore
from eldonia_ops.ports.erasures import ErasureStore
from eldonia_ops.search import EVERYTHING, SearchError, parse_search
from eldonia_ops.search.tree import Node, StoredUntil, conjunction
from eldonia_ops.services.api import NotFoundError, QueryError, RefusedError
from eldonia_ops.services.api.log_care import ErasurePreview
from eldonia_ops.services.audit import AuditLog
from eldonia_ops.services.logs.deletion import LATEST_NS, delete_where
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import Wakeup, supervise

log = logging.getLogger("eldonia_ops.erasures")

MOST_WAITING: Final = 100
_SERVICE: Final = FieldName(("service",))
NOT_COVERED: Final = (
    "backups that were made before: a restore brings the records back, so erase them again after it",
    "log files that are followed, and systems that pipelines and agents send to",
    "traces, alerts, incidents, security findings, the audit log, and metrics whose labels name the person",
    "names of attributes, if these name the person: a part keeps its list of names for as long as its day",
)
"""What an erasure of log records does not touch, said with each of them."""


class Erasures:
    """Takes erasures and does them."""

    def __init__(
        self,
        clock: Clock,
        logs: LogStore,
        kept: ErasureStore,
        audit: AuditLog,
        loops: Loops | None = None,
        *,
        forget: Callable[[Sequence[str]], Awaitable[None]] | None = None,
    ) -> None:
        """``forget`` is given the ids of the patterns whose templates were deleted."""
        self._clock = clock
        self._logs = logs
        self._audit = audit
        self._kept = kept
        self._loops = loops
        self._forget = forget
        self._wakeup = Wakeup()

    async def preview(self, text: str) -> ErasurePreview:
        """What an erasure would delete; nothing is changed.

        Raises:
            QueryError: the search cannot be read.
            RefusedError: it finds all records.
        """
        search = _search(text)
        count = await self._logs.count_logs(search)
        services = await self._logs.log_values(LogQuery(0, LATEST_NS, search=search), _SERVICE, limit=10)
        return ErasurePreview(text, count, services, await self._not_covered())

    async def start(self, text: str, reason: str, actor: str) -> Erasure:
        """Take an erasure: it is done, whatever happens from now on.

        Raises:
            QueryError: the search cannot be read.
            RefusedError: it finds all records, or too many erasures wait.
        """
        search = _search(text)
        if sum(not one.is_done for one in await self.all()) >= MOST_WAITING:
            raise RefusedError(f"{MOST_WAITING} erasures wait to be done: try again later")
        last_id = await self._logs.last_log_id()
        matched = await self._logs.count_logs(_meant(search, last_id))
        erasure = Erasure(
            id=secrets.token_hex(8),
            search=text,
            digest=hashlib.sha256(text.encode()).hexdigest(),
            reason=reason,
            actor=actor,
            asked_at=self._clock.now(),
            until_id=last_id,
            matched=matched,
        )
        await self._put(erasure)
        self._wakeup.wake()
        return erasure

    async def all(self) -> list[Erasure]:
        """All erasures, the oldest first."""
        return await asyncio.to_thread(self._kept.all)

    async def get(self, id: str) -> Erasure:
        """One erasure.

        Raises:
            NotFoundError: there is none of this id.
        """
        for one in await self.all():
            if one.id == id:
                return one
        raise NotFoundError(f"there is no erasure {id}")

    async def run(self) -> None:
        """Do what waits, also from before the start, until cancelled."""
        await supervise("erasures", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        failures: list[Exception] = []
        for one in await self.all():
            if not one.is_done:
                try:
                    await self.carry_out(one)
                except Exception as error:  # noqa: BLE001 - the others are erased all the same
                    failures.append(error)
        if failures:
            raise failures[0]
        await self._wakeup.wait(self._clock, None)

    async def carry_out(self, erasure: Erasure) -> Erasure:
        """Do an erasure from wherever it was left: each step can be done again.

        Raises:
            TelemetryError: it is not done yet; why is noted with it.
        """
        search = parse_search(erasure.search)
        meant = _meant(search, erasure.until_id)
        try:
            deleted = await delete_where(self._logs, meant)
            erasure = replace(erasure, stage=ErasureStage.REMOVING, deleted=erasure.deleted + deleted, error="")
            await self._put(erasure)
            done = await self._logs.expunge(meant)
            if self._forget is not None and done.patterns:
                await self._forget(done.patterns)
            left = await self._logs.count_logs(meant)
        except Exception as error:
            await self._put(replace(erasure, error=str(error) or type(error).__name__))
            raise
        erasure = replace(
            erasure,
            search="",
            stage=ErasureStage.DONE,
            # After a kill the count of an earlier run is not known to the last record.
            deleted=max(erasure.deleted, erasure.matched - left),
            parts=done.rewritten,
            old_parts=done.removed,
            log_segments=done.segments,
            refused_rows=done.refused,
            found_after=left,
            newer=await self._logs.count_logs(search) - left,
            finished_at=self._clock.now(),
            not_covered=(*done.left, *await self._not_covered()),
        )
        await self._put(erasure)
        log.info("erasure %s is done: %d records", erasure.id, erasure.deleted)
        changes = (FieldChange("records", erasure.matched, left), FieldChange("reason", None, erasure.reason))
        await self._audit.record(
            erasure.finished_at,
            actor_id="platform",
            actor=erasure.actor,
            method="platform",
            address="",
            kind="erasure",
            subject=erasure.id,
            title=erasure.id,
            action="finished",
            changes=changes,
        )
        return erasure

    async def _not_covered(self) -> tuple[str, ...]:
        waiting = await asyncio.to_thread(self._kept.buffered_bytes)
        buffers = (f"buffers of pipelines on their way to other systems: {waiting:,} bytes wait",) if waiting else ()
        return (*buffers, *NOT_COVERED)

    async def _put(self, erasure: Erasure) -> None:
        await asyncio.to_thread(self._kept.put, erasure)


def _meant(search: Node, last_id: int) -> Node:
    return conjunction([search, StoredUntil(last_id)])


def _search(text: str) -> Node:
    try:
        search = parse_search(text)
    except SearchError as error:
        raise QueryError(error.message(), error.start, hint=error.hint()) from None
    if search == EVERYTHING:
        raise RefusedError("this search finds all records: name whose records are to go, such as user_id:alice")
    return search

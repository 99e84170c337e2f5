"""Documents of Elasticsearch's API: written in bulk, read by their ids, deleted.

A document without an id is a log record like any other, and is stored as one. One with an id may be there already: what
is stored under it is read first, the new record is stored, and then the old one is deleted. So a crash in between
leaves two, of which the newer counts; the next change of the document deletes the older.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.protocols.elasticsearch.bulk import Action, created_items, written_item
from eldonia_ops.protocols.elasticsearch.document_batch import Documents, read_documents
from eldonia_ops.protocols.elasticsearch.documents import id_of, index_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, document_error, illegal_argument, rejected
from eldonia_ops.protocols.elasticsearch.fields import ID_FIELD
from eldonia_ops.protocols.elasticsearch.identity import MAX_ID_BYTES, NUMBERS_A_MILLISECOND, SOURCE, place_of
from eldonia_ops.search.tree import AtPlaces, Node, OneOf
from eldonia_ops.services.document_writes import Key, Writes
from eldonia_ops.services.index_catalog import IndexCatalog
from eldonia_ops.services.log_deletion import LATEST_NS, delete_where
from eldonia_ops.sinks import LogSink

_IDS_AT_ONCE: Final = 500
_PAGE: Final = 10_000
MAX_IN_FLIGHT: Final = 64 << 20
"""Bytes of bodies that are being stored; what comes beyond is rejected, and comes again."""


class Aside(Protocol):
    """Runs work on a thread."""

    async def aside(self, work: "Work") -> Documents: ...  # noqa: D102


class Work(Protocol):
    """Reads documents."""

    def __call__(self) -> Documents: ...  # noqa: D102


@dataclass(slots=True)
class Outcome:
    """The items of an answer, in the order of the actions; ``faults`` counts refused ones by the type of the error."""

    items: list[bytes]
    faults: Counter[str]
    missed: int = 0


class DocumentService:
    """Writes and reads documents. ``threads`` runs what takes long."""

    def __init__(self, sink: LogSink, store: LogStore, catalog: IndexCatalog, threads: Aside) -> None:
        self._sink = sink
        self._store = store
        self._catalog = catalog
        self._threads = threads
        self._numbers = _Numbers(store)
        self._changing = asyncio.Lock()
        self._in_flight = 0

    async def bulk(self, actions: Sequence[Action], lines: Sequence[bytes], now_ms: int) -> Outcome:
        """Do all actions; a bad one is answered as such, and the others are done.

        Raises:
            ElasticsearchError: too much is under way.
            eldonia_ops.ports.TelemetryError: nothing may be acknowledged.
        """
        size = sum(map(len, lines))
        if self._in_flight and self._in_flight + size > MAX_IN_FLIGHT:
            raise rejected("too many documents are being stored: send them again in a moment, and smaller requests")
        self._in_flight += size
        try:
            return await self._bulk(actions, lines, now_ms)
        finally:
            self._in_flight -= size

    async def _bulk(self, actions: Sequence[Action], lines: Sequence[bytes], now_ms: int) -> Outcome:
        first = await self._numbers.reserve(2 * len(actions), now_ms)
        kinds = Counter(actions)
        indices, refused = await self._catalog.written(
            dict.fromkeys((action.index, action.operation) for action in kinds)
        )
        catalog = await self._catalog.current()
        streams = frozenset(index for index in indices.values() if catalog.stream_of(index))
        items: list[bytes] = [b""] * len(actions)
        found = Outcome(items, Counter())

        def fault(place: int, error: ElasticsearchError) -> None:
            action = actions[place]
            index = indices.get((action.index, action.operation), action.index)
            items[place] = failed_item(action, index, error)
            found.faults[error.type] += 1

        plain: list[int] = []
        named: list[int] = []
        sorts = {
            action: _sort(action, refused.get((action.index, action.operation)), catalog.others) for action in kinds
        }
        for place, action in enumerate(actions):
            sort = sorts[action]
            if isinstance(sort, ElasticsearchError):
                fault(place, sort)
            else:
                (named if sort else plain).append(place)
        if plain:
            await self._plain(actions, lines, plain, indices, first, now_ms, streams, fault, items)
        if named:
            await self._named(actions, lines, named, indices, first + len(actions), now_ms, streams, fault, items)
        return found

    async def _plain(
        self,
        actions: Sequence[Action],
        lines: Sequence[bytes],
        places: Sequence[int],
        indices: Mapping[tuple[str, str], str],
        first: int,
        now_ms: int,
        streams: frozenset[str],
        fault: "Fault",
        items: list[bytes],
    ) -> None:
        """Store documents without an id."""
        # Neighbouring numbers cost nothing on the disk, gaps neither; what matters is that they are in order.
        some = lines if len(places) == len(lines) else [lines[place] for place in places]
        kinds = {
            (actions[place].operation, indices[actions[place].index, actions[place].operation]) for place in places
        }
        names: str | list[str]
        if len({index for _, index in kinds}) == 1:
            names = next(iter(kinds))[1]
        else:
            names = [indices[actions[place].index, actions[place].operation] for place in places]
        documents = await self._threads.aside(lambda: read_documents(some, names, first, now_ms * 1_000_000, streams))
        late: dict[int, str] = {}
        if len(documents.records):
            receipt = await self._sink.logs(documents.records)
            late = {documents.rows[one.index]: one.reason for one in receipt.refused}
            await self._catalog.observe(documents.samples)
        for row, error in documents.faults.items():
            fault(places[row], error)
        for row, reason in late.items():
            fault(places[row], _too_late(reason))
        good = [row for row in documents.rows if row not in late] if late else documents.rows
        if len(kinds) == 1:
            operation, index = next(iter(kinds))
            written = created_items(operation, index, [first + row for row in good])
            for row, item in zip(good, written, strict=True):
                items[places[row]] = item
            return
        for row in good:
            action = actions[places[row]]
            index = indices[action.index, action.operation]
            items[places[row]] = created_items(action.operation, index, [first + row])[0]

    async def _named(
        self,
        actions: Sequence[Action],
        lines: Sequence[bytes],
        places: Sequence[int],
        indices: Mapping[tuple[str, str], str],
        first: int,
        now_ms: int,
        streams: frozenset[str],
        fault: "Fault",
        items: list[bytes],
    ) -> None:
        """Change documents with ids, one after another; one request at a time."""
        async with self._changing:
            stored = await self.find(dict.fromkeys(actions[place].id for place in places))
            writes = Writes(stored, now_ms * 1_000_000, streams)
            answers: dict[int, tuple[Key, str, dict[str, object]]] = {}
            for place in places:
                action = actions[place]
                index = indices[action.index, action.operation]
                try:
                    outcome = writes.apply(action, lines[place], index, first + place)
                    answers[place] = ((index, action.id), action.operation, outcome)
                except ElasticsearchError as error:
                    fault(place, error)
            new = writes.stored_records()
            refused: dict[Key, str] = {}
            if new:
                receipt = await self._sink.logs(list(new.values()))
                keys = list(new)
                refused = {keys[one.index]: one.reason for one in receipt.refused}
                await self._catalog.observe(writes.samples)
            if gone := writes.deleted_places(refused):
                await self._store.delete_logs(gone)
        for place, (key, operation, outcome) in answers.items():
            if key in refused and operation != "delete":
                fault(place, _too_late(refused[key]))
            else:
                items[place] = written_item(operation, outcome)

    async def find(self, ids: Iterable[str]) -> dict[Key, list[LogRecord]]:
        """All records of documents with some ids, by index and id."""
        wanted = list(ids)
        found: dict[Key, list[LogRecord]] = {}
        for start in range(0, len(wanted), _IDS_AT_ONCE):
            some = wanted[start : start + _IDS_AT_ONCE]
            await self._add(found, OneOf(ID_FIELD, tuple(some)))
            places = [place for place in map(place_of, some) if place is not None]
            if places:
                numbers = tuple(place.number for place in places if place.number >= 0)
                others = tuple((place.timestamp_ns, place.record_id) for place in places if place.record_id >= 0)
                if numbers:
                    await self._add(found, AtPlaces(SOURCE, numbers))
                if others:
                    await self._add(found, AtPlaces("", (), others))
        return {key: records for key, records in found.items() if key[1] in set(wanted)}

    async def get(self, indices: Sequence[str], id: str) -> LogRecord | None:
        """The document with an id in one of some indices, the newest if there are several."""
        found = await self.find([id])
        records = [record for index in indices for record in found.get((index, id), ())]
        return max(records, key=lambda record: record.id, default=None)

    async def delete_where(self, search: Node) -> int:
        """Delete all records that a search finds; how many there were."""
        return await delete_where(self._store, search)

    async def _add(self, found: dict[Key, list[LogRecord]], search: Node) -> None:
        page = await self._store.search_logs(LogQuery(0, LATEST_NS, search=search, limit=_PAGE))
        for record in page.records:
            key = (index_of(record, self._catalog.others), id_of(record))
            if record not in found.setdefault(key, []):
                found[key].append(record)


class Fault(Protocol):
    """Notes that an action failed."""

    def __call__(self, place: int, error: ElasticsearchError) -> None: ...  # noqa: D102


class _Numbers:
    """Numbers of documents: they grow with time, across restarts too."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._next = -1

    async def reserve(self, count: int, now_ms: int) -> int:
        """The first of so many numbers."""
        if self._next < 0:
            position = await self._store.source_position(SOURCE)
            self._next = max(self._next, (position or 0) + 1)
        first = max(self._next, now_ms * NUMBERS_A_MILLISECOND)
        self._next = first + count
        return first


def _sort(action: Action, refused: ElasticsearchError | None, others: str) -> bool | ElasticsearchError:
    """Whether an action concerns a document with an id of its own, or why it cannot be done."""
    if refused is not None:
        return refused
    if len(action.id.encode("utf-8", "replace")) > MAX_ID_BYTES:
        return illegal_argument(f"id is too long, must be no longer than {MAX_ID_BYTES} bytes")
    if not action.id:
        if action.operation in ("update", "delete"):
            return ElasticsearchError(
                400, "action_request_validation_exception", "Validation Failed: 1: id is missing;"
            )
        return False
    return True


def _too_late(reason: str) -> ElasticsearchError:
    return document_error(f"failed to parse field [@timestamp] of type [date]: {reason}", reason)


def failed_item(action: Action, index: str, error: ElasticsearchError) -> bytes:
    """The item of an action that could not be done."""
    outcome = {"_index": index, "_id": action.id or None, "status": error.status, "error": error.cause()}
    return written_item(action.operation, outcome)

"""Documents of Elasticsearch's API: written in bulk, read by their ids, deleted.

A document without an id is a log record like any other, and is stored as one. One with an id may be there already: what
is stored under it is read first, the new record is stored, and then the old one is deleted. The store notes both before
it begins, so that the next start finishes what a crash interrupts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.protocols.elasticsearch.bulk import Action, created_items, dropped_item
from eldonia_ops.protocols.elasticsearch.document_batch import read_documents
from eldonia_ops.protocols.elasticsearch.documents import id_of, index_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, rejected
from eldonia_ops.protocols.elasticsearch.fields import ID_FIELD
from eldonia_ops.protocols.elasticsearch.identity import MAX_ID_BYTES, SOURCE, place_of
from eldonia_ops.protocols.elasticsearch.ingest import PipelineSet
from eldonia_ops.protocols.elasticsearch.ingest.bulk import Ingested, Wanted, ingested, pipelines_of
from eldonia_ops.search.tree import AtPlaces, Node, OneOf
from eldonia_ops.services.elasticsearch.bulk_request import Aside, BulkRequest, DocumentNumbers, stored
from eldonia_ops.services.elasticsearch.document_changes import DocumentChanges
from eldonia_ops.services.elasticsearch.document_writes import Key
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.services.logs.deletion import LATEST_NS, delete_where
from eldonia_ops.sinks import LogSink

_IDS_AT_ONCE: Final = 5_000
_PAGE: Final = 10_000
MAX_IN_FLIGHT: Final = 64 << 20
"""Bytes of bodies that are being stored; what comes beyond is rejected, and comes again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The items of an answer, in the order of the actions; ``faults`` counts refused ones by the type of the error."""

    items: list[bytes]
    faults: Counter[str]


class DocumentService:
    """Writes and reads documents. ``threads`` runs what takes long."""

    def __init__(self, sink: LogSink, store: LogStore, catalog: IndexCatalog, threads: Aside) -> None:
        self._sink = sink
        self._store = store
        self._catalog = catalog
        self._threads = threads
        self._numbers = DocumentNumbers(store)
        self._changes = DocumentChanges(sink, store, catalog, threads, self._numbers, self.find)
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
        done = Ingested([], [])
        if wanted := pipelines_of(await self._catalog.current(), actions, now_ms):
            done = await self._ingested(actions, lines, wanted, now_ms)
            actions, lines = done.actions, done.lines
        out = done.faults.keys() | done.dropped
        targets = ((one.index, one.operation) for place, one in enumerate(actions) if place not in out)
        indices, refused = await self._catalog.written(dict.fromkeys(targets))
        catalog = await self._catalog.current()
        streams = frozenset(index for index in indices.values() if catalog.stream_of(index))
        request = BulkRequest(actions, lines, indices, now_ms, streams)
        plain: list[int] = []
        named: list[int] = []
        for place, action in enumerate(actions):
            if place in out:
                self._not_stored(request, place, done)
            elif (error := refused.get((action.index, action.operation)) or _fault(action)) is not None:
                request.fail(place, error)
            else:
                (named if action.id else plain).append(place)
        if plain:
            await self._plain(request, plain)
        if named:
            await self._changes.run(request, named)
        return Outcome(request.items, request.faults)

    async def _ingested(
        self, actions: Sequence[Action], lines: Sequence[bytes], wanted: Mapping[Wanted, tuple[str, ...]], now_ms: int
    ) -> Ingested:
        """What comes out of the pipelines of a request."""
        declared = (await self._catalog.current()).all(EntryKind.PIPELINE)
        others = PipelineSet({name: one.body for name, one in declared.items()})
        return await self._threads.aside(lambda: ingested(actions, lines, wanted, others, now_ms))

    @staticmethod
    def _not_stored(request: BulkRequest, place: int, done: Ingested) -> None:
        if place in done.faults:
            request.fail(place, done.faults[place])
        else:
            request.items[place] = dropped_item(request.actions[place])

    async def _plain(self, request: BulkRequest, places: Sequence[int]) -> None:
        """Store documents without an id."""
        first = await self._numbers.reserve(len(places), request.now_ms)
        whole = len(places) == len(request.lines)
        some = request.lines if whole else [request.lines[place] for place in places]
        kinds = {(request.actions[place].operation, request.index(place)) for place in places}
        names: str | list[str] = next(iter(kinds))[1]
        if len({index for _, index in kinds}) > 1:
            names = [request.index(place) for place in places]
        received_ns = request.now_ms * 1_000_000
        documents = await self._threads.aside(lambda: read_documents(some, names, first, received_ns, request.streams))
        late = await stored(self._sink, self._catalog, documents)
        for row, error in {**documents.faults, **late}.items():
            request.fail(places[row], error)
        good = [row for row in documents.rows if row not in late] if late else documents.rows
        if len(kinds) == 1:
            operation, index = next(iter(kinds))
            written = created_items(operation, index, [first + row for row in good])
            for row, item in zip(good, written, strict=True):
                request.items[places[row]] = item
            return
        for row in good:
            place = places[row]
            item = created_items(request.actions[place].operation, request.index(place), [first + row])[0]
            request.items[place] = item

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


def _fault(action: Action) -> ElasticsearchError | None:
    """Why an action cannot be done, whatever its document is."""
    id = action.id
    if len(id) > MAX_ID_BYTES // 4 and len(id.encode("utf-8", "replace")) > MAX_ID_BYTES:
        return illegal_argument(f"id is too long, must be no longer than {MAX_ID_BYTES} bytes")
    if not id and action.operation in ("update", "delete"):
        return ElasticsearchError(400, "action_request_validation_exception", "Validation Failed: 1: id is missing;")
    return None

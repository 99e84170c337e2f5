"""Writes documents with ids of their own: all requests that wait are done together, since each look takes a while.

Most such documents are new. They become columns, like those without an id; only those that are there already, or that
a request names several times, are changed one after another.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogStore, TelemetryUnavailableError
from eldonia_ops.protocols.elasticsearch.bulk import written_item
from eldonia_ops.protocols.elasticsearch.document_batch import read_documents
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.identity import SOURCE
from eldonia_ops.services.bulk_request import Aside, BulkRequest, DocumentNumbers, stored, too_late
from eldonia_ops.services.document_writes import Key, Writes, outcome
from eldonia_ops.services.index_catalog import IndexCatalog
from eldonia_ops.services.known_documents import KnownDocuments
from eldonia_ops.sinks import LogSink

Find = Callable[[Iterable[str]], Awaitable[dict[Key, list[LogRecord]]]]
_Place = tuple[BulkRequest, int]


@dataclass(slots=True)
class _Turn:
    """Some places of a request that waits; ``done`` when another request did it, too."""

    request: BulkRequest
    places: Sequence[int]
    done: bool = False
    error: Exception | None = None


class DocumentChanges:
    """Changes documents, one group of requests at a time."""

    def __init__(
        self,
        sink: LogSink,
        store: LogStore,
        catalog: IndexCatalog,
        threads: Aside,
        numbers: DocumentNumbers,
        find: Find,
    ) -> None:
        self._sink = sink
        self._store = store
        self._catalog = catalog
        self._threads = threads
        self._numbers = numbers
        self._find = find
        self._documents = KnownDocuments(store)
        self._lock = asyncio.Lock()
        self._waiting: list[_Turn] = []

    async def run(self, request: BulkRequest, places: Sequence[int]) -> None:
        """Do the actions at some places of a request, all of which have an id.

        Raises:
            eldonia_ops.ports.TelemetryError: nothing may be acknowledged.
        """
        own = _Turn(request, places)
        self._waiting.append(own)
        async with self._lock:
            if not own.done:
                turns, self._waiting = self._waiting, []
                await self._together(turns)
        if own.error is not None:
            raise own.error

    async def _together(self, turns: Sequence[_Turn]) -> None:
        error: Exception | None = TelemetryUnavailableError("the request that stored this one was given up: try again")
        try:
            await self._change([(turn.request, place) for turn in turns for place in turn.places])
            error = None
        except Exception as failure:  # noqa: BLE001 - whatever it is, all of them fail of it
            error = failure
        finally:
            for turn in turns:
                turn.done, turn.error = True, error

    async def _change(self, places: Sequence[_Place]) -> None:
        keys = [(request.index(place), request.actions[place].id) for request, place in places]
        counts = Counter(keys)
        perhaps = self._documents.note(list(counts))
        known = await self._find(dict.fromkeys(id for _, id in perhaps)) if perhaps else {}
        new: list[_Place] = []
        old: list[_Place] = []
        for key, (request, place) in zip(keys, places, strict=True):
            action = request.actions[place]
            adds = action.operation in ("index", "create") and action.if_seq_no < 0 and action.version < 0
            (new if adds and counts[key] == 1 and key not in known else old).append((request, place))
        if new:
            await self._add(new)
        if old:
            await self._replace(old, known)

    async def _add(self, places: Sequence[_Place]) -> None:
        """Store documents that are not there."""
        now_ms = places[0][0].now_ms
        first = await self._numbers.reserve(len(places), now_ms)
        lines = [request.lines[place] for request, place in places]
        names = [request.index(place) for request, place in places]
        ids = [request.actions[place].id for request, place in places]
        streams = frozenset[str]().union(*(request.streams for request, _ in places))
        documents = await self._threads.aside(
            lambda: read_documents(lines, names, first, now_ms * 1_000_000, streams, ids)
        )
        late = await stored(self._sink, self._catalog, documents)
        faults = {**documents.faults, **late}
        for row, (request, place) in enumerate(places):
            if row in faults:
                request.fail(place, faults[row])
                continue
            answer = outcome((names[row], ids[row]), 1, "created", first + row, 201)
            request.items[place] = written_item(request.actions[place].operation, answer)

    async def _replace(self, places: Sequence[_Place], known: Mapping[Key, list[LogRecord]]) -> None:
        """Change documents one after another."""
        now_ms = places[0][0].now_ms
        first = await self._numbers.reserve(len(places), now_ms)
        streams = frozenset[str]().union(*(request.streams for request, _ in places))
        writes = Writes(known, now_ms * 1_000_000, streams)
        answers: list[tuple[_Place, Key, dict[str, Any]]] = []
        for number, (request, place) in enumerate(places, first):
            index = request.index(place)
            action = request.actions[place]
            try:
                answer = writes.apply(action, request.lines[place], index, number)
                answers.append(((request, place), (index, action.id), answer))
            except ElasticsearchError as error:
                request.fail(place, error)
        refused = await self._written(writes)
        for (request, place), key, answer in answers:
            operation = request.actions[place].operation
            if key in refused and operation != "delete":
                request.fail(place, too_late(refused[key]))
            else:
                request.items[place] = written_item(operation, answer)

    async def _written(self, writes: Writes) -> Mapping[Key, str]:
        """Store and delete what changed; the documents that may not be stored, and why."""
        refused: dict[Key, str] = {}
        async with contextlib.AsyncExitStack() as stack:
            if replaced := writes.replaced_places():
                await stack.enter_async_context(self._store.replacing(SOURCE, replaced))
            if new := writes.stored_records():
                receipt = await self._sink.logs(list(new.values()))
                keys = list(new)
                refused = {keys[one.index]: one.reason for one in receipt.refused}
                await self._catalog.observe(writes.samples)
            if gone := writes.deleted_places(refused):
                await self._store.delete_logs(gone)
        return refused

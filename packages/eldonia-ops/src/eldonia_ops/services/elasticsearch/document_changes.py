"""Writes documents with ids of their own.

Most such documents are new, which is known without a look: they become columns, like those without an id, and requests
with them do not wait for one another. What may be there already, or is named several times, is looked for and changed
one after another; all requests that wait for that are done together, since each look takes a while.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogStore, TelemetryUnavailableError
from eldonia_ops.protocols.elasticsearch.bulk import Action, created_items, written_item
from eldonia_ops.protocols.elasticsearch.document_batch import read_documents
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.identity import SOURCE
from eldonia_ops.services.elasticsearch.bulk_request import Aside, BulkRequest, DocumentNumbers, stored, too_late
from eldonia_ops.services.elasticsearch.document_writes import Key, Writes
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.services.elasticsearch.known_documents import KnownDocuments
from eldonia_ops.sinks import LogSink

Find = Callable[[Iterable[str]], Awaitable[dict[Key, list[LogRecord]]]]
_Place = tuple[BulkRequest, int]


@dataclass(slots=True)
class _Turn:
    """Some places of a request that waits, and those of its documents that may be there; ``done`` when another request
    did it, too."""

    request: BulkRequest
    places: Sequence[int]
    perhaps: Collection[Key]
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
        self._adding: set[asyncio.Future[None]] = set()

    async def run(self, request: BulkRequest, places: Sequence[int]) -> None:
        """Do the actions at some places of a request, all of which have an id.

        Raises:
            eldonia_ops.ports.TelemetryError: nothing may be acknowledged.
        """
        await self._documents.read()
        keys = request.keys(places)
        counts = Counter(keys)
        perhaps = set(self._documents.note(list(counts)))
        new: list[int] = []
        old: list[int] = []
        for key, place in zip(keys, places, strict=True):
            alone = key not in perhaps and counts[key] == 1 and _adds(request.actions[place])
            (new if alone else old).append(place)
        if new:
            await self._added(request, new)
        if old:
            await self._in_turn(_Turn(request, old, perhaps))

    async def _added(self, request: BulkRequest, places: Sequence[int]) -> None:
        """Store documents that nothing else is done with: a later request with one of their ids waits for them."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._adding.add(done)
        try:
            await self._add(request, places)
        finally:
            self._adding.discard(done)
            done.set_result(None)

    async def _in_turn(self, own: _Turn) -> None:
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
            if self._adding:
                await asyncio.wait(tuple(self._adding))
            await self._change(turns)
            error = None
        except Exception as failure:  # noqa: BLE001 - whatever it is, all of them fail of it
            error = failure
        finally:
            for turn in turns:
                turn.done, turn.error = True, error

    async def _change(self, turns: Sequence[_Turn]) -> None:
        keys = [key for turn in turns for key in turn.request.keys(turn.places)]
        perhaps = set[Key]().union(*(turn.perhaps for turn in turns))
        known = await self._find(dict.fromkeys(id for _, id in perhaps)) if perhaps else {}
        counts = Counter(keys)
        old: list[_Place] = []
        for turn in turns:
            new: list[int] = []
            for key, place in zip(turn.request.keys(turn.places), turn.places, strict=True):
                if key not in known and counts[key] == 1 and _adds(turn.request.actions[place]):
                    new.append(place)
                else:
                    old.append((turn.request, place))
            if new:
                await self._add(turn.request, new)
        if old:
            await self._replace(old, known)

    async def _add(self, request: BulkRequest, places: Sequence[int]) -> None:
        """Store documents that are not there."""
        now_ms = request.now_ms
        first = await self._numbers.reserve(len(places), now_ms)
        whole = len(places) == len(request.lines)
        lines = request.lines if whole else [request.lines[place] for place in places]
        keys = request.keys(places)
        ids = [id for _, id in keys]
        kinds = {(request.actions[place].operation, request.index(place)) for place in places}
        one = len({index for _, index in kinds}) == 1
        names: str | list[str] = keys[0][0] if one else [index for index, _ in keys]
        documents = await self._threads.aside(
            lambda: read_documents(lines, names, first, now_ms * 1_000_000, request.streams, ids)
        )
        late = await stored(self._sink, self._catalog, documents)
        faults = {**documents.faults, **late}
        for row, error in faults.items():
            request.fail(places[row], error)
        good = [row for row in range(len(places)) if row not in faults] if faults else range(len(places))
        if len(kinds) == 1:
            operation, index = next(iter(kinds))
            items = created_items(operation, index, [first + row for row in good], [ids[row] for row in good])
            for row, item in zip(good, items, strict=True):
                request.items[places[row]] = item
            return
        for row in good:
            operation = request.actions[places[row]].operation
            request.items[places[row]] = created_items(operation, keys[row][0], [first + row], [ids[row]])[0]

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


def _adds(action: Action) -> bool:
    """Whether an action only adds a document that is not there, whatever was there once."""
    return action.operation in ("index", "create") and action.if_seq_no < 0 and action.version < 0

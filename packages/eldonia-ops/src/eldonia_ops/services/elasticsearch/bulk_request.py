"""One request that writes documents of Elasticsearch's API, and what its parts share."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from eldonia_ops.ports import LogStore
from eldonia_ops.protocols.elasticsearch.bulk import Action, written_item
from eldonia_ops.protocols.elasticsearch.document_batch import Documents
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, document_error
from eldonia_ops.protocols.elasticsearch.identity import NUMBERS_A_MILLISECOND, SOURCE
from eldonia_ops.services.elasticsearch.index_catalog import IndexCatalog
from eldonia_ops.sinks import LogSink

T = TypeVar("T")


class Aside(Protocol):
    """Runs work that takes long on a thread."""

    async def aside(self, work: Callable[[], T]) -> T: ...  # noqa: D102


@dataclass(slots=True)
class BulkRequest:
    """Actions with their lines; ``indices`` says what a name and an operation write to. ``items`` are the answers, at
    the place of their action; ``faults`` counts those that are errors, by type."""

    actions: Sequence[Action]
    lines: Sequence[bytes]
    indices: Mapping[tuple[str, str], str]
    now_ms: int
    streams: frozenset[str]
    items: list[bytes] = field(init=False)
    faults: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.items = [b""] * len(self.actions)

    def index(self, place: int) -> str:
        """The index that the action at a place writes to."""
        action = self.actions[place]
        return self.indices.get((action.index, action.operation), action.index)

    def keys(self, places: Sequence[int]) -> list[tuple[str, str]]:
        """The index and id of the actions at some places."""
        actions, indices = self.actions, self.indices
        return [
            (indices.get((action.index, action.operation), action.index), action.id)
            for action in map(actions.__getitem__, places)
        ]

    def fail(self, place: int, error: ElasticsearchError) -> None:
        """Answer the action at a place with an error."""
        action = self.actions[place]
        outcome = {
            "_index": self.index(place),
            "_id": action.id or None,
            "status": error.status,
            "error": error.cause(),
        }
        self.items[place] = written_item(action.operation, outcome)
        self.faults[error.type] += 1


class DocumentNumbers:
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


async def stored(sink: LogSink, catalog: IndexCatalog, documents: Documents) -> dict[int, ElasticsearchError]:
    """Store documents; the rows of those whose time is not kept, and why."""
    if not len(documents.records):
        return {}
    receipt = await sink.logs(documents.records)
    await catalog.observe(documents.samples)
    return {documents.rows[one.index]: too_late(one.reason) for one in receipt.refused}


def too_late(reason: str) -> ElasticsearchError:
    """A document whose time is not kept."""
    return document_error(f"failed to parse field [@timestamp] of type [date]: {reason}", reason)

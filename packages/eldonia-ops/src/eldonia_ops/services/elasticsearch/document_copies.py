"""Documents that a search finds, written once more: in place through a pipeline, or into another index."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.protocols.elasticsearch.bulk import Action
from eldonia_ops.search.tree import Node, StoredUntil, conjunction
from eldonia_ops.services.elasticsearch.documents import DocumentService
from eldonia_ops.services.logs.deletion import LATEST_NS

PAGE: Final = 1_000
MAX_FAILURES: Final = 100
_encode: Final = msgspec.json.Encoder(enc_hook=str).encode
_decode: Final = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Copied:
    """What became of the documents: how many of each result, and the items that are errors (the first hundred)."""

    total: int = 0
    results: Counter[str] = field(default_factory=Counter)
    failures: list[dict[str, Any]] = field(default_factory=list)
    batches: int = 0


async def copy_documents(
    store: LogStore,
    documents: DocumentService,
    search: Node,
    action_of: Callable[[LogRecord], tuple[Action, dict[str, Any]]],
    now_ms: Callable[[], int],
    most: int = 0,
    stop_at_conflicts: bool = True,
) -> Copied:
    """Write each document that a search finds as ``action_of`` says; those that come meanwhile are not meant.

    ``most`` bounds how many, 0 for all. After the page in which one failed no further one is begun.

    Raises:
        eldonia_ops.ports.TelemetryError: the store cannot be asked or written to; some may be done.
    """
    found = Copied()
    until = StoredUntil(await store.last_log_id())
    query = LogQuery(0, LATEST_NS, search=conjunction([search, until]), limit=PAGE)
    while not most or found.total < most:
        page = await store.search_logs(replace(query, limit=min(PAGE, most - found.total) if most else PAGE))
        if not page.records:
            return found
        made = [action_of(record) for record in page.records]
        outcome = await documents.bulk([action for action, _ in made], [_encode(one) for _, one in made], now_ms())
        found.total += len(made)
        found.batches += 1
        for item in outcome.items:
            one = next(iter(_decode(item).values()))
            conflict = one["status"] == 409
            found.results["version_conflicts" if conflict else one.get("result", "failed")] += 1
            stops = "error" in one and (stop_at_conflicts or not conflict)
            if stops and len(found.failures) < MAX_FAILURES:
                shown = {"index": one["_index"], "id": one["_id"], "cause": one["error"], "status": one["status"]}
                found.failures.append(shown)
        if found.failures:
            return found
        last = page.records[-1]
        query = replace(query, before=(last.timestamp_ns, last.id))
    return found

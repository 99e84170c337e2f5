"""Pipelines on the documents of a request: which ones are run, and what comes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import structs

from eldonia_ops.protocols.elasticsearch.bulk import Action
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.date_names import resolved_name
from eldonia_ops.protocols.elasticsearch.document_check import read_document
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument
from eldonia_ops.protocols.elasticsearch.ingest.pipeline import PipelineSet

NONE: Final = "_none"
Wanted = tuple[str, str]
"""The name that an action writes to, and the pipeline that it asks for."""

_ENCODE: Final = msgspec.json.Encoder(enc_hook=str).encode


@dataclass(slots=True)
class Ingested:
    """The actions and lines of a request behind its pipelines. ``faults`` and ``dropped`` are the places of those that
    are not stored."""

    actions: list[Action]
    lines: list[bytes]
    faults: dict[int, ElasticsearchError] = field(default_factory=dict)
    dropped: set[int] = field(default_factory=set)


def pipelines_of(catalog: Catalog, actions: Sequence[Action], now_ms: int) -> dict[Wanted, tuple[str, ...]]:
    """The names of the pipelines for each pair that has any: what is asked for or the default, and the final one."""
    found: dict[Wanted, tuple[str, ...]] = {}
    for wanted in dict.fromkeys((one.index, one.pipeline) for one in actions if one.operation in ("index", "create")):
        index, asked = wanted
        try:
            settings = _settings(catalog, resolved_name(index, now_ms))
        except ElasticsearchError:
            continue  # it cannot be written to, which is said later
        first = asked or str(settings.get("index.default_pipeline") or "")
        names = [name for name in (first, str(settings.get("index.final_pipeline") or "")) if name and name != NONE]
        if names:
            found[wanted] = tuple(names)
    return found


def ingested(
    actions: Sequence[Action],
    lines: Sequence[bytes],
    pipelines: Mapping[Wanted, tuple[str, ...]],
    others: PipelineSet,
    now_ms: int,
) -> Ingested:
    """Let the documents of a request go through their pipelines."""
    found = Ingested(list(actions), list(lines))
    ingest = {"timestamp": timestamp(now_ms)}
    for place, action in enumerate(actions):
        names = pipelines.get((action.index, action.pipeline))
        if not names or action.operation not in ("index", "create"):
            continue
        try:
            document = IngestDocument(
                read_document(lines[place]), {"_index": action.index, "_id": action.id or None}, dict(ingest)
            )
            for name in names:
                if not document.dropped:
                    others.run(name, document)
            if document.dropped:
                found.dropped.add(place)
                continue
            found.actions[place] = _targeted(action, document.metadata)
            found.lines[place] = _ENCODE(document.source)
        except ElasticsearchError as error:
            found.faults[place] = error
        except ProcessorError as error:
            found.faults[place] = ElasticsearchError(400, error.type, error.reason)
        except (RecursionError, ValueError, TypeError, OverflowError) as error:
            found.faults[place] = ElasticsearchError(400, "illegal_argument_exception", f"the pipeline failed: {error}")
    return found


def timestamp(now_ms: int) -> str:
    """``_ingest.timestamp``."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _targeted(action: Action, metadata: Mapping[str, Any]) -> Action:
    index, id = metadata.get("_index"), metadata.get("_id")
    if not isinstance(index, str) or not index:
        raise ProcessorError("[_index] is no text behind the pipeline")
    id = "" if id is None else str(id)
    return action if (index, id) == (action.index, action.id) else structs.replace(action, index=index, id=id)


def _settings(catalog: Catalog, name: str) -> Mapping[str, Any]:
    index = catalog.write_index(name, "create")
    return catalog.indices[index].body.get("settings") or {} if index else catalog.made(name).settings

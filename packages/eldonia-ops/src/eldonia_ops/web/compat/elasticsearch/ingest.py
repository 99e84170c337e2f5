"""Ingest pipelines: kept, tried, and which processors there are."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.pipeline.parsers.grok_patterns import PATTERNS
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, missing, unsupported
from eldonia_ops.protocols.elasticsearch.index_names import fits_any
from eldonia_ops.protocols.elasticsearch.ingest import Pipeline, PipelineSet, compile_pipeline
from eldonia_ops.protocols.elasticsearch.ingest.bulk import timestamp
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import no_change
from eldonia_ops.web.compat.elasticsearch.answers import answered, flag, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute, author_of, check_pipeline

_MOST_DOCS: Final = 1_000
_TRIED: Final = "_simulate_pipeline"


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_ingest/pipeline`` and ``_ingest/processor/grok``."""

    async def declared() -> dict[str, Mapping[str, Any]]:
        catalog = await host.catalog.current()
        return {name: one.body for name, one in catalog.all(EntryKind.PIPELINE).items()}

    async def put(request: Request) -> Response:
        name, body = request.path_params["name"], await object_body(request, host.limits)
        compile_pipeline(name, body)
        catalog = await host.catalog.current()
        known = catalog.get(EntryKind.PIPELINE, name)
        if known is None or known.body != body:
            check_pipeline(request, catalog, name)
        await host.catalog.put(EntryKind.PIPELINE, name, body, author_of(request))
        return answered({"acknowledged": True})

    async def get(request: Request) -> Response:
        names = request.path_params.get("name", "")
        patterns = [one for one in names.split(",") if one]
        every = await declared()
        found = {name: every[name] for name in sorted(every) if not patterns or fits_any(name, patterns)}
        absent = bool(names) and not found and names != "*"
        if flag(request, "summary"):
            found = {name: {} for name in found}
        return answered(found, 404 if absent else 200)

    async def delete(request: Request) -> Response:
        name = request.path_params["name"]
        check_pipeline(request, await host.catalog.current(), name)
        if not await host.catalog.drop(EntryKind.PIPELINE, name):
            raise missing(f"pipeline [{name}] is missing")
        return answered({"acknowledged": True})

    async def simulate(request: Request) -> Response:
        no_change(request)
        body, name = await object_body(request, host.limits), request.path_params.get("name", "")
        if flag(request, "verbose"):
            raise unsupported("[verbose]", "leave it out, or try one processor after another")
        every = await declared()
        others = PipelineSet(every)
        if name:
            pipeline = others.get(name)
            if pipeline is None:
                raise illegal_argument(f"pipeline [{name}] does not exist")
        else:
            stated = body.get("pipeline")
            if not isinstance(stated, dict):
                raise ElasticsearchError(400, "parse_exception", "[pipeline] required property is missing")
            pipeline = compile_pipeline(_TRIED, stated)
        docs = body.get("docs")
        if not isinstance(docs, list) or not docs or len(docs) > _MOST_DOCS:
            raise illegal_argument(f"must specify at least one document in [docs], and at most {_MOST_DOCS:,}")
        now = timestamp(host.now())
        async with host.heavy.place():
            return answered({"docs": [_tried(pipeline, others, one, now) for one in docs]})

    async def grok_patterns(_request: Request) -> Response:
        return answered({"patterns": dict(sorted(PATTERNS.items()))})

    ingest = Permission.INGEST
    return [
        EsRoute(("GET",), "/_ingest/pipeline", get),
        EsRoute(("GET",), "/_ingest/processor/grok", grok_patterns),
        EsRoute(("POST", "GET"), "/_ingest/pipeline/_simulate", simulate, ingest),
        EsRoute(("POST", "GET"), "/_ingest/pipeline/{name}/_simulate", simulate, ingest),
        EsRoute(("GET",), "/_ingest/pipeline/{name}", get),
        EsRoute(("PUT",), "/_ingest/pipeline/{name}", put, ingest),
        EsRoute(("DELETE",), "/_ingest/pipeline/{name}", delete, Permission.ADMINISTER),
    ]


def _tried(pipeline: Pipeline, others: PipelineSet, stated: Any, now: str) -> dict[str, Any] | None:
    source = stated.get("_source") if isinstance(stated, dict) else None
    if not isinstance(source, dict):
        raise illegal_argument("each of [docs] needs a [_source] that is an object")
    metadata = {"_index": str(stated.get("_index", "_index")), "_id": str(stated.get("_id", "_id"))}
    document = IngestDocument(source, metadata, {"timestamp": now})
    try:
        pipeline.run(document, others)
    except ProcessorError as error:
        cause = {"type": error.type, "reason": error.reason}
        return {"error": {"root_cause": [cause], **cause}}
    except (RecursionError, ValueError, TypeError, OverflowError) as error:
        cause = {"type": "illegal_argument_exception", "reason": f"the pipeline failed: {error}"}
        return {"error": {"root_cause": [cause], **cause}}
    if document.dropped:
        return None
    shown = {key: document.metadata.get(key) for key in ("_index", "_id")}
    ingest = {"timestamp": now}
    return {"doc": {**shown, "_version": "-3", "_source": document.source, "_ingest": ingest}}

"""Documents by their ids."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.documents import id_of, index_of, source_of, version_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument
from eldonia_ops.protocols.elasticsearch.query.source_filter import source_filter
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import answered, flag, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute

_MOST = 1_000


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``GET _doc``, ``_source``, ``_mget``."""

    async def found(request: Request, name: str, id: str) -> tuple[str, LogRecord | None]:
        indices = await host.concrete(request, name)
        if not indices:
            raise ElasticsearchError(404, "index_not_found_exception", f"no such index [{name}]", {"index": name})
        return indices[-1], await host.documents.get(indices, id)

    async def get(request: Request) -> Response:
        id = request.path_params["id"]
        index, record = await found(request, request.path_params["index"], id)
        if record is None:
            return answered({"_index": index, "_id": id, "found": False}, 404)
        return answered(document(record, host.others, _wanted(request)))

    async def source(request: Request) -> Response:
        id = request.path_params["id"]
        index, record = await found(request, request.path_params["index"], id)
        if record is None:
            reason = f"Document not found [{index}]/[{id}]"
            raise ElasticsearchError(404, "resource_not_found_exception", reason)
        return answered(filtered(source_of(record), _wanted(request)))

    async def many(request: Request) -> Response:
        body = await object_body(request, host.limits)
        default = request.path_params.get("index", "")
        wanted = body.get("docs")
        if wanted is None:
            ids = body.get("ids")
            wanted = [{"_id": id} for id in ids] if isinstance(ids, list) else None
        if not isinstance(wanted, list) or not wanted or len(wanted) > _MOST:
            raise ElasticsearchError(
                400,
                "action_request_validation_exception",
                f"Validation Failed: 1: no documents to get, or more than {_MOST:,};",
            )
        catalog = await host.catalog.current()
        known = await host.documents.find(str(one["_id"]) for one in wanted if isinstance(one, dict) and "_id" in one)
        docs: list[dict[str, Any]] = []
        for one in wanted:
            if not isinstance(one, dict) or "_id" not in one:
                raise illegal_argument("each of [docs] needs an [_id]")
            name, id = str(one.get("_index") or default), str(one["_id"])
            try:
                indices = host.named(catalog, request, name) if name else ()
            except ElasticsearchError as error:
                docs.append({"_index": name, "_id": id, "error": error.body()["error"]})
                continue
            records = [record for index in indices for record in known.get((index, id), ())]
            if not records:
                docs.append({"_index": indices[-1] if indices else name, "_id": id, "found": False})
                continue
            newest = max(records, key=lambda record: record.id)
            docs.append(document(newest, host.others, one.get("_source", _wanted(request))))
        return answered({"docs": docs})

    read = Permission.READ
    return [
        EsRoute(("GET", "POST"), "/_mget", many, read),
        EsRoute(("GET", "POST"), "/{index:indices}/_mget", many, read),
        EsRoute(("GET",), "/{index:indices}/_doc/{id:path}", get, read),
        EsRoute(("GET",), "/{index:indices}/_source/{id:path}", source, read),
    ]


def document(record: LogRecord, others: str, wanted: Any = True) -> dict[str, Any]:
    """A document as ``GET`` answers it."""
    found: dict[str, Any] = {
        "_index": index_of(record, others),
        "_id": id_of(record),
        "_version": version_of(record),
        "_seq_no": record.offset,
        "_primary_term": 1,
        "found": True,
    }
    return found if wanted is False else {**found, "_source": filtered(source_of(record), wanted)}


def filtered(source: dict[str, Any], wanted: Any) -> dict[str, Any]:
    """What ``_source`` asks for.

    Raises:
        DslError: it is no filter.
    """
    return source_filter(wanted.split(",") if isinstance(wanted, str) else wanted).of(source)


def _wanted(request: Request) -> Any:
    given = request.query_params
    if "_source_includes" in given or "_source_excludes" in given:
        return {
            "includes": [one for one in given.get("_source_includes", "").split(",") if one],
            "excludes": [one for one in given.get("_source_excludes", "").split(",") if one],
        }
    text = given.get("_source", "true")
    return flag(request, "_source", True) if text.lower() in ("", "true", "false") else text

"""What is done with all documents that a query finds: deleted, written again, copied."""

import time
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.bulk import Action
from eldonia_ops.protocols.elasticsearch.documents import id_of, index_of, is_document, source_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, unsupported
from eldonia_ops.protocols.elasticsearch.fields import of_indices
from eldonia_ops.protocols.elasticsearch.index_names import check_index_name
from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.protocols.elasticsearch.query.source_filter import source_filter
from eldonia_ops.search.tree import Node, conjunction
from eldonia_ops.services.elasticsearch.document_copies import Copied, copy_documents
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.compat.elasticsearch.answers import answered, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute

_EVERY: Final[Mapping[str, Any]] = {"match_all": {}}


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_delete_by_query``, ``_update_by_query``, ``_reindex``."""

    async def meant(request: Request, name: str, query: Any) -> Node:
        indices = await host.concrete(request, name)
        wanted = read_query(query, host.now() * 1_000_000).node
        return conjunction([of_indices(indices, host.others), wanted])

    async def delete(request: Request) -> Response:
        began = time.perf_counter()
        body = await object_body(request, host.limits)
        name = request.path_params["index"]
        search = await meant(request, name, body.get("query", _EVERY))
        if "query" not in body:
            raise ElasticsearchError(
                400, "action_request_validation_exception", "Validation Failed: 1: query is missing;"
            )
        deleted = await host.documents.delete_where(search)
        note_change(request, kind="index", subject=name, action="deleted", after={"deleted": deleted})
        return answered(_answer(began, deleted, {"deleted": deleted}, -(-deleted // 10_000), []))

    async def copied(request: Request, search: Node, action_of: Any, body: Mapping[str, Any]) -> Copied:
        most = body.get("max_docs", request.query_params.get("max_docs", 0))
        if not str(most).isascii() or not str(most).isdigit():
            raise illegal_argument(f"[max_docs] is no whole number: [{str(most)[:40]}]")
        conflicts = body.get("conflicts", request.query_params.get("conflicts", "abort"))
        if conflicts not in ("abort", "proceed"):
            raise illegal_argument(f'conflicts may only be "proceed" or "abort" but was [{str(conflicts)[:40]}]')
        logs = host.platform.telemetry.logs
        async with host.heavy.place():
            return await copy_documents(
                logs, host.documents, search, action_of, host.now, int(str(most)[:9]), conflicts == "abort"
            )

    async def update(request: Request) -> Response:
        began = time.perf_counter()
        body = await object_body(request, host.limits)
        if body.get("script") is not None:
            raise unsupported("[script]", "name a [pipeline] whose processors make the change")
        name = request.path_params["index"]
        pipeline = request.query_params.get("pipeline", "_none")

        def again(record: LogRecord) -> tuple[Action, dict[str, Any]]:
            if not is_document(record):
                raise illegal_argument(
                    f"[{host.others}] has records that came by other ways: they are changed by no query"
                )
            index, id = index_of(record, host.others), id_of(record)
            return Action("index", index, id, if_seq_no=record.offset, pipeline=pipeline), source_of(record)

        search = await meant(request, name, body.get("query", _EVERY))
        found = await copied(request, search, again, body)
        note_change(request, kind="index", subject=name, action="changed", after={"updated": found.results["updated"]})
        return _done(began, found)

    async def reindex(request: Request) -> Response:
        began = time.perf_counter()
        body = await object_body(request, host.limits)
        source, dest = body.get("source"), body.get("dest")
        if not isinstance(source, dict) or not isinstance(dest, dict):
            raise illegal_argument("[source] and [dest] are needed, and are objects")
        if body.get("script") is not None:
            raise unsupported("[script]", "name a [pipeline] in [dest] whose processors make the change")
        for name in ("remote", "slice", "runtime_mappings", "sort"):
            if source.get(name) is not None:
                raise unsupported(f"[source.{name}]", "leave it out")
        index, target = source.get("index"), dest.get("index")
        names = ",".join(map(str, index)) if isinstance(index, list) else index
        if not isinstance(names, str) or not names or not isinstance(target, str):
            raise illegal_argument("[index] is missing in [source] or [dest]")
        check_index_name(target)
        if target in await host.concrete(request, names):
            raise ElasticsearchError(
                400,
                "action_request_validation_exception",
                f"Validation Failed: 1: reindex cannot write into an index its reading from [{target}];",
            )
        operation = dest.get("op_type", "index")
        if operation not in ("index", "create"):
            raise illegal_argument(f"opType must be 'create' or 'index', found: [{str(operation)[:40]}]")
        pipeline, filter = str(dest.get("pipeline") or ""), source_filter(source.get("_source"))

        def copy(record: LogRecord) -> tuple[Action, dict[str, Any]]:
            return Action(operation, target, id_of(record), pipeline=pipeline), filter.of(source_of(record))

        search = await meant(request, names, source.get("query", _EVERY))
        found = await copied(request, search, copy, body)
        note_change(
            request, kind="index", subject=target, action="changed", after={"copied": found.total, "from": names}
        )
        return _done(began, found)

    administer = Permission.ADMINISTER
    return [
        EsRoute(("POST",), "/{index:indices}/_delete_by_query", delete, administer),
        EsRoute(("POST",), "/{index:indices}/_update_by_query", update, administer),
        EsRoute(("POST",), "/_reindex", reindex, administer),
    ]


def _done(began: float, found: Copied) -> Response:
    names = {"created": "created", "updated": "updated", "noop": "noops", "version_conflicts": "version_conflicts"}
    counts = {shown: found.results[name] for name, shown in names.items()}
    status = max((one["status"] for one in found.failures), default=200)
    return answered(_answer(began, found.total, counts, found.batches, found.failures), status)


def _answer(began: float, total: int, counts: Mapping[str, int], batches: int, failures: list[Any]) -> dict[str, Any]:
    return {
        "took": int((time.perf_counter() - began) * 1_000),
        "timed_out": False,
        "total": total,
        "batches": batches,
        "version_conflicts": 0,
        "noops": 0,
        **counts,
        "retries": {"bulk": 0, "search": 0},
        "throttled_millis": 0,
        "requests_per_second": -1.0,
        "throttled_until_millis": 0,
        "failures": failures,
    }

"""Documents on their way in: ``_bulk``, and one at a time."""

import time
from typing import Any, Final
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.protocols.elasticsearch.bulk import Action, answer, external_version, parse_bulk
from eldonia_ops.protocols.elasticsearch.errors import illegal_argument
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.compat.elasticsearch.answers import flag, packed
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute
from eldonia_ops.web.limits import read_body

_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_bulk``, ``_doc``, ``_create``, ``_update``."""

    async def bulk(request: Request) -> Response:
        began = time.perf_counter()
        body = await read_body(request, host.limits)
        index = request.path_params.get("index", "")
        pipeline = request.query_params.get("pipeline", "")
        actions, lines = parse_bulk(body, index, require_alias=flag(request, "require_alias"), pipeline=pipeline)
        done = await host.documents.bulk(actions, lines, host.now())
        note(request, done.faults)
        took = int((time.perf_counter() - began) * 1_000)
        return packed(answer(done.items, took, bool(done.faults), request.query_params.get("filter_path", "")))

    def note(request: Request, faults: Any) -> None:
        if faults:
            sender = f"{caller_of(request).name} ({request.client.host if request.client else 'unknown'})"
            reasons = {f"a document that Elasticsearch's API refuses: {type}": count for type, count in faults.items()}
            host.platform.ingest.refused("logs", sender, reasons)

    async def one(request: Request, operation: str, line: bytes) -> Response:
        given = request.query_params
        version, or_same = external_version(given.get("version"), given.get("version_type"))
        action = Action(
            operation,
            request.path_params["index"],
            request.path_params.get("id", ""),
            _whole(request, "if_seq_no"),
            flag(request, "require_alias"),
            given.get("pipeline", ""),
            version,
            or_same,
        )
        done = await host.documents.bulk([action], [line.replace(b"\n", b" ")], host.now())
        note(request, done.faults)
        outcome = next(iter(_decode(done.items[0]).values()))
        status = outcome.pop("status")
        if "error" in outcome:
            cause = outcome["error"]
            return packed(_encode({"error": {"root_cause": [cause], **cause}, "status": status}), status)
        location = f"/{quote(outcome['_index'])}/_doc/{quote(str(outcome['_id']), safe='')}"
        return packed(_encode(outcome), status, {"Location": location})

    async def put(request: Request) -> Response:
        operation = request.query_params.get("op_type", "index")
        if operation not in ("index", "create"):
            raise illegal_argument(f"opType must be 'create' or 'index', found: [{operation[:40]}]")
        return await one(request, operation, await read_body(request, host.limits))

    async def create(request: Request) -> Response:
        return await one(request, "create", await read_body(request, host.limits))

    async def update(request: Request) -> Response:
        return await one(request, "update", await read_body(request, host.limits))

    async def delete(request: Request) -> Response:
        return await one(request, "delete", b"")

    ingest = Permission.INGEST
    return [
        EsRoute(("POST", "PUT"), "/_bulk", bulk, ingest),
        EsRoute(("POST", "PUT"), "/{index:indices}/_bulk", bulk, ingest),
        EsRoute(("POST",), "/{index:indices}/_doc", put, ingest),
        EsRoute(("POST", "PUT"), "/{index:indices}/_doc/{id:path}", put, ingest),
        EsRoute(("DELETE",), "/{index:indices}/_doc/{id:path}", delete, ingest),
        EsRoute(("POST", "PUT"), "/{index:indices}/_create/{id:path}", create, ingest),
        EsRoute(("POST",), "/{index:indices}/_update/{id:path}", update, ingest),
    ]


def _whole(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    if not text:
        return -1
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise illegal_argument(f"Failed to parse int parameter [{name}] with value [{text[:40]}]")
    return int(text)

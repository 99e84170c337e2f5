"""Data streams, and the next index of one or of an alias."""

import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, index_not_found
from eldonia_ops.protocols.elasticsearch.fields import of_indices
from eldonia_ops.protocols.elasticsearch.index_names import expanded, options_of
from eldonia_ops.protocols.elasticsearch.lifecycles import duration_ms
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.compat.elasticsearch.answers import answered, flag, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute, author_of, refused_alias

_NUMBERED: Final = re.compile(r"(.*)-([0-9]{1,9})")


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_data_stream`` and ``_rollover``."""

    async def create(request: Request) -> Response:
        await host.catalog.create_stream(request.path_params["name"], author_of(request))
        return answered({"acknowledged": True})

    def some(catalog: Catalog, request: Request) -> list[str]:
        names = request.path_params.get("name", "*")
        every = sorted(catalog.all(EntryKind.DATA_STREAM))
        return expanded(names, every, host.now(), options_of(request.query_params))

    async def get(request: Request) -> Response:
        catalog = await host.catalog.current()
        return answered({"data_streams": [_shown(catalog, name) for name in some(catalog, request)]})

    async def stats(request: Request) -> Response:
        catalog = await host.catalog.current()
        found = some(catalog, request)
        indices = [index for name in found for index in catalog.indices_of(name)]
        return answered(
            {
                "_shards": {"total": len(indices), "successful": len(indices), "failed": 0},
                "data_stream_count": len(found),
                "backing_indices": len(indices),
                "data_streams": [
                    {"data_stream": name, "backing_indices": len(catalog.indices_of(name))} for name in found
                ],
            }
        )

    async def delete(request: Request) -> Response:
        catalog = await host.catalog.current()
        for name in some(catalog, request):
            indices = catalog.indices_of(name)
            await host.documents.delete_where(of_indices(indices, ""))
            dropped = [(EntryKind.DATA_STREAM, name), *((EntryKind.INDEX, index) for index in indices)]
            await host.catalog.change([], dropped)
        note_change(request, kind="index", subject=request.path_params["name"], action="deleted")
        return answered({"acknowledged": True})

    async def put_lifecycle(request: Request) -> Response:
        body = await object_body(request, host.limits)
        catalog = await host.catalog.current()
        retention = str(body.get("data_retention") or "")
        if retention:
            duration_ms(retention)
        for name in some(catalog, request):
            changed = {**catalog.all(EntryKind.DATA_STREAM)[name].body, "data_retention": retention}
            await host.catalog.put(EntryKind.DATA_STREAM, name, changed)
        note_change(
            request,
            kind="index",
            subject=request.path_params["name"],
            action="changed",
            after={"data_retention": retention},
        )
        return answered({"acknowledged": True})

    async def roll_over(request: Request) -> Response:
        name = request.path_params["name"]
        body = await object_body(request, host.limits)
        if body.get("conditions"):
            raise illegal_argument("conditions of a rollover are not supported here: roll over without them")
        catalog = await host.catalog.current()
        dry, author = flag(request, "dry_run"), author_of(request)
        if catalog.get(EntryKind.DATA_STREAM, name) is not None:
            if dry:
                old = new = catalog.indices_of(name)[-1]
            else:
                old, new = await host.catalog.roll_over(name, author)
        elif (alias := catalog.get(EntryKind.ALIAS, name)) is not None:
            old = catalog.write_index(name, "index")
            new = request.path_params.get("index") or _next(old)
            if not dry:
                if author and catalog.owner(EntryKind.ALIAS, name) != author:
                    raise refused_alias(name)
                await host.catalog.create_index(new, author=author)
                members: dict[str, Any] = dict(alias.body.get("indices", {}))
                explicit = (members.get(old) or {}).get("is_write_index") in (True, "true")
                if explicit:
                    members[old] = {**members[old], "is_write_index": False}
                    members[new] = {**members[old], "is_write_index": True}
                else:
                    members = {new: members.pop(old, {}) or {}, **members}
                await host.catalog.put(EntryKind.ALIAS, name, {"indices": members}, author)
        elif name in catalog.indices:
            raise illegal_argument("rollover target is a [concrete index] but one of [alias,data_stream] was expected")
        else:
            raise index_not_found(name)
        return answered(
            {
                "acknowledged": not dry,
                "shards_acknowledged": not dry,
                "old_index": old,
                "new_index": new,
                "rolled_over": not dry,
                "dry_run": dry,
                "conditions": {},
            }
        )

    ingest, administer = Permission.INGEST, Permission.ADMINISTER
    return [
        EsRoute(("GET",), "/_data_stream", get),
        EsRoute(("GET",), "/_data_stream/_stats", stats),
        EsRoute(("GET",), "/_data_stream/{name}", get),
        EsRoute(("GET",), "/_data_stream/{name}/_stats", stats),
        EsRoute(("PUT",), "/_data_stream/{name}", create, ingest),
        EsRoute(("DELETE",), "/_data_stream/{name}", delete, administer),
        EsRoute(("PUT",), "/_data_stream/{name}/_lifecycle", put_lifecycle, administer),
        EsRoute(("POST",), "/{name:indices}/_rollover", roll_over, ingest),
        EsRoute(("POST",), "/{name:indices}/_rollover/{index}", roll_over, ingest),
    ]


def _shown(catalog: Catalog, name: str) -> dict[str, Any]:
    stream = catalog.all(EntryKind.DATA_STREAM)[name]
    indices = catalog.indices_of(name)
    policy, kept = catalog.policy_of(indices[-1]), stream.body.get("data_retention")
    by = "Index Lifecycle Management" if policy else "Data stream lifecycle" if kept else "Unmanaged"
    managed = {"managed_by": by, "prefer_ilm": True}
    return {
        "name": name,
        "timestamp_field": {"name": "@timestamp"},
        "indices": [{"index_name": index, "index_uuid": index, **managed} for index in indices],
        "next_generation_managed_by": by,
        "prefer_ilm": True,
        "rollover_on_write": False,
        "settings": {},
        "generation": stream.body.get("generation", 1),
        "status": "GREEN",
        "template": stream.body.get("template", ""),
        **({"ilm_policy": policy} if policy else {}),
        **({"lifecycle": {"data_retention": kept}} if kept else {}),
        "hidden": False,
        "system": False,
        "allow_custom_routing": False,
        "replicated": False,
    }


def _next(name: str) -> str:
    match = _NUMBERED.fullmatch(name)
    if match is None:
        reason = f"index name [{name}] does not match pattern '^.*-\\d+$': name the new index in the request"
        raise ElasticsearchError(400, "illegal_argument_exception", reason)
    return f"{match[1]}-{int(match[2]) + 1:0{max(6, len(match[2]))}d}"

"""Indices: made, asked for, deleted; their mappings and settings."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.ports import LogQuery
from eldonia_ops.protocols.elasticsearch.alias_options import checked_aliases
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.date_names import resolved_name
from eldonia_ops.protocols.elasticsearch.documents import source_of
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, unsupported
from eldonia_ops.protocols.elasticsearch.fields import of_indices
from eldonia_ops.protocols.elasticsearch.index_names import Options, expanded, options_of, pattern_of
from eldonia_ops.protocols.elasticsearch.mappings import field_caps, mapping_of, observed, stated_fields
from eldonia_ops.protocols.elasticsearch.templates import flat_settings, merged, nested_settings
from eldonia_ops.services.logs.deletion import LATEST_NS
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import no_change, note_change
from eldonia_ops.web.compat.elasticsearch.answers import HEADERS, answered, object_body
from eldonia_ops.web.compat.elasticsearch.host import (
    VERSION,
    ElasticsearchHost,
    EsRoute,
    author_of,
    check_bindings,
    check_deletion,
    may,
)

SAMPLED: Final = 200
"""The newest documents of an index, by which its fields are known."""

MAX_PATTERNS: Final = 200
"""Of names of fields in one request: each is compared with each field of each index."""

_ALL: Final = Options(hidden=True)


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """An index by its name, ``_mapping``, ``_settings``, ``_field_caps``, ``_resolve``, ``_refresh`` and the like."""

    async def create(request: Request) -> Response:
        name = resolved_name(request.path_params["index"], host.now())
        body = await object_body(request, host.limits)
        if unknown := set(body) - {"settings", "mappings", "aliases"}:
            raise ElasticsearchError(
                400, "parse_exception", f"unknown key [{sorted(unknown)[0][:100]}] for create index"
            )
        if any(not isinstance(body.get(part, {}), dict) for part in ("settings", "mappings", "aliases")):
            raise illegal_argument("[settings], [mappings] and [aliases] are objects")
        if any(not isinstance(stated, dict | None) for stated in body.get("aliases", {}).values()):
            raise illegal_argument("each of [aliases] is an object")
        body = {**body, "aliases": checked_aliases(body.get("aliases"))}
        settings = flat_settings(body.get("settings") or {})
        catalog = await host.catalog.current()
        check_deletion(request, catalog, settings)
        usual = flat_settings(catalog.made(name).settings)
        check_bindings(request, usual, {**usual, **settings})
        await host.catalog.create_index(name, {**body, "settings": settings}, author_of(request))
        return answered({"acknowledged": True, "shards_acknowledged": True, "index": name})

    async def get(request: Request) -> Response:
        catalog = await host.catalog.current()
        if request.method == "HEAD":
            try:
                found = host.named(catalog, request, request.path_params["index"], Options(allow_no_indices=False))
            except ElasticsearchError as error:
                return Response(status_code=error.status, headers=dict(HEADERS))
            return Response(status_code=200 if found else 404, headers=dict(HEADERS))
        return answered(
            {
                name: {
                    "aliases": catalog.aliases_of(name),
                    "mappings": await mapping(catalog, name, declared=not may(request, Permission.READ)),
                    "settings": _settings(catalog, name),
                    **({"data_stream": stream} if (stream := catalog.stream_of(name)) else {}),
                }
                for name in host.named(catalog, request, request.path_params["index"])
            }
        )

    async def delete(request: Request) -> Response:
        catalog = await host.catalog.current()
        expression = request.path_params["index"]
        names = [*catalog.indices, *catalog.all(EntryKind.ALIAS)]
        wanted = expanded(expression, names, host.now(), options_of(request.query_params))
        if "*" in expression or expression == "_all":
            wanted = [name for name in wanted if name in catalog.all(EntryKind.INDEX)]
        for name in wanted:
            if name not in catalog.indices:
                reason = (
                    f"The provided expression [{name}] matches an alias, specify the corresponding concrete indices"
                )
                raise illegal_argument(f"{reason} instead.")
            if stream := catalog.stream_of(name):
                raise illegal_argument(f"index [{name}] is of the data stream [{stream}]: delete that")
            if name == host.others and name not in catalog.all(EntryKind.INDEX):
                raise illegal_argument(
                    f"[{name}] holds the records that came by other ways: it cannot be deleted as a whole"
                )
        for name in wanted:
            # Records that came by other ways are in no index of their own, and stay.
            await host.documents.delete_where(of_indices([name], ""))
            changed = [
                (EntryKind.ALIAS, alias, {"indices": {key: value for key, value in members.items() if key != name}})
                for alias, one in catalog.all(EntryKind.ALIAS).items()
                if name in (members := one.body.get("indices", {}))
            ]
            gone = [(EntryKind.INDEX, name), *((kind, alias) for kind, alias, body in changed if not body["indices"])]
            await host.catalog.change([one for one in changed if one[2]["indices"]], gone)
            catalog = await host.catalog.current()
        note_change(request, kind="index", subject=expression, action="deleted", after={"indices": wanted})
        return answered({"acknowledged": True})

    async def sources(names: Sequence[str], limit: int = SAMPLED) -> list[dict[str, Any]]:
        search = of_indices(names, host.others)
        page = await host.platform.telemetry.logs.search_logs(LogQuery(0, LATEST_NS, search=search, limit=limit))
        return [source_of(record) for record in page.records]

    async def mapping(catalog: Catalog, name: str, *, declared: bool = False) -> dict[str, Any]:
        """``declared``: without the fields of documents, for those who may not read."""
        body = catalog.indices[name].body
        if declared:
            return mapping_of(body.get("mappings") or {}, {})
        # Of records that came by other ways nothing was noted.
        known = body.get("observed") or observed(await sources([name]))
        return mapping_of(body.get("mappings") or {}, known)

    async def get_mapping(request: Request) -> Response:
        catalog = await host.catalog.current()
        names = host.named(catalog, request, request.path_params.get("index", "*"))
        return answered({name: {"mappings": await mapping(catalog, name)} for name in names})

    async def get_field_mapping(request: Request) -> Response:
        catalog = await host.catalog.current()
        patterns = _patterns(request.path_params["fields"].split(","))
        found: dict[str, Any] = {}
        for name in host.named(catalog, request, request.path_params.get("index", "*")):
            properties = (await mapping(catalog, name)).get("properties") or {}
            found[name] = {
                "mappings": {
                    field: {"full_name": field, "mapping": {field.rpartition(".")[2]: stated}}
                    for field, stated in stated_fields(properties)
                    if any(fits(field) for fits in patterns)
                }
            }
        return answered(found)

    async def put_mapping(request: Request) -> Response:
        body = await object_body(request, host.limits)
        catalog = await host.catalog.current()
        for name in host.named(catalog, request, request.path_params["index"], Options(allow_no_indices=False)):
            old = dict(catalog.indices[name].body)
            changed = {**old, "mappings": merged(old.get("mappings") or {}, body)}
            await host.catalog.put(EntryKind.INDEX, name, changed, author_of(request))
        return answered({"acknowledged": True})

    async def get_settings(request: Request) -> Response:
        catalog = await host.catalog.current()
        names = host.named(catalog, request, request.path_params.get("index", "*"))
        return answered({name: {"settings": _settings(catalog, name)} for name in names})

    async def put_settings(request: Request) -> Response:
        body = flat_settings(await object_body(request, host.limits))
        catalog = await host.catalog.current()
        check_deletion(request, catalog, body)
        for name in host.named(catalog, request, request.path_params["index"], Options(allow_no_indices=False)):
            old = dict(catalog.indices[name].body)
            settings = {key: value for key, value in {**old.get("settings", {}), **body}.items() if value is not None}
            check_bindings(request, old.get("settings", {}), settings)
            await host.catalog.put(EntryKind.INDEX, name, {**old, "settings": settings}, author_of(request))
        return answered({"acknowledged": True})

    async def caps(request: Request) -> Response:
        body = await object_body(request, host.limits)
        stated = request.query_params.get("fields") or body.get("fields") or "*"
        patterns = _patterns(stated if isinstance(stated, list) else str(stated).split(","))
        catalog = await host.catalog.current()
        names = host.named(catalog, request, request.path_params.get("index", "*"))
        mappings = {name: await mapping(catalog, name) for name in names[:100]}
        fields = await host.heavy.run(lambda: field_caps(mappings, patterns))
        return answered({"indices": list(names), "fields": fields})

    async def resolve(request: Request) -> Response:
        catalog = await host.catalog.current()
        options = options_of(request.query_params)
        found = expanded(request.path_params["name"], catalog.names(), host.now(), options)
        indices, streams = catalog.indices, catalog.all(EntryKind.DATA_STREAM)
        return answered(
            {
                "indices": [
                    {
                        "name": name,
                        **({"aliases": list(own)} if (own := catalog.aliases_of(name)) else {}),
                        "attributes": ["open"],
                        **({"data_stream": stream} if (stream := catalog.stream_of(name)) else {}),
                    }
                    for name in found
                    if name in indices
                ],
                "aliases": [
                    {"name": name, "indices": catalog.indices_of(name)}
                    for name in found
                    if name in catalog.all(EntryKind.ALIAS)
                ],
                "data_streams": [
                    {"name": name, "backing_indices": catalog.indices_of(name), "timestamp_field": "@timestamp"}
                    for name in found
                    if name in streams
                ],
            }
        )

    async def done(request: Request) -> Response:
        """Everything that is acknowledged is durable and is found by the next search: there is nothing to do."""
        no_change(request)
        count = len(await host.concrete(request, request.path_params.get("index", "*"), _ALL))
        return answered({"_shards": {"total": count, "successful": count, "failed": 0}})

    async def refused(request: Request) -> Response:
        what = request.url.path.rpartition("/")[2]
        raise unsupported(f"[{what}]", "indices here are names in one store: they are not closed, cloned or shrunk")

    ingest, read, administer = Permission.INGEST, Permission.READ, Permission.ADMINISTER
    found = [
        EsRoute(("PUT",), "/{index:indices}", create, ingest),
        EsRoute(("GET",), "/{index:indices}", get),
        EsRoute(("DELETE",), "/{index:indices}", delete, administer),
        EsRoute(("GET", "POST"), "/_field_caps", caps, read),
        EsRoute(("GET", "POST"), "/{index:indices}/_field_caps", caps, read),
        EsRoute(("GET",), "/_resolve/index/{name:indices}", resolve, read),
        EsRoute(("GET",), "/_settings", get_settings),
        EsRoute(("GET",), "/{index:indices}/_settings", get_settings),
        EsRoute(("GET",), "/{index:indices}/_settings/{name}", get_settings),
        EsRoute(("PUT",), "/{index:indices}/_settings", put_settings, ingest),
    ]
    for word in ("_mapping", "_mappings"):
        found += [
            EsRoute(("GET",), f"/{word}", get_mapping, read),
            EsRoute(("GET",), f"/{{index:indices}}/{word}", get_mapping, read),
            EsRoute(("GET",), f"/{{index:indices}}/{word}/field/{{fields}}", get_field_mapping, read),
            EsRoute(("PUT", "POST"), f"/{{index:indices}}/{word}", put_mapping, ingest),
        ]
    for word in ("_refresh", "_flush", "_forcemerge", "_cache/clear"):
        # Any token: a sender refreshes what it wrote, a reader before it looks.
        found += [
            EsRoute(("GET", "POST"), f"/{word}", done),
            EsRoute(("GET", "POST"), f"/{{index:indices}}/{word}", done),
        ]
    found += [
        EsRoute(("POST", "PUT"), f"/{{index:indices}}/{word}", refused, administer)
        for word in (
            "_close",
            "_open",
            "_freeze",
            "_unfreeze",
            "_shrink/{target}",
            "_split/{target}",
            "_clone/{target}",
        )
    ]
    return found


def _settings(catalog: Catalog, name: str) -> dict[str, Any]:
    one = catalog.indices[name]
    flat: dict[str, Any] = {
        "index.number_of_shards": "1",
        "index.number_of_replicas": "0",
        "index.provided_name": name,
        "index.uuid": name,
        "index.version.created": VERSION,
        "index.creation_date": str(one.created_at),
        **flat_settings(one.body.get("settings") or {}),
    }
    return nested_settings(flat)


def _patterns(stated: Iterable[Any]) -> list[Callable[[str], bool]]:
    """Raises ElasticsearchError: there are too many."""
    names = list(dict.fromkeys(map(str, stated)))
    if len(names) > MAX_PATTERNS:
        raise illegal_argument(f"more than {MAX_PATTERNS} names and patterns of fields: use wildcards")
    return [pattern_of(one) for one in names]

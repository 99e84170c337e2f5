"""Aliases: names that mean one or more indices."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.protocols.elasticsearch.alias_options import alias_options, check_one_writer
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, unsupported
from eldonia_ops.protocols.elasticsearch.index_names import Options, check_index_name, fits_any
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import HEADERS, answered, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute, author_of

_NAMES: Final = ("index", "indices", "alias", "aliases", "must_exist")
_THERE: Final = Options(allow_no_indices=False)


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_aliases`` and ``_alias``."""

    async def update(request: Request) -> Response:
        body = await object_body(request, host.limits)
        actions = body.get("actions")
        if not isinstance(actions, list) or not actions:
            raise illegal_argument("No action specified")
        catalog = await host.catalog.current()
        changed: dict[str, dict[str, Any]] = {}
        for action in actions:
            if not isinstance(action, dict) or len(action) != 1:
                raise illegal_argument("each of [actions] is an object with one name: add, remove")
            name, stated = next(iter(action.items()))
            if name == "remove_index":
                raise unsupported("[remove_index]", "delete the index with DELETE /{index}")
            if name not in ("add", "remove") or not isinstance(stated, dict):
                raise illegal_argument(f"[{str(name)[:40]}] is no action on aliases: add, remove")
            _change(catalog, request, changed, name, stated)
        await store(request, changed)
        return answered({"acknowledged": True, "errors": False})

    def _change(
        catalog: Catalog, request: Request, changed: dict[str, dict[str, Any]], name: str, stated: Mapping[str, Any]
    ) -> None:
        indices = [
            index for one in _listed(stated, "index", "indices") for index in _targets(host, catalog, request, one)
        ]
        aliases = _listed(stated, "alias", "aliases")
        if not indices or not aliases:
            raise illegal_argument("One of [index] or [indices], and one of [alias] or [aliases], is required")
        for alias in aliases:
            if name == "add":
                check_index_name(alias)
                if alias in catalog.indices or alias in catalog.all(EntryKind.DATA_STREAM):
                    reason = f"an index or data stream exists with the same name as the alias [{alias}]"
                    raise ElasticsearchError(400, "invalid_alias_name_exception", f"Invalid alias name: {reason}")
                kept = alias_options(alias, {key: one for key, one in stated.items() if key not in _NAMES})
                changed.setdefault(alias, _members(catalog, alias)).update(dict.fromkeys(indices, kept))
                continue
            fitting = [one for one in (*catalog.all(EntryKind.ALIAS), *changed) if fits_any(one, [alias])]
            if not fitting and stated.get("must_exist", True) is not False:
                raise ElasticsearchError(404, "aliases_not_found_exception", f"aliases [{alias}] missing")
            for one in dict.fromkeys(fitting):
                members = changed.setdefault(one, _members(catalog, one))
                for index in indices:
                    members.pop(index, None)

    async def store(request: Request, changed: Mapping[str, dict[str, Any]]) -> None:
        for alias, members in changed.items():
            check_one_writer(alias, members)
        stored = [(EntryKind.ALIAS, alias, {"indices": members}) for alias, members in changed.items() if members]
        dropped = [(EntryKind.ALIAS, alias) for alias, members in changed.items() if not members]
        await host.catalog.change(stored, dropped, author=author_of(request))

    async def put(request: Request) -> Response:
        body = await object_body(request, host.limits)
        catalog = await host.catalog.current()
        changed: dict[str, dict[str, Any]] = {}
        stated = {**body, "index": request.path_params["index"], "alias": request.path_params["name"]}
        _change(catalog, request, changed, "add", stated)
        await store(request, changed)
        return answered({"acknowledged": True})

    async def delete(request: Request) -> Response:
        catalog = await host.catalog.current()
        changed: dict[str, dict[str, Any]] = {}
        stated = {
            "indices": request.path_params["index"].split(","),
            "aliases": request.path_params["name"].split(","),
        }
        _change(catalog, request, changed, "remove", stated)
        await store(request, changed)
        return answered({"acknowledged": True})

    async def get(request: Request) -> Response:
        catalog = await host.catalog.current()
        names = request.path_params.get("name", "")
        indices = host.named(catalog, request, request.path_params.get("index", "*"), Options(hidden=True))
        patterns = [one for one in names.split(",") if one]
        found: dict[str, Any] = {}
        for index in indices:
            own = catalog.aliases_of(index)
            fitting = {
                name: stated
                for name, stated in own.items()
                if not patterns or names == "_all" or fits_any(name, patterns)
            }
            if fitting or not patterns:
                found[index] = {"aliases": fitting}
        absent = bool(patterns) and "*" not in names and not found
        if request.method == "HEAD":
            return Response(status_code=404 if absent else 200, headers=dict(HEADERS))
        if absent:
            return answered({"error": f"alias [{names}] missing", "status": 404}, 404)
        return answered(found)

    ingest = Permission.INGEST
    found = [
        EsRoute(("POST",), "/_aliases", update, ingest),
        EsRoute(("GET",), "/_alias", get),
        EsRoute(("GET",), "/_aliases", get),
        EsRoute(("GET",), "/_alias/{name}", get),
        EsRoute(("GET",), "/{index:indices}/_alias", get),
        EsRoute(("GET",), "/{index:indices}/_alias/{name}", get),
    ]
    for word in ("_alias", "_aliases"):
        path = f"/{{index:indices}}/{word}/{{name}}"
        found += [EsRoute(("PUT", "POST"), path, put, ingest), EsRoute(("DELETE",), path, delete, ingest)]
    return found


def _targets(host: ElasticsearchHost, catalog: Catalog, request: Request, name: str) -> list[str]:
    """The indices of a name; a data stream stays one, so that the alias means its later indices as well."""
    if catalog.get(EntryKind.DATA_STREAM, name) is not None:
        return [name]
    return list(host.named(catalog, request, name, _THERE))


def _members(catalog: Catalog, alias: str) -> dict[str, Any]:
    one = catalog.get(EntryKind.ALIAS, alias)
    return dict(one.body.get("indices", {})) if one is not None else {}


def _listed(stated: Mapping[str, Any], *names: str) -> list[str]:
    found: list[str] = []
    for name in names:
        value = stated.get(name)
        found += [value] if isinstance(value, str) else map(str, value) if isinstance(value, list) else []
    return found

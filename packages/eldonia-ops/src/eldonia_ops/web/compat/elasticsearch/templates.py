"""Templates of indices: composable ones, their components, and the older kind."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.protocols.elasticsearch.alias_options import checked_aliases
from eldonia_ops.protocols.elasticsearch.bound_pipelines import template_settings
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, illegal_argument, missing
from eldonia_ops.protocols.elasticsearch.index_names import fits_any
from eldonia_ops.protocols.elasticsearch.templates import (
    BUILT_IN,
    check_template,
    flat_settings,
    nested_settings,
    patterns_of,
)
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import HEADERS, answered, flag, object_body
from eldonia_ops.web.compat.elasticsearch.host import (
    ElasticsearchHost,
    EsRoute,
    author_of,
    check_bindings,
    check_deletion,
    may,
    refused_alias,
    refused_deletion,
)

_ADDRESSES = (
    ("/_index_template", EntryKind.INDEX_TEMPLATE, "index_template"),
    ("/_component_template", EntryKind.COMPONENT_TEMPLATE, "component_template"),
    ("/_template", EntryKind.LEGACY_TEMPLATE, "template"),
)


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_index_template``, ``_component_template``, ``_template``, and what a template would make."""
    found: list[EsRoute] = []
    for address, kind, word in _ADDRESSES:
        found += _routes(host, address, kind, word)

    async def simulate(request: Request) -> Response:
        catalog = await host.catalog.current()
        made = catalog.made(request.path_params["name"])
        template = {
            "settings": nested_settings(flat_settings(made.settings)),
            "mappings": made.mappings,
            "aliases": made.aliases,
        }
        return answered({"template": template, "overlapping": []})

    found.append(EsRoute(("POST",), "/_index_template/_simulate_index/{name}", simulate, Permission.READ))
    return found


def _routes(host: ElasticsearchHost, address: str, kind: EntryKind, word: str) -> list[EsRoute]:
    async def put(request: Request) -> Response:
        name = request.path_params["name"]
        body = await object_body(request, host.limits)
        check_template(
            name, body, legacy=kind is EntryKind.LEGACY_TEMPLATE, component=kind is EntryKind.COMPONENT_TEMPLATE
        )
        catalog = await host.catalog.current()
        if flag(request, "create") and catalog.get(kind, name) is not None:
            raise illegal_argument(f"{word.replace('_', ' ')} [{name}] already exists")
        _check_parts(catalog, name, body, kind)
        template = body if kind is EntryKind.LEGACY_TEMPLATE else body.get("template") or {}
        checked_aliases(template.get("aliases"))
        check_deletion(request, catalog, flat_settings(template.get("settings") or {}))
        known = catalog.get(kind, name)
        before = template_settings(kind, known.body) if known is not None else {}
        check_bindings(request, before, template_settings(kind, body))
        lifecycle = template.get("lifecycle")
        if isinstance(lifecycle, dict) and lifecycle.get("data_retention") and not may(request, Permission.ADMINISTER):
            raise refused_deletion(f"[data_retention] of the template [{name}]")
        _check_aliases(catalog, template.get("aliases") or {}, author_of(request))
        await host.catalog.put(kind, name, body, author_of(request))
        return answered({"acknowledged": True})

    async def get(request: Request) -> Response:
        names = request.path_params.get("name", "")
        some = _found(await host.catalog.current(), kind, names)
        if not some and names and "*" not in names:
            if request.method == "HEAD":
                return Response(status_code=404, headers=dict(HEADERS))
            if kind is EntryKind.LEGACY_TEMPLATE:
                return answered({}, 404)
            raise missing(f"{word.replace('_', ' ')} matching [{names}] not found")
        if request.method == "HEAD":
            return Response(status_code=200 if some else 404, headers=dict(HEADERS))
        if kind is EntryKind.LEGACY_TEMPLATE:
            return answered({name: _legacy(body) for name, body in some.items()})
        return answered({f"{word}s": [{"name": name, word: _shown(body)} for name, body in some.items()]})

    async def delete(request: Request) -> Response:
        names = request.path_params["name"]
        catalog = await host.catalog.current()
        some = [name for name in _found(catalog, kind, names) if name != "logs"]
        for name in some:
            known = catalog.get(kind, name)
            check_bindings(request, template_settings(kind, known.body) if known is not None else {}, {})
        if not some and "*" not in names:
            if kind is EntryKind.INDEX_TEMPLATE and names == "logs":
                some = ["logs"]
            if not await host.catalog.drop(kind, names):
                reason = f"{word.replace('_', ' ')} [{names}] missing"
                raise ElasticsearchError(404, f"{word}_missing_exception", reason)
        for name in some:
            await host.catalog.drop(kind, name)
        return answered({"acknowledged": True})

    return [
        EsRoute(("GET",), address, get),
        EsRoute(("GET",), f"{address}/{{name}}", get),
        EsRoute(("PUT", "POST"), f"{address}/{{name}}", put, Permission.INGEST),
        EsRoute(("DELETE",), f"{address}/{{name}}", delete, Permission.ADMINISTER),
    ]


def _check_aliases(catalog: Catalog, aliases: Mapping[str, Any], author: str) -> None:
    """Refuse that indices of a template become part of an alias that someone else made."""
    for alias in aliases:
        if author and catalog.get(EntryKind.ALIAS, alias) and catalog.owner(EntryKind.ALIAS, alias) != author:
            raise refused_alias(alias)


def _found(catalog: Catalog, kind: EntryKind, names: str) -> dict[str, Mapping[str, Any]]:
    every: dict[str, Mapping[str, Any]] = {"logs": BUILT_IN} if kind is EntryKind.INDEX_TEMPLATE else {}
    every |= {name: one.body for name, one in catalog.all(kind).items()}
    patterns = [one for one in names.split(",") if one]
    return {name: every[name] for name in sorted(every) if not patterns or fits_any(name, patterns)}


def _check_parts(catalog: Catalog, name: str, body: Mapping[str, Any], kind: EntryKind) -> None:
    if kind is not EntryKind.INDEX_TEMPLATE:
        return
    ignored = set(body.get("ignore_missing_component_templates") or ())
    components = catalog.all(EntryKind.COMPONENT_TEMPLATE)
    absent = [one for one in body.get("composed_of") or () if one not in components and one not in ignored]
    if absent:
        reason = f"index_template [{name}] invalid, cause [index template [{name}] specifies component templates"
        raise ElasticsearchError(400, "invalid_index_template_exception", f"{reason} {absent} that do not exist]")


def _shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """As it is answered: of a template of indices the lists are always there."""
    if "index_patterns" not in body:
        return dict(body)
    return {**body, "index_patterns": patterns_of(body), "composed_of": body.get("composed_of") or []}


def _legacy(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "order": body.get("order", 0),
        **({"version": body["version"]} if "version" in body else {}),
        "index_patterns": patterns_of(body),
        "settings": nested_settings(flat_settings(body.get("settings") or {})),
        "mappings": body.get("mappings") or {},
        "aliases": body.get("aliases") or {},
    }

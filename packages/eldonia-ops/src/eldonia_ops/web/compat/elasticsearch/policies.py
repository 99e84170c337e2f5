"""Lifecycles of indices: ILM, and OpenSearch's ISM."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.protocols.elasticsearch.catalog import Declared
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, missing
from eldonia_ops.protocols.elasticsearch.index_names import fits_any
from eldonia_ops.protocols.elasticsearch.lifecycles import check_lifecycle, check_state_policy, deletion_age_ms
from eldonia_ops.web.access import Permission
from eldonia_ops.web.audit.trail import note_change
from eldonia_ops.web.compat.elasticsearch.answers import answered, object_body
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute, author_of, check_deletion, may

_DAY_MS = 86_400_000


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_ilm`` and ``_plugins/_ism``."""

    async def put_policy(request: Request) -> Response:
        name = request.path_params["name"]
        body = await object_body(request, host.limits)
        check_lifecycle(name, body)
        if deletion_age_ms(body) is not None and not may(request, Permission.ADMINISTER):
            reason = (
                f"the policy [{name}] deletes documents, which takes a token of the role admin: put it with one, or "
                "leave its phase [delete] out (Filebeat: setup.ilm.enabled: false)"
            )
            raise ElasticsearchError(403, "security_exception", reason)
        check_deletion(request, await host.catalog.current(), {"index.lifecycle.name": name})
        await host.catalog.put(EntryKind.LIFECYCLE, name, body, author_of(request))
        return answered({"acknowledged": True})

    async def get_policy(request: Request) -> Response:
        found = await some(request, EntryKind.LIFECYCLE)
        if not found and (name := request.path_params.get("name")) and "*" not in name:
            raise missing(f"Lifecycle policy not found: {name}")
        return answered(
            {
                name: {
                    "version": one.version,
                    "modified_date": _date(one.changed_at),
                    "policy": one.body.get("policy", {}),
                    "in_use_by": {"indices": [], "data_streams": [], "composable_templates": []},
                }
                for name, one in found.items()
            }
        )

    async def delete_policy(request: Request) -> Response:
        name = request.path_params["name"]
        if not await host.catalog.drop(EntryKind.LIFECYCLE, name):
            raise missing(f"Lifecycle policy not found: {name}")
        note_change(request, kind="index", subject=name, action="deleted")
        return answered({"acknowledged": True})

    async def explain(request: Request) -> Response:
        catalog = await host.catalog.current()
        indices: dict[str, Any] = {}
        for name in await host.concrete(request, request.path_params["index"]):
            policy, kept = catalog.policy_of(name), catalog.kept_ms(name)
            created = catalog.indices[name].created_at
            indices[name] = {"index": name, "managed": bool(policy)}
            if policy:
                indices[name] |= {
                    "policy": policy,
                    "index_creation_date_millis": created,
                    "lifecycle_date_millis": created,
                    "phase": "hot",
                    "action": "complete",
                    "step": "complete",
                    "phase_execution": {"policy": policy, "version": 1},
                    "step_info": {"message": _deletes(kept)},
                }
        return answered({"indices": indices})

    async def status(_request: Request) -> Response:
        return answered({"operation_mode": "RUNNING"})

    async def put_states(request: Request) -> Response:
        name = request.path_params["name"]
        body = await object_body(request, host.limits)
        check_state_policy(name, body)
        await host.catalog.put(EntryKind.STATE_POLICY, name, body)
        note_change(request, kind="index", subject=name, action="changed", after=body)
        return answered(_state_policy(name, (await host.catalog.current()).all(EntryKind.STATE_POLICY)[name]), 201)

    async def get_states(request: Request) -> Response:
        found = await some(request, EntryKind.STATE_POLICY)
        if name := request.path_params.get("name"):
            if name not in found:
                raise ElasticsearchError(404, "status_exception", "Policy not found")
            return answered(_state_policy(name, found[name]))
        shown = [_state_policy(name, one) for name, one in found.items()]
        return answered({"policies": shown, "total_policies": len(shown)})

    async def delete_states(request: Request) -> Response:
        name = request.path_params["name"]
        if not await host.catalog.drop(EntryKind.STATE_POLICY, name):
            raise ElasticsearchError(404, "status_exception", "Policy not found")
        note_change(request, kind="index", subject=name, action="deleted")
        return answered({"_id": name, "result": "deleted", "_version": 2})

    async def explain_states(request: Request) -> Response:
        catalog = await host.catalog.current()
        found: dict[str, Any] = {}
        for name in await host.concrete(request, request.path_params["index"]):
            policy = catalog.policy_of(name) or None
            found[name] = {"index.plugins.index_state_management.policy_id": policy, "index": name}
            if policy:
                found[name] |= {"policy_id": policy, "info": {"message": _deletes(catalog.kept_ms(name))}}
        return answered({**found, "total_managed_indices": sum("policy_id" in one for one in found.values())})

    async def some(request: Request, kind: EntryKind) -> Mapping[str, Declared]:
        patterns = [one for one in request.path_params.get("name", "").split(",") if one]
        every = (await host.catalog.current()).all(kind)
        return {name: every[name] for name in sorted(every) if not patterns or fits_any(name, patterns)}

    ingest, administer = Permission.INGEST, Permission.ADMINISTER
    found = [
        EsRoute(("GET",), "/_ilm/policy", get_policy),
        EsRoute(("GET",), "/_ilm/status", status),
        EsRoute(("GET",), "/_ilm/policy/{name}", get_policy),
        EsRoute(("PUT",), "/_ilm/policy/{name}", put_policy, ingest),
        EsRoute(("DELETE",), "/_ilm/policy/{name}", delete_policy, administer),
        EsRoute(("GET",), "/{index:indices}/_ilm/explain", explain),
    ]
    for prefix in ("/_plugins/_ism", "/_opendistro/_ism"):
        found += [
            EsRoute(("GET",), f"{prefix}/policies", get_states),
            EsRoute(("GET",), f"{prefix}/policies/{{name}}", get_states),
            EsRoute(("PUT",), f"{prefix}/policies/{{name}}", put_states, administer),
            EsRoute(("DELETE",), f"{prefix}/policies/{{name}}", delete_states, administer),
            EsRoute(("GET", "POST"), f"{prefix}/explain/{{index:indices}}", explain_states, Permission.READ),
        ]
    return found


def _state_policy(name: str, one: Declared) -> dict[str, Any]:
    return {"_id": name, "_version": one.version, "_seq_no": one.version, "_primary_term": 1, **one.body}


def _deletes(kept: int | None) -> str:
    if kept is None:
        return "deletes nothing; storage.retention counts"
    return f"each document is deleted once it is {kept / _DAY_MS:g} days old"


def _date(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

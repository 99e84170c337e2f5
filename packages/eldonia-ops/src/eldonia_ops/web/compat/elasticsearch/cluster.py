"""What clients ask before they do anything: which product this is, and how it is."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.protocols.elasticsearch.errors import unsupported
from eldonia_ops.protocols.elasticsearch.ingest import OTHERS, PROCESSORS
from eldonia_ops.protocols.elasticsearch.templates import nested_settings
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import HEADERS, answered
from eldonia_ops.web.compat.elasticsearch.host import VERSION, ElasticsearchHost, EsRoute

NAME: Final = "eldonia-ops"
UUID: Final = "eldonia-ops-0000000000"
NODE: Final = "eldonia-ops-node-00000"

_BUILD_HASH: Final = "0000000000000000000000000000000000000000"
_BUILD_DATE: Final = "2026-01-01T00:00:00.000000000Z"


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``/``, ``_cluster``, ``_nodes``, ``_license``, ``_xpack`` and the like."""

    async def info(request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=dict(HEADERS))
        return answered(
            {
                "name": NAME,
                "cluster_name": NAME,
                "cluster_uuid": UUID,
                "version": {
                    "number": VERSION,
                    "build_flavor": "default",
                    "build_type": "tar",
                    "build_hash": _BUILD_HASH,
                    "build_date": _BUILD_DATE,
                    "build_snapshot": False,
                    "lucene_version": "9.12.0",
                    "minimum_wire_compatibility_version": "7.17.0",
                    "minimum_index_compatibility_version": "7.0.0",
                },
                "tagline": "You Know, for Search",
            }
        )

    async def health(request: Request) -> Response:
        indices = len((await host.catalog.current()).indices)
        if name := request.path_params.get("index"):
            indices = len(await host.concrete(request, name))
        return answered(
            {
                "cluster_name": NAME,
                "status": "green",
                "timed_out": False,
                "number_of_nodes": 1,
                "number_of_data_nodes": 1,
                "active_primary_shards": indices,
                "active_shards": indices,
                "relocating_shards": 0,
                "initializing_shards": 0,
                "unassigned_shards": 0,
                "unassigned_primary_shards": 0,
                "delayed_unassigned_shards": 0,
                "number_of_pending_tasks": 0,
                "number_of_in_flight_fetch": 0,
                "task_max_waiting_in_queue_millis": 0,
                "active_shards_percent_as_number": 100.0,
            }
        )

    async def settings(_request: Request) -> Response:
        return answered({"persistent": {}, "transient": {}, "defaults": {}})

    async def put_settings(_request: Request) -> Response:
        raise unsupported("changing settings of the cluster", "write them into the configuration of Eldonia Ops")

    async def stats(_request: Request) -> Response:
        found = await host.platform.telemetry.logs.statistics()
        logs = found.get("logs", {})
        indices = len((await host.catalog.current()).indices)
        return answered(
            {
                "cluster_name": NAME,
                "cluster_uuid": UUID,
                "status": "green",
                "timestamp": host.now(),
                "indices": {
                    "count": indices,
                    "shards": {"total": indices, "primaries": indices, "replication": 0.0},
                    "docs": {
                        "count": logs.get("rows", 0),
                        "deleted": 0,
                        "total_size_in_bytes": logs.get("bytes", 0),
                    },
                    "store": {"size_in_bytes": logs.get("bytes", 0), "reserved_in_bytes": 0},
                },
                "nodes": {"count": {"total": 1, "data": 1, "ingest": 1, "master": 1}, "versions": [VERSION]},
            }
        )

    async def state(_request: Request) -> Response:
        catalog = await host.catalog.current()
        metadata: dict[str, Any] = {
            name: {
                "state": "open",
                "settings": nested_settings(one.body.get("settings", {})),
                "mappings": {},
                "aliases": list(catalog.aliases_of(name)),
            }
            for name, one in catalog.indices.items()
        }
        return answered(
            {
                "cluster_name": NAME,
                "cluster_uuid": UUID,
                "version": 1,
                "state_uuid": UUID,
                "master_node": NODE,
                "nodes": {NODE: {"name": NAME, "transport_address": "", "roles": ["data", "ingest", "master"]}},
                "metadata": {"cluster_uuid": UUID, "indices": metadata},
            }
        )

    async def nodes(request: Request) -> Response:
        """Each node with the address at which clients that look for nodes may go on: the one that they use."""
        address = request.headers.get("host", "localhost:9200")
        host_name = address.rpartition(":")[0] or address
        node = {
            "name": NAME,
            "version": VERSION,
            "build_flavor": "default",
            "build_type": "tar",
            "build_hash": _BUILD_HASH,
            "component_versions": {},
            "host": host_name,
            "ip": host_name,
            "transport_address": address,
            "roles": ["data", "ingest", "master"],
            "attributes": {},
            "http": {
                "bound_address": [address],
                "publish_address": address,
                "max_content_length_in_bytes": host.limits.ingest,
            },
            "ingest": {"processors": [{"type": name} for name in sorted({*PROCESSORS, *OTHERS})]},
            "plugins": [],
            "modules": [],
        }
        counts = {"total": 1, "successful": 1, "failed": 0}
        return answered({"_nodes": counts, "cluster_name": NAME, "nodes": {NODE: node}})

    async def license(_request: Request) -> Response:
        return answered(
            {
                "license": {
                    "status": "active",
                    "uid": UUID,
                    "type": "basic",
                    "issue_date": "1970-01-01T00:00:00.000Z",
                    "issue_date_in_millis": 0,
                    "max_nodes": 1_000,
                    "issued_to": NAME,
                    "issuer": NAME,
                    "start_date_in_millis": -1,
                }
            }
        )

    async def xpack(_request: Request) -> Response:
        names = {"ilm": True, "data_streams": True, "security": True}
        absent = ("ccr", "graph", "ml", "monitoring", "rollup", "slm", "sql", "transform", "voting_only", "watcher")
        features = {name: {"available": name in names, "enabled": name in names} for name in sorted({*names, *absent})}
        license = {"uid": UUID, "type": "basic", "mode": "basic", "status": "active"}
        build = {"hash": _BUILD_HASH, "date": _BUILD_DATE}
        return answered({"build": build, "license": license, "features": features, "tagline": "You know, for X"})

    async def remote(_request: Request) -> Response:
        return answered({})

    return [
        EsRoute(("GET",), "/", info),
        EsRoute(("GET",), "/_cluster/health", health),
        EsRoute(("GET",), "/_cluster/health/{index:indices}", health),
        EsRoute(("GET",), "/_cluster/settings", settings),
        EsRoute(("PUT",), "/_cluster/settings", put_settings, Permission.ADMINISTER),
        EsRoute(("GET",), "/_cluster/stats", stats, Permission.READ),
        EsRoute(("GET",), "/_cluster/state", state),
        EsRoute(("GET",), "/_cluster/state/{metrics}", state),
        EsRoute(("GET",), "/_nodes", nodes),
        EsRoute(("GET",), "/_nodes/{what}", nodes),
        EsRoute(("GET",), "/_nodes/{node}/{what}", nodes),
        EsRoute(("GET",), "/_license", license),
        EsRoute(("GET",), "/_xpack", xpack),
        EsRoute(("GET",), "/_remote/info", remote),
    ]

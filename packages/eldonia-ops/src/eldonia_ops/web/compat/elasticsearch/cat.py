"""``_cat``: the same facts as lines of text for people, or as JSON; and ``_stats``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.ports import LogQuery
from eldonia_ops.protocols.elasticsearch.errors import illegal_argument
from eldonia_ops.protocols.elasticsearch.fields import INDEX_FIELD, of_indices
from eldonia_ops.protocols.elasticsearch.index_names import Options, fits_any
from eldonia_ops.protocols.elasticsearch.templates import BUILT_IN, patterns_of
from eldonia_ops.services.logs.deletion import LATEST_NS
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import answered, flag, plain
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute

Row = Mapping[str, str]
_SHORT: Final = {"h": "health", "s": "status", "i": "index", "idx": "index", "dc": "docs.count", "ss": "store.size"}
_BYTES: Final = ("b", "kb", "mb", "gb", "tb")


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_cat/…`` and ``_stats``."""

    async def counts(names: Sequence[str]) -> dict[str, int]:
        logs = host.platform.telemetry.logs
        found = await logs.log_values(LogQuery(0, LATEST_NS), INDEX_FIELD, limit=10_000)
        by_index = {one.value: one.count for one in found}
        if host.others in names:
            by_index[host.others] = await logs.count_logs(of_indices([host.others], host.others))
        return by_index

    async def sizes(names: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
        """Documents, and bytes on the disk by their share of all documents."""
        by_index = await counts(names)
        stored = (await host.platform.telemetry.logs.statistics()).get("logs", {})
        each = stored.get("bytes", 0) / max(1, stored.get("rows", 0))
        return by_index, {name: round(count * each) for name, count in by_index.items()}

    async def indices(request: Request) -> Response:
        name = request.path_params.get("index", "*")
        names = await host.concrete(request, name, Options(hidden="index" in request.path_params))
        docs, size = await sizes(names)
        rows = [
            {
                "health": "green",
                "status": "open",
                "index": one,
                "uuid": one,
                "pri": "1",
                "rep": "0",
                "docs.count": str(docs.get(one, 0)),
                "docs.deleted": "0",
                "store.size": _size(size.get(one, 0), request),
                "pri.store.size": _size(size.get(one, 0), request),
                "dataset.size": _size(size.get(one, 0), request),
            }
            for one in names
        ]
        return table(request, rows)

    async def health(request: Request) -> Response:
        shards = str(len((await host.catalog.current()).indices))
        row = {
            "epoch": str(host.now() // 1_000),
            "timestamp": _clock(host.now()),
            "cluster": "eldonia-ops",
            "status": "green",
            "node.total": "1",
            "node.data": "1",
            "shards": shards,
            "pri": shards,
            "relo": "0",
            "init": "0",
            "unassign": "0",
            "pending_tasks": "0",
            "max_task_wait_time": "-",
            "active_shards_percent": "100.0%",
        }
        return table(request, [row])

    async def aliases(request: Request) -> Response:
        catalog = await host.catalog.current()
        patterns = [one for one in request.path_params.get("name", "").split(",") if one]
        rows = [
            {
                "alias": name,
                "index": index,
                "filter": "-",
                "routing.index": "-",
                "routing.search": "-",
                "is_write_index": str((stated or {}).get("is_write_index", "-")).lower(),
            }
            for name, one in sorted(catalog.all(EntryKind.ALIAS).items())
            if not patterns or fits_any(name, patterns)
            for index, stated in one.body.get("indices", {}).items()
        ]
        return table(request, rows)

    async def count(request: Request) -> Response:
        names = await host.concrete(request, request.path_params.get("index", "*"))
        total = await host.platform.telemetry.logs.count_logs(of_indices(names, host.others))
        seconds = host.now() // 1_000
        return table(request, [{"epoch": str(seconds), "timestamp": _clock(host.now()), "count": str(total)}])

    async def templates(request: Request) -> Response:
        catalog = await host.catalog.current()
        patterns = [one for one in request.path_params.get("name", "").split(",") if one]
        every = {"logs": BUILT_IN}
        for kind in (EntryKind.LEGACY_TEMPLATE, EntryKind.INDEX_TEMPLATE):
            every |= {name: one.body for name, one in catalog.all(kind).items()}
        rows = [
            {
                "name": name,
                "index_patterns": f"[{', '.join(patterns_of(body))}]",
                "order": str(body.get("priority", body.get("order", 0))),
                "version": str(body.get("version", "")),
                "composed_of": f"[{', '.join(map(str, body.get('composed_of') or ()))}]",
            }
            for name, body in sorted(every.items())
            if not patterns or fits_any(name, patterns)
        ]
        return table(request, rows)

    async def nodes(request: Request) -> Response:
        row = {
            "ip": "127.0.0.1",
            "heap.percent": "0",
            "ram.percent": "0",
            "cpu": "0",
            "node.role": "dim",
            "master": "*",
        }
        return table(request, [{**row, "name": "eldonia-ops"}])

    async def stats(request: Request) -> Response:
        names = await host.concrete(request, request.path_params.get("index", "*"), Options(hidden=True))
        docs, size = await sizes(names)

        def of(some: Sequence[str]) -> dict[str, Any]:
            total = {
                "docs": {"count": sum(docs.get(one, 0) for one in some), "deleted": 0},
                "store": {"size_in_bytes": sum(size.get(one, 0) for one in some)},
            }
            return {"primaries": total, "total": total}

        shards = {"total": len(names), "successful": len(names), "failed": 0}
        return answered({"_shards": shards, "_all": of(names), "indices": {one: of([one]) for one in names}})

    async def help(_request: Request) -> Response:
        return plain("=^.^=\n" + "".join(f"{path}\n" for path in sorted(one.path for one in found)))

    read = Permission.READ
    found = [
        EsRoute(("GET",), "/_cat/indices", indices, read),
        EsRoute(("GET",), "/_cat/indices/{index:indices}", indices, read),
        EsRoute(("GET",), "/_cat/health", health),
        EsRoute(("GET",), "/_cat/aliases", aliases),
        EsRoute(("GET",), "/_cat/aliases/{name}", aliases),
        EsRoute(("GET",), "/_cat/count", count, read),
        EsRoute(("GET",), "/_cat/count/{index:indices}", count, read),
        EsRoute(("GET",), "/_cat/templates", templates),
        EsRoute(("GET",), "/_cat/templates/{name}", templates),
        EsRoute(("GET",), "/_cat/nodes", nodes),
        EsRoute(("GET",), "/_stats", stats, read),
        EsRoute(("GET",), "/{index:indices}/_stats", stats, read),
    ]
    return [*found, EsRoute(("GET",), "/_cat", help)]


def table(request: Request, rows: Sequence[Row]) -> Response:
    """Rows as the request wants them: ``format``, ``h`` (columns), ``s`` (order), ``v`` (heads)."""
    columns = list(rows[0]) if rows else []
    if wanted := request.query_params.get("h"):
        names = [_SHORT.get(one.strip(), one.strip()) for one in wanted.split(",")]
        columns = [name for pattern in names for name in columns if fits_any(name, [pattern])]
    if order := request.query_params.get("s"):
        for one in reversed(order.split(",")):
            name, _, way = one.partition(":")
            rows = sorted(rows, key=lambda row: _order(row.get(_SHORT.get(name, name), "")), reverse=way == "desc")
    form = request.query_params.get("format") or ("json" if "json" in request.headers.get("accept", "") else "text")
    if form == "json":
        return answered([{name: row[name] for name in columns} for row in rows])
    if form != "text":
        raise illegal_argument(f"the format [{form[:20]}] is not supported here: use text or json")
    lines = [[row[name] for name in columns] for row in rows]
    if flag(request, "v"):
        lines.insert(0, columns)
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))] if lines else []
    text = "".join(
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )
    return plain(text)


def _clock(at_ms: int) -> str:
    seconds = at_ms // 1_000
    return f"{seconds // 3_600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _order(text: str) -> tuple[bool, float, str]:
    return (False, float(text), "") if text.isascii() and text.isdigit() else (True, 0.0, text)


def _size(count: int, request: Request) -> str:
    unit = request.query_params.get("bytes", "")
    if unit in _BYTES:
        return str(count >> (10 * _BYTES.index(unit)))
    size, place = float(count), 0
    while size >= 1_024 and place < len(_BYTES) - 1:
        size, place = size / 1_024, place + 1
    return f"{size:.1f}{_BYTES[place]}".replace(".0", "")

"""Searches, scrolls, points in time and counts."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.foreign import too_many_values
from eldonia_ops.protocols.elasticsearch.fields import of_indices
from eldonia_ops.protocols.elasticsearch.index_names import options_of
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.response_filter import filtered_answer
from eldonia_ops.search.tree import Node
from eldonia_ops.services.elasticsearch.queries import ElasticsearchQueries, refused_template
from eldonia_ops.web.access import Permission
from eldonia_ops.web.compat.elasticsearch.answers import answered
from eldonia_ops.web.compat.elasticsearch.host import DEFAULTS, ElasticsearchHost, EsRoute
from eldonia_ops.web.limits import read_body

_ALL = ("", "_all", "*")
_READS = ("GET", "POST")
Operation = Callable[[str, Mapping[str, str], bytes], Awaitable[dict[str, Any]]]


def routes(host: ElasticsearchHost) -> list[EsRoute]:
    """``_search`` and what belongs to it, with and without names of indices."""

    async def indices(expression: str, parameters: Mapping[str, str]) -> tuple[str, Node | None]:
        if expression in _ALL:
            return "", None
        catalog = await host.catalog.current()
        names = catalog.concrete(expression, host.now(), options_of(parameters, DEFAULTS))
        return ",".join(names), of_indices(names, host.others)

    queries = ElasticsearchQueries(host.platform.telemetry.logs, time.time_ns, indices)

    def answering(operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            parameters = dict(request.query_params)
            body = await read_body(request, host.limits)
            if not body and "source" in parameters:
                body = parameters["source"].encode()
            if too_many_values(body):
                raise DslError(
                    "content_too_long_exception", "the body has too many values: ask for less at once", status=413
                )
            async with host.heavy.place():
                answer = await operation(request.path_params.get("index", ""), parameters, body)
            if parameters.get("filter_path"):
                # Ten thousand documents are looked through for a hundred patterns: others are answered meanwhile.
                answer = await host.heavy.run(lambda: filtered_answer(answer, parameters["filter_path"]))
            return answered(answer)

        return endpoint

    async def open_point(index: str, parameters: Mapping[str, str], _body: bytes) -> dict[str, Any]:
        return await queries.open_point(index, parameters)

    async def close_points(_index: str, _parameters: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return await queries.close_points(body)

    async def close_all_points(_index: str, _parameters: Mapping[str, str], _body: bytes) -> dict[str, Any]:
        return {"pits": []}  # nothing is kept for them

    async def scroll(_index: str, parameters: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return await queries.scroll(parameters, body)

    async def clear_scroll(_index: str, parameters: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return await queries.clear_scroll(parameters, body)

    async def template(request: Request) -> Response:
        raise refused_template(request.path_params.get("index", ""))

    async def refused(request: Request) -> Response:
        name = request.url.path.rsplit("/", 1)[-1]
        raise DslError(
            "illegal_argument_exception", f"[{name}] is not supported: docs/elasticsearch-queries.md has what is"
        )

    def both(path: str, operation: Operation, *methods: str) -> list[EsRoute]:
        endpoint = answering(operation)
        every = methods or _READS
        return [EsRoute(every, f"{start}{path}", endpoint, Permission.READ) for start in ("", "/{index:indices}")]

    def alone(path: str, operation: Operation, *methods: str) -> EsRoute:
        return EsRoute(methods, path, answering(operation), Permission.READ)

    return [
        alone("/_search/scroll", scroll, *_READS),
        alone("/_search/scroll", clear_scroll, "DELETE"),
        EsRoute(_READS, "/_search/scroll/{scroll_id}", _in_path(answering(scroll)), Permission.READ),
        EsRoute(("DELETE",), "/_search/scroll/{scroll_id}", _in_path(answering(clear_scroll)), Permission.READ),
        alone("/_pit", close_points, "DELETE"),
        alone("/{index:indices}/_pit", open_point, "POST"),
        alone("/_search/point_in_time", close_points, "DELETE"),
        alone("/_search/point_in_time/_all", close_all_points, "DELETE"),
        alone("/{index:indices}/_search/point_in_time", open_point, "POST"),
        *(EsRoute(_READS, path, template, Permission.READ) for path in _TEMPLATES),
        *(
            EsRoute(_READS, f"{start}/{name}", refused, Permission.READ)
            for name in _REFUSED
            for start in ("", "/{index:indices}")
        ),
        *both("/_search", queries.search),
        *both("/_msearch", queries.msearch),
        *both("/_count", queries.count),
        *both("/_validate/query", queries.validate),
    ]


_TEMPLATES = (
    *("/_search/template", "/{index:indices}/_search/template", "/_msearch/template"),
    *("/{index:indices}/_msearch/template", "/_render/template"),
)
_REFUSED = ("_async_search", "_knn_search", "_rank_eval", "_terms_enum", "_eql", "_sql", "_query")


def _in_path(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The same, with the id of a scroll that is in the path among the parameters."""

    async def run(request: Request) -> Response:
        id = str(request.path_params["scroll_id"])
        scope = {**request.scope, "query_string": request.scope["query_string"] + b"&scroll_id=" + id.encode()}
        return await endpoint(Request(scope, request.receive))

    return run

"""All addresses of the API, in an order in which none hides another."""

from dataclasses import replace
from typing import Final

from eldonia_ops.web.compat.elasticsearch import (
    aliases,
    by_query,
    cat,
    cluster,
    documents,
    indices,
    ingest,
    policies,
    searching,
    streams,
    templates,
    writing,
)
from eldonia_ops.web.compat.elasticsearch.answers import guarded
from eldonia_ops.web.compat.elasticsearch.host import ElasticsearchHost, EsRoute, RoutesOf
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.problems import ApiDialect

PARTS: Final[tuple[RoutesOf, ...]] = (
    cluster.routes,
    writing.routes,
    searching.routes,
    documents.routes,
    by_query.routes,
    templates.routes,
    streams.routes,
    policies.routes,
    ingest.routes,
    aliases.routes,
    cat.routes,
    indices.routes,
)
"""The addresses by what they are about."""


def routes(host: ElasticsearchHost, prefix: str = "") -> list[GuardedRoute]:
    """The routes, below a prefix."""
    every = [one for part in PARTS for one in part(host)]
    # Addresses without parameters come first, and an index alone last: it would match all of them.
    every.sort(key=_rank)
    # Elasticsearch takes an address with a slash behind it, too: Fluent Bit sends to ``/_bulk/?pipeline=…``.
    slashed = [
        replace(one, path=f"{one.path}/") for one in every if one.path != "/" and not one.path.endswith(":path}")
    ]
    return [
        GuardedRoute(
            f"{prefix}{one.path}",
            guarded(one.endpoint, host.limits),
            demand=one.demand,
            family=ApiDialect.ELASTICSEARCH,
            methods=one.methods,
            streams=True,
        )
        for one in (*every, *slashed)
    ]


def _rank(one: EsRoute) -> int:
    if "{" not in one.path:
        return 0
    return 2 if one.path == "/{index:indices}" else 1

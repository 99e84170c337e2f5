"""Answers searches of Elasticsearch's API from the store of logs.

A search is one statement for its page, one for the number of its hits where the page does not say it, and one for each
level of buckets.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from eldonia_ops.ports import LogStore
from eldonia_ops.protocols.elasticsearch.query.aggregations.answer import (
    TYPED_NAMES,
    buckets_answer,
    metrics_answer,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.levels import (
    Keys,
    Place,
    keys_of,
    measures_of,
    request_of,
    too_many,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.model import (
    Aggregations,
    BucketAggregation,
    Composite,
    Terms,
    TopHits,
)
from eldonia_ops.protocols.elasticsearch.query.aggregations.pipelines import siblings
from eldonia_ops.protocols.elasticsearch.query.search_answer import search_answer, top_hits_answer
from eldonia_ops.protocols.elasticsearch.query.search_request import SearchRequest
from eldonia_ops.protocols.elasticsearch.query.sorting import order_of
from eldonia_ops.search.buckets import MAX_ROWS, BucketRequest, BucketRow
from eldonia_ops.search.score import Score
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.tree import Node


async def search(logs: LogStore, request: SearchRequest, now_ns: int, took_ms: Any) -> dict[str, Any]:
    """The answer of a search; ``took_ms`` is a function that says how long it took so far.

    Raises:
        DslError: it would make too many buckets, or a pipeline's path leads to nothing.
        TelemetryError: the store cannot answer.
    """
    found = await logs.select_logs(request.selection()) if request.size else []
    total = await _total(logs, request, found)
    aggregations: dict[str, Any] | None = None
    if request.aggregations.every:
        aggregations = await _Aggregating(logs, request, now_ns).whole()
    return search_answer(request, found, total, aggregations, took_ms())


async def _total(logs: LogStore, request: SearchRequest, found: Sequence[Selected]) -> int | None:
    if request.counted == 0:
        return None
    whole_page = not request.skip and request.order.after is None and request.order.place is None
    if whole_page and request.size and len(found) < request.size:
        return len(found)
    most = request.counted
    if request.terminate_after:
        most = min(request.terminate_after, most) if most is not None else request.terminate_after
    return await logs.count_logs(request.selection().search, most)


class _Aggregating:
    """The aggregations of one search."""

    def __init__(self, logs: LogStore, request: SearchRequest, now_ns: int) -> None:
        self._logs = logs
        self._score: Score = request.clause.score
        self._search: Node = request.clause.node
        self._wanted = request.aggregations
        self._typed = request.typed_keys
        self._now_ns = now_ns
        self._buckets = 0

    async def whole(self) -> dict[str, Any]:
        """All aggregations of the search."""
        measures = measures_of(self._wanted.every)
        row: BucketRow | None = None
        if measures:
            row = (await self._logs.log_buckets(BucketRequest(self._search, (), 0, measures))).rows[0]
        found = await self._level(self._wanted, Place(self._search), {(): row} if row else {})
        return found[()]

    async def _level(
        self, wanted: Aggregations, place: Place, rows: Mapping[Keys, BucketRow]
    ) -> dict[Keys, dict[str, Any]]:
        """The aggregations of each bucket of a level."""
        made = [(parent, metrics_answer(wanted.every, rows.get(parent))) for parent in place.parents]
        found: dict[Keys, dict[str, Any]] = {parent: dict(metrics) for parent, metrics in made}
        for one in wanted.every:
            if isinstance(one, BucketAggregation):
                parts = await self._bucket(one, place, rows)
            elif isinstance(one, TopHits):
                parts = await self._top_hits(one, place, rows)
            else:
                continue
            for parent, part in parts.items():
                found[parent][one.name] = part
        order = [one.name for one in wanted.every]
        for parent, some in found.items():
            found[parent] = {name: some[name] for name in order}
            siblings(wanted.pipelines, found[parent])
        return {parent: self._named(wanted, some) for parent, some in found.items()} if self._typed else found

    def _named(self, wanted: Aggregations, found: dict[str, Any]) -> dict[str, Any]:
        kinds = {
            one.name: "top_hits" if isinstance(one, TopHits) else one.kind for one in (*wanted.every, *wanted.pipelines)
        }
        return {f"{TYPED_NAMES.get(kinds[name], kinds[name])}#{name}": part for name, part in found.items()}

    async def _bucket(
        self, one: BucketAggregation, place: Place, around: Mapping[Keys, BucketRow]
    ) -> dict[Keys, dict[str, Any]]:
        # Buckets of gaps hold no records: the store need not look at them.
        asked = replace(place, parents=tuple(parent for parent in place.parents if parent in around or not parent))
        request = request_of(one, asked)
        got = await self._logs.log_buckets(request) if asked.parents else None
        rows: dict[Keys, list[BucketRow]] = {parent: [] for parent in place.parents}
        others = got.others if got else {}
        every = got.rows if got else []
        if len(every) > MAX_ROWS:
            raise too_many(len(every))
        for row in every:
            parent = row.keys[: len(place.around)]
            if parent in rows:
                rows[parent].append(row)
        keys = {parent: keys_of(one, parent, some) for parent, some in rows.items()}
        self._buckets += sum(map(len, keys.values()))
        if self._buckets > MAX_ROWS:
            raise too_many(self._buckets)
        by_key = {row.keys: row for some in rows.values() for row in some}
        below: dict[Keys, dict[str, Any]] = {}
        if one.children or one.pipelines:
            inner = Place(
                request.search,
                request.groups,
                tuple(key for some in keys.values() for key in some),
                place.cut
                or (isinstance(one, Terms) and bool(others))
                or isinstance(one, Composite)
                or _filters_rows(one),
            )
            below = await self._level(Aggregations(one.children, one.pipelines), inner, by_key)
            await asyncio.sleep(0)
        return {
            parent: buckets_answer(one, some, by_key, below, others.get(parent, 0)) for parent, some in keys.items()
        }

    async def _top_hits(
        self, one: TopHits, place: Place, around: Mapping[Keys, BucketRow]
    ) -> dict[Keys, dict[str, Any]]:
        order = order_of(one.sort, None, self._now_ns)
        selection = Selection(
            place.search, self._score, order.keys, None, None, order.oldest_first, one.skip, max(1, one.size)
        )
        found: dict[Keys, list[Selected]] = {}
        totals = {parent: row.count for parent, row in around.items()}
        if not place.around:
            found = {(): await self._logs.select_logs(selection)}
            totals[()] = await self._logs.count_logs(place.search)
        elif one.size:
            parents = place.parents if place.cut else None
            # The groups of the level around are those of which the first records are wanted.
            request = BucketRequest(place.search, place.around, 0, parents=parents)
            found = await self._logs.logs_in_groups(request, selection)
        return {
            parent: top_hits_answer(
                one.sort,
                order.keys,
                one.source,
                one.docvalues,
                found.get(parent, [])[: one.size],
                totals.get(parent, 0),
            )
            for parent in place.parents
        }


def _filters_rows(one: BucketAggregation) -> bool:
    """Whether there are rows that make no bucket."""
    return getattr(one, "min_doc_count", 0) > 1

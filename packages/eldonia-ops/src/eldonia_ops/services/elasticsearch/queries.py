"""The reading operations of Elasticsearch's API: bytes of a request in, an object for the answer out."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from eldonia_ops.ports import LogStore
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.query.cursors import (
    Scroll,
    keep_alive,
    missing_context,
    opened,
    read_scroll,
    scroll_id,
)
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal, placed
from eldonia_ops.protocols.elasticsearch.query.search_answer import SHARDS
from eldonia_ops.protocols.elasticsearch.query.search_request import MAX_WINDOW, read_count, read_search
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, object_of
from eldonia_ops.protocols.elasticsearch.query.sorting import SortBy, SortSpec, order_of
from eldonia_ops.search.tree import Node, StoredUntil, conjunction
from eldonia_ops.services.elasticsearch.search import search as answer_search

Parameters = Mapping[str, str]
Indices = Callable[[str, Parameters], Awaitable[tuple[str, Node | None]]]
"""Finds what an index expression means: the names behind it as an expression without aliases, and their records."""

MOST_SEARCHES: Final = 1_000
"""Searches of one ``_msearch``."""

_CLOSED: Final = 10_000


class ElasticsearchQueries:
    """The operations. Each raises :class:`DslError` for what cannot be answered."""

    def __init__(self, logs: LogStore, now_ns: Callable[[], int], indices: Indices) -> None:
        self._logs = logs
        self._now_ns = now_ns
        self._indices = indices
        self._closed: dict[str, None] = {}

    async def search(self, index: str, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """``_search``; with ``scroll`` the first page of one."""
        given = decoded(body)
        try:
            if parameters.get("scroll"):
                return await self._first_page(index, parameters, given)
            return await self._search(index, parameters, given)
        except DslError as error:
            raise placed(error, body) from None

    async def _search(self, index: str, parameters: Parameters, given: Any) -> dict[str, Any]:
        now = self._now_ns()
        if isinstance(given, dict) and given.get("pit") and index:
            raise illegal("[indices] cannot be used with point in time. Do not specify any index with point in time.")
        point = object_of(given["pit"], "pit").get("id") if isinstance(given, dict) and given.get("pit") else None
        if point in self._closed:
            raise missing_context(str(point))
        _, node = await self._indices(index, parameters) if point is None else ("", None)
        return await answer_search(self._logs, read_search(given, parameters, node, now), now, _clock())

    async def msearch(self, index: str, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """``_msearch``: pairs of lines, a header and a search; each is answered for itself."""
        took = _clock()
        lines = body.replace(b"\r\n", b"\n").split(b"\n")
        if lines and not lines[-1].strip():
            lines.pop()
        if not lines:
            raise DslError("action_request_validation_exception", "Validation Failed: 1: no requests added;")
        if len(lines) % 2 or len(lines) > 2 * MOST_SEARCHES:
            raise illegal(f"a header without a search, or more than {MOST_SEARCHES} searches")
        answers: list[dict[str, Any]] = []
        for header, one in zip(lines[::2], lines[1::2], strict=True):
            answers.append(await self._of_pair(index, parameters, header, one))
        return {"took": took(), "responses": answers}

    async def _of_pair(self, index: str, parameters: Parameters, header: bytes, body: bytes) -> dict[str, Any]:
        try:
            given = object_of(decoded(header) or {}, "header")
            names = ",".join(map(str, listed(given.get("index", given.get("indices", index)) or index)))
            own = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
            wanted = {key: parameters[key] for key in ("rest_total_hits_as_int", "typed_keys") if key in parameters}
            return {**await self.search(names, {**own, **wanted}, body), "status": 200}
        except DslError as error:
            return {"error": error.body(), "status": error.status}
        except ElasticsearchError as error:
            return error.body()

    async def count(self, index: str, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """``_count``."""
        try:
            _, node = await self._indices(index, parameters)
            tree = read_count(decoded(body), parameters, node, self._now_ns())
        except DslError as error:
            raise placed(error, body) from None
        return {"count": await self._logs.count_logs(tree), "_shards": SHARDS}

    async def validate(self, index: str, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """``_validate/query``: whether a query can be read, and why not."""
        names, node = await self._indices(index, parameters)
        answer: dict[str, Any] = {"_shards": {"total": 1, "successful": 1, "failed": 0}, "valid": True}
        explain = flag(parameters.get("explain", "false"), "explain")
        try:
            read_count(decoded(body), parameters, node, self._now_ns())
        except DslError as error:
            answer["valid"] = False
            if explain:
                answer["error"] = error.reason
                answer["explanations"] = [{"index": names or "logs", "valid": False, "error": error.reason}]
        else:
            if explain:
                answer["explanations"] = [{"index": names or "logs", "valid": True, "explanation": "*:*"}]
        return answer

    async def open_point(self, index: str, parameters: Parameters) -> dict[str, Any]:
        """``_pit``: a point in time, in the words of both dialects."""
        if not parameters.get("keep_alive"):
            raise DslError("action_request_validation_exception", "Validation Failed: 1: keep_alive is not specified;")
        names, _ = await self._indices(index, parameters)
        now = self._now_ns()
        last = await self._logs.last_log_id()
        point = opened(names, last, keep_alive(parameters["keep_alive"]), now)
        return {"id": point.id, "pit_id": point.id, "_shards": SHARDS, "creation_time": now // 1_000_000}

    async def close_points(self, body: bytes) -> dict[str, Any]:
        """The end of points in time, in the words of both dialects."""
        given = object_of(decoded(body) or {}, "pit")
        ids = [str(one) for one in listed(given.get("id", given.get("pit_id", [])))]
        if not ids:
            raise illegal("[id] or [pit_id] is required")
        self._close(ids)
        pits = [{"successful": True, "pit_id": one} for one in ids]
        return {"succeeded": True, "num_freed": len(ids), "pits": pits}

    async def scroll(self, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """``_search/scroll``: the next page."""
        given = object_of(decoded(body) or {}, "scroll")
        id = given.get("scroll_id") or parameters.get("scroll_id")
        if not id:
            raise DslError("action_request_validation_exception", "Validation Failed: 1: scrollId is missing;")
        if id in self._closed:
            raise missing_context(str(id))
        now = self._now_ns()
        one = read_scroll(id, now)
        keep = given.get("scroll") or parameters.get("scroll")
        as_number = {key: parameters[key] for key in ("rest_total_hits_as_int",) if key in parameters}
        keep_ms = keep_alive(keep, "scroll") if keep else one.keep_ms
        return await self._page(replace(one, keep_ms=keep_ms, parameters={**one.parameters, **as_number}), now)

    async def clear_scroll(self, parameters: Parameters, body: bytes) -> dict[str, Any]:
        """The end of scrolls."""
        text = parameters.get("scroll_id", "")
        given = decoded(body) if body.strip()[:1] in (b"{", b"[") else None
        ids = [one for one in text.split(",") if one]
        if given is not None:
            ids += [str(one) for one in listed(object_of(given, "scroll").get("scroll_id", []))]
        freed = [one for one in ids if one != "_all" and one not in self._closed]
        self._close(freed)
        return {"succeeded": True, "num_freed": len(freed)}

    def _close(self, ids: list[str]) -> None:
        self._closed |= dict.fromkeys(ids)
        while len(self._closed) > _CLOSED:
            del self._closed[next(iter(self._closed))]

    async def _first_page(self, index: str, parameters: Parameters, given: Any) -> dict[str, Any]:
        now = self._now_ns()
        if isinstance(given, dict) and (given.get("pit") or given.get("search_after")):
            raise illegal("`pit` and `search_after` cannot be used in a scroll context.")
        names, _ = await self._indices(index, parameters)
        keep = keep_alive(parameters["scroll"], "scroll")
        body = object_of(given or {}, "search")
        if int(body.get("from", 0) or parameters.get("from", 0)):
            raise DslError(
                "action_request_validation_exception",
                "Validation Failed: 1: using [from] is not allowed in a scroll context;",
            )
        own = {key: value for key, value in parameters.items() if key != "scroll"}
        one = Scroll(names, body, own, await self._logs.last_log_id(), keep, 0)
        return await self._page(one, now)

    async def _page(self, one: Scroll, now: int) -> dict[str, Any]:
        _, node = await self._indices(one.index, one.parameters)
        records = conjunction([node, StoredUntil(one.last_id)] if node is not None else [StoredUntil(one.last_id)])
        request = read_search(one.body, one.parameters, records, now)
        if request.size > MAX_WINDOW:
            raise illegal(f"a page of more than {MAX_WINDOW} records")
        # The place of the last record is how the next page is found.
        shown = request.sort
        sort = shown or (SortSpec(SortBy.SCORE, "_score", descending=True),)
        if all(spec.by is not SortBy.PLACE for spec in sort):
            sort = (*sort, SortSpec(SortBy.PLACE, "_doc", descending=sort[0].descending))
        request = replace(request, sort=sort, order=order_of(sort, one.after, now))
        if one.after is not None:
            request = replace(request, aggregations=type(request.aggregations)())
        answer = await answer_search(self._logs, replace(request, counted=None), now, _clock())
        hits: list[dict[str, Any]] = answer["hits"]["hits"]
        after = hits[-1]["sort"] if hits else one.after
        for hit in hits:
            if shown:
                hit["sort"] = hit["sort"][: len(shown)]
            else:
                del hit["sort"]
        if one.after is not None:
            total = await self._logs.count_logs(replace(request, order=order_of(sort, None, now)).selection().search)
            answer["hits"]["total"] = total if request.total_as_number else {"value": total, "relation": "eq"}
        until = now // 1_000_000 + one.keep_ms
        following = replace(one, after=after, until_ms=until, seen=one.seen + len(hits))
        return {"_scroll_id": scroll_id(following), **answer}


def decoded(body: bytes) -> Any:
    """The JSON of a body; None for an empty one.

    Raises:
        DslError: it is no JSON.
    """
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise DslError("x_content_parse_exception", f"the body is no JSON: {error}") from None


def refused_template(index: str) -> DslError:
    """Search templates need Mustache and scripts, which we do not have."""
    return illegal(f"[_search/template] of [{index or '_all'}] is not supported: send the search itself to [_search]")


def _clock() -> Callable[[], int]:
    began = time.monotonic()
    return lambda: int((time.monotonic() - began) * 1000)

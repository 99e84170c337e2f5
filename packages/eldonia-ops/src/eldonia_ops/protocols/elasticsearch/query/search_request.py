"""The body of ``_search`` with the parameters of its address, as one request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.aggregations.model import Aggregations
from eldonia_ops.protocols.elasticsearch.query.aggregations.reading import read_aggregations
from eldonia_ops.protocols.elasticsearch.query.clauses import ALL, Clause
from eldonia_ops.protocols.elasticsearch.query.cursors import PointInTime, read_point
from eldonia_ops.protocols.elasticsearch.query.dsl import filtered, read_query
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.highlight import HighlightField, read_highlight
from eldonia_ops.protocols.elasticsearch.query.shapes import flag, listed, number, object_of, whole
from eldonia_ops.protocols.elasticsearch.query.sorting import Order, SortBy, SortSpec, order_of, read_sort
from eldonia_ops.protocols.elasticsearch.query.source_filter import (
    FieldsWanted,
    SourceFilter,
    fields_wanted,
    source_filter,
)
from eldonia_ops.search.selection import Selection
from eldonia_ops.search.tree import Node, StoredUntil

MAX_WINDOW: Final = 10_000
"""``from`` and ``size`` together, as Elasticsearch's ``index.max_result_window``."""

COUNTED: Final = 10_000
"""How far hits are counted unless ``track_total_hits`` says otherwise."""

_KNOWN: Final = frozenset({
    *("query", "from", "size", "sort", "_source", "fields", "docvalue_fields", "stored_fields", "highlight", "aggs"),
    *("aggregations", "track_total_hits", "track_scores", "search_after", "pit", "timeout", "terminate_after"),
    *("post_filter", "version", "seq_no_primary_term", "explain", "profile", "stats", "indices_boost", "ext"),
    *("runtime_mappings", "script_fields", "min_score", "collapse", "suggest", "rescore", "knn", "rank", "slice"),
    *("include_named_queries_score", "derived", "search_pipeline", "retriever"),
})  # fmt: skip
_REFUSED: Final = {
    "script_fields": "compute them in the client",
    "runtime_mappings": "compute them in the client",
    "min_score": "use [minimum_should_match]",
    "collapse": "use a [terms] aggregation with [top_hits]",
    "suggest": "search for the word itself",
    "rescore": "use boosts",
    "knn": "there are no vectors",
    "rank": "use boosts",
    "retriever": "send a [query]",
    "slice": "read with one client",
}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What a search wants. ``counted`` is how far hits are counted, None: all, 0: not at all."""

    clause: Clause = ALL
    post_filter: Node | None = None
    skip: int = 0
    size: int = 10
    sort: tuple[SortSpec, ...] = ()
    order: Order = Order(())  # noqa: RUF009  it is frozen
    source: SourceFilter = SourceFilter()  # noqa: RUF009
    fields: FieldsWanted = FieldsWanted()  # noqa: RUF009
    docvalues: FieldsWanted = FieldsWanted()  # noqa: RUF009
    highlight: tuple[HighlightField, ...] = ()
    aggregations: Aggregations = Aggregations()  # noqa: RUF009
    counted: int | None = COUNTED
    scores: bool = True
    point: PointInTime | None = None
    terminate_after: int = 0
    total_as_number: bool = False
    typed_keys: bool = False
    version: bool = False
    sequence: bool = False
    ids_only: bool = False

    def selection(self) -> Selection:
        """The records of its page."""
        node = self.clause.node if self.post_filter is None else filtered(self.clause, self.post_filter).node
        order = self.order
        return Selection(
            node, self.clause.score, order.keys, order.after, order.place, order.oldest_first, self.skip, self.size
        )


def read_search(body: Any, parameters: Mapping[str, str], indices: Node | None, now_ns: int) -> SearchRequest:
    """A search of the records that ``indices`` finds, None for all.

    Raises:
        DslError: it cannot be read, or asks for what we do not have.
    """
    given = dict(object_of(body if body is not None else {}, "search"))
    for key, value in given.items():
        if key not in _KNOWN:
            raise parsing(f"Unknown key for a {_token(value)} in [{key}].", key)
        if key in _REFUSED and value:
            raise illegal(f"[{key}] is not supported: {_REFUSED[key]}")
    given |= _of_address(parameters)

    def read(query: Any) -> Clause:
        return read_query(query, now_ns)

    point = read_point(given["pit"], now_ns) if given.get("pit") else None
    base: list[Node | None] = [indices if point is None else point.meant.node(now_ns)]
    if point is not None:
        base.append(StoredUntil(point.last_id))
    clause = filtered(read(given["query"]) if given.get("query") else ALL, *base)
    sort = read_sort(given.get("sort"))
    if point is not None and sort and all(one.by is not SortBy.PLACE for one in sort):
        sort = (*sort, SortSpec(SortBy.PLACE, "_shard_doc"))
    if point is not None and not sort and given.get("search_after") is not None:
        sort = (SortSpec(SortBy.PLACE, "_shard_doc"),)
    after = given.get("search_after")
    if after is not None and not isinstance(after, list):
        raise parsing("[search_after] must be a list of values", "search_after")
    if after is not None and not sort:
        raise DslError("illegal_argument_exception", "Sort must contain at least one field.", of_phase=True)
    if after is not None and len(after) == len(sort) - 1 and sort[-1].name == "_shard_doc":
        sort = sort[:-1]
    skip, size = whole(given.get("from", 0), "from"), whole(given.get("size", 10), "size")
    if skip + size > MAX_WINDOW:
        raise DslError(
            "illegal_argument_exception",
            f"Result window is too large, from + size must be less than or equal to: [{MAX_WINDOW}] but was "
            f"[{skip + size}]. See the scroll api for a more efficient way to request large data sets. This limit can "
            "be set by changing the [index.max_result_window] index level setting.",
            of_phase=True,
        )
    if after is not None and skip:
        raise illegal("`from` parameter must be set to 0 when `search_after` is used.")
    everything = filtered(ALL, *base).node
    aggregations = read_aggregations(given.get("aggs", given.get("aggregations")), read, everything, now_ns)
    stored = listed(given.get("stored_fields", []))
    source = source_filter(given.get("_source"))
    if stored and "_source" not in given and "_source" not in stored:
        source = SourceFilter(wanted=False)
    return SearchRequest(
        clause,
        read(given["post_filter"]).node if given.get("post_filter") else None,
        skip,
        size,
        sort,
        order_of(sort, after, now_ns),
        source,
        fields_wanted(given.get("fields"), "fields"),
        fields_wanted(given.get("docvalue_fields"), "docvalue_fields"),
        read_highlight(given.get("highlight"), lambda query: read(query).node),
        aggregations,
        _counted(given.get("track_total_hits", COUNTED)),
        not sort
        or any(one.by is SortBy.SCORE for one in sort)
        or flag(given.get("track_scores", False), "track_scores"),
        point,
        whole(given.get("terminate_after", 0), "terminate_after"),
        _true(parameters, "rest_total_hits_as_int"),
        _true(parameters, "typed_keys"),
        flag(given.get("version", False), "version"),
        flag(given.get("seq_no_primary_term", False), "seq_no_primary_term"),
        stored == ["_none_"],
    )


def read_count(body: Any, parameters: Mapping[str, str], indices: Node | None, now_ns: int) -> Node:
    """The tree whose records ``_count`` counts.

    Raises:
        DslError: it cannot be read.
    """
    given = dict(object_of(body if body is not None else {}, "count"))
    for key in given:
        if key != "query":
            raise parsing(f"request does not support [{key}]", key)
    given |= {key: value for key, value in _of_address(parameters).items() if key == "query"}
    return filtered(read_query(given["query"], now_ns) if given.get("query") else ALL, indices).node


def _of_address(parameters: Mapping[str, str]) -> dict[str, Any]:
    """What the parameters of an address say in the words of a body."""
    found: dict[str, Any] = {}
    if "q" in parameters:
        asked: dict[str, Any] = {"query": parameters["q"]}
        for name, key in (("df", "default_field"), ("default_operator", "default_operator"), ("lenient", "lenient")):
            if name in parameters:
                asked[key] = parameters[name]
        found["query"] = {"query_string": asked}
    for name in (
        "from",
        "size",
        "terminate_after",
        "track_total_hits",
        "track_scores",
        "version",
        "seq_no_primary_term",
    ):
        if name in parameters:
            found[name] = parameters[name]
    if "sort" in parameters:
        found["sort"] = [one for one in parameters["sort"].split(",") if one]
    for name in ("stored_fields", "docvalue_fields"):
        if name in parameters:
            found[name] = [one for one in parameters[name].split(",") if one]
    source = parameters.get("_source")
    includes = parameters.get("_source_includes", parameters.get("_source_include"))
    excludes = parameters.get("_source_excludes", parameters.get("_source_exclude"))
    if source in ("false", "true"):
        found["_source"] = source
    elif source or includes or excludes:
        names = [one for text in (source, includes) if text for one in text.split(",")]
        found["_source"] = {"includes": names, "excludes": excludes.split(",") if excludes else []}
    return found


def _counted(value: Any) -> int | None:
    if value in (True, "true"):
        return None
    if value in (False, "false"):
        return 0
    found = int(number(value, "track_total_hits", low=-1, high=2**31 - 1))
    return None if found == -1 else found


def _true(parameters: Mapping[str, str], name: str) -> bool:
    return name in parameters and flag(parameters[name], name)


def _token(value: Any) -> str:
    match value:
        case dict():
            return "START_OBJECT"
        case list():
            return "START_ARRAY"
        case bool():
            return "VALUE_BOOLEAN"
        case int() | float():
            return "VALUE_NUMBER"
        case None:
            return "VALUE_NULL"
        case _:
            return "VALUE_STRING"

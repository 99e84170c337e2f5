"""The answer of a search."""

from collections.abc import Sequence
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.documents import id_of, index_of, source_of, version_of
from eldonia_ops.protocols.elasticsearch.query.fields import OTHER_INDEX
from eldonia_ops.protocols.elasticsearch.query.highlight import highlighted
from eldonia_ops.protocols.elasticsearch.query.search_request import SearchRequest
from eldonia_ops.protocols.elasticsearch.query.sorting import SortSpec, answered
from eldonia_ops.protocols.elasticsearch.query.source_filter import FieldsWanted, SourceFilter, flattened
from eldonia_ops.search.selection import Selected, SortKey

SHARDS: Final = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
_NO_FIELDS: Final = FieldsWanted()


def hits_answer(request: SearchRequest, found: Sequence[Selected], total: int | None) -> dict[str, Any]:
    """The ``hits`` of an answer. ``total`` is how many there are, above ``counted`` for too many, None: uncounted."""
    answer: dict[str, Any] = {}
    if total is not None:
        most = request.counted
        value = total if most is None else min(total, most)
        relation = "eq" if value == total else "gte"
        answer["total"] = value if request.total_as_number else {"value": value, "relation": relation}
    scores = [one.score for one in found] if request.scores else []
    answer["max_score"] = max(scores, default=None) if not request.sort or request.scores else None
    answer["hits"] = [_hit(request, one) for one in found]
    return answer


def search_answer(
    request: SearchRequest,
    found: Sequence[Selected],
    total: int | None,
    aggregations: dict[str, Any] | None,
    took_ms: int,
) -> dict[str, Any]:
    """The whole answer of a search."""
    answer: dict[str, Any] = {"took": took_ms, "timed_out": False}
    if request.terminate_after and total is not None:
        answer["terminated_early"] = total > request.terminate_after
    answer["_shards"] = SHARDS
    answer["hits"] = hits_answer(request, found, total)
    if aggregations is not None:
        answer["aggregations"] = aggregations
    if request.point is not None:
        answer["pit_id"] = request.point.id
    return answer


def _hit(request: SearchRequest, one: Selected) -> dict[str, Any]:
    record = one.record
    hit: dict[str, Any] = {} if request.ids_only else {"_index": index_of(record, OTHER_INDEX), "_id": id_of(record)}
    if request.ids_only:
        hit["_index"] = index_of(record, OTHER_INDEX)
    if request.version:
        hit["_version"] = version_of(record)
    if request.sequence:
        hit |= {"_seq_no": record.id, "_primary_term": 1}
    hit["_score"] = one.score if request.scores else None
    _body(hit, one, request.source, request.fields, request.docvalues)
    if request.highlight:
        source = source_of(record)
        if marked := highlighted(request.highlight, request.clause.node, list(flattened(source))):
            hit["highlight"] = marked
    if request.sort:
        hit["sort"] = answered(request.sort, one, request.order.keys)
    return hit


def _body(
    hit: dict[str, Any], one: Selected, wanted: SourceFilter, fields: FieldsWanted, docvalues: FieldsWanted
) -> None:
    if not wanted.wanted and fields == _NO_FIELDS and docvalues == _NO_FIELDS:
        return
    source = source_of(one.record)
    if wanted.wanted:
        hit["_source"] = wanted.of(source)
    values = {**docvalues.of(source, one.record.timestamp_ns), **fields.of(source, one.record.timestamp_ns)}
    if values:
        hit["fields"] = values


def top_hits_answer(
    sort: tuple[SortSpec, ...], keys: Sequence[SortKey], source: SourceFilter, docvalues: FieldsWanted,
    found: Sequence[Selected], total: int,
) -> dict[str, Any]:  # fmt: skip
    """The answer of a ``top_hits`` aggregation in one bucket."""
    hits: list[dict[str, Any]] = []
    for one in found:
        hit: dict[str, Any] = {"_index": index_of(one.record, OTHER_INDEX), "_id": id_of(one.record)}
        hit["_score"] = None if sort else one.score
        _body(hit, one, source, FieldsWanted(), docvalues)
        if sort:
            hit["sort"] = answered(sort, one, keys)
        hits.append(hit)
    best = None if sort else max((one.score for one in found), default=None)
    return {"hits": {"total": {"value": total, "relation": "eq"}, "max_score": best, "hits": hits}}

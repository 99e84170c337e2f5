"""``_field_caps``: which fields records have, as the newest of them show."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.documents import source_of
from eldonia_ops.protocols.elasticsearch.query.fields import TIME
from eldonia_ops.protocols.elasticsearch.query.source_filter import flattened

_METADATA = {"_id": "_id", "_index": "_index", "_source": "_source"}


def field_types(records: Iterable[LogRecord]) -> dict[str, str]:
    """The type of each field in Elasticsearch's words. Of numbers here and texts there, text counts."""
    found: dict[str, str] = {TIME: "date", "message": "text"}
    for record in records:
        for name, values in flattened(source_of(record)):
            if name == TIME or name == "message":
                continue
            kind = _type(values)
            old = found.setdefault(name, kind)
            if old != kind:
                found[name] = "double" if {old, kind} == {"long", "double"} else "keyword"
    return found


def field_caps_answer(types: Mapping[str, str], patterns: Sequence[str], indices: Sequence[str]) -> dict[str, Any]:
    """The answer for the fields that patterns name."""
    fields: dict[str, Any] = {}
    for name, kind in {**types, **_METADATA}.items():
        own = name in _METADATA
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            searchable = kind != "_source"
            fields[name] = {kind: _caps(kind, own, searchable, searchable and kind != "text")}
        keyword = f"{name}.keyword"
        if kind in ("text", "keyword") and any(fnmatchcase(keyword, one) for one in patterns if one != "*"):
            fields[keyword] = {"keyword": _caps("keyword", False, True, True)}
    if "*" in patterns:
        fields["message.keyword"] = {"keyword": _caps("keyword", False, True, True)}
    return {"indices": list(indices), "fields": fields}


def _caps(kind: str, metadata: bool, searchable: bool, aggregatable: bool) -> dict[str, Any]:
    return {"type": kind, "metadata_field": metadata, "searchable": searchable, "aggregatable": aggregatable}


def _type(values: Sequence[Any]) -> str:
    if all(isinstance(one, bool) for one in values):
        return "boolean"
    if all(isinstance(one, int) and not isinstance(one, bool) for one in values):
        return "long"
    return "double" if all(isinstance(one, int | float) and not isinstance(one, bool) for one in values) else "keyword"

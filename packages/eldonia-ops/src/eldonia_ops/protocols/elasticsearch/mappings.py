"""Mappings: what is declared of an index, and what its documents show.

Nothing is refused because of a mapping: a field that is a number here and a text there is kept as it came. What
documents show is read as Elasticsearch's dynamic mapping reads it; where they differ, the first one seen counts.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.templates import MAX_DEPTH

_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_TEXT: Final = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}
_OBJECTS: Final = frozenset({"object", "nested"})
_AGGREGATED: Final = frozenset({"text", "match_only_text", "object", "nested"})


def observed(sources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The ``properties`` that some documents show."""
    found: dict[str, Any] = {}
    for source in sources:
        _observe(source, found, 0)
    return found


def _observe(source: Mapping[str, Any], found: dict[str, Any], depth: int) -> None:
    if depth > MAX_DEPTH:
        return
    for name, value in source.items():
        *path, last = name.split(".")
        inner = found
        for step in path:
            inner = inner.setdefault(step, {"properties": {}}).setdefault("properties", {})
        _observe_value(last, value, inner, depth)


def _observe_value(name: str, value: Any, found: dict[str, Any], depth: int) -> None:
    if isinstance(value, list):
        for one in value[:20]:
            _observe_value(name, one, found, depth)
    elif isinstance(value, dict):
        if value:
            inner = found.setdefault(name, {"properties": {}}).setdefault("properties", {})
            _observe(value, inner, depth + 1)
    elif value is not None and name not in found:
        found[name] = _type_of(value)


def _type_of(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "long"}
    if isinstance(value, float):
        return {"type": "float"}
    return {"type": "date"} if _DATE.fullmatch(str(value)) else dict(_TEXT)


def mapping_of(declared: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping of an index: what is declared counts over the ``properties`` that are known by its documents."""
    properties = _properties(known, declared.get("properties") or {}, 0)
    return {**declared, **({"properties": properties} if properties else {})}


def _properties(known: Mapping[str, Any], declared: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Both together. A field that is declared is as it is declared; an object has the fields that are known, too."""
    found = dict(known)
    for name, stated in declared.items():
        there = found.get(name)
        inner, old = (one.get("properties") if isinstance(one, dict) else None for one in (stated, there))
        if isinstance(old, dict) and isinstance(stated, dict) and stated.get("type") in (None, "object", "nested"):
            below = _properties(old, inner if isinstance(inner, dict) else {}, depth + 1) if depth < MAX_DEPTH else old
            found[name] = {**stated, "properties": below}
        else:
            found[name] = stated
    return found


def fields_of(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The name and the type of each field of a mapping, objects among them."""
    for name, stated in stated_fields(properties):
        yield name, str(stated.get("type") or "object")


def stated_fields(
    properties: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name of each field of a mapping with what is stated of it, objects among them."""
    for name, stated in properties.items():
        if not isinstance(stated, dict) or depth > MAX_DEPTH:
            continue
        full = f"{prefix}{name}"
        yield full, stated
        for inner in (stated.get("properties"), stated.get("fields")):
            if isinstance(inner, dict):
                yield from stated_fields(inner, f"{full}.", depth + 1)


def _around(name: str) -> Iterator[str]:
    """The paths of the objects around a field."""
    at = name.find(".")
    while at > 0:
        yield name[:at]
        at = name.find(".", at + 1)


_METADATA: Final[Mapping[str, tuple[str, bool]]] = {
    "_id": ("_id", False),
    "_index": ("_index", True),
    "_source": ("_source", False),
}


def field_caps(mappings: Mapping[str, Mapping[str, Any]], wanted: Iterable[Any]) -> dict[str, Any]:
    """``fields`` of the answer to ``_field_caps``; ``mappings`` by index, ``wanted`` says of a name whether it is
    asked for (one predicate is enough)."""
    predicates = list(wanted)
    found: dict[str, dict[str, Any]] = {}
    by_type: dict[tuple[str, str], list[str]] = {}
    for index, mapping in mappings.items():
        types = dict(fields_of(mapping.get("properties") or {}))
        asked = [name for name in types if any(fits(name) for fits in predicates)]
        # The objects around a field are answered with it.
        around = [path for name in asked for path in _around(name) if types.get(path) in _OBJECTS]
        for name in dict.fromkeys((*asked, *around)):
            by_type.setdefault((name, types[name]), []).append(index)
    for (name, type), indices in by_type.items():
        caps: dict[str, Any] = {
            "type": type,
            "metadata_field": False,
            "searchable": type not in _OBJECTS,
            "aggregatable": type not in _AGGREGATED,
        }
        several = sum(1 for other, _ in by_type if other == name) > 1
        found.setdefault(name, {})[type] = {**caps, **({"indices": indices} if several else {})}
    for name, (type, aggregated) in _METADATA.items():
        if mappings and any(fits(name) for fits in predicates):
            caps = {"type": type, "metadata_field": True, "searchable": True, "aggregatable": aggregated}
            found[name] = {type: caps}
    return dict(sorted(found.items()))

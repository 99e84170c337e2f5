"""Pipelines that documents go through though their sender does not ask for it: they change what others send."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eldonia_ops.model.index_catalog import EntryKind
from eldonia_ops.protocols.elasticsearch.catalog import Catalog
from eldonia_ops.protocols.elasticsearch.templates import flat_settings

_SETTINGS: Final = ("index.default_pipeline", "index.final_pipeline")
_NO_PIPELINE: Final = "_none"
_TEMPLATES: Final = (EntryKind.INDEX_TEMPLATE, EntryKind.COMPONENT_TEMPLATE, EntryKind.LEGACY_TEMPLATE)


def bindings(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The default and the final pipeline that flat settings name; "" where there is none."""
    names = (str(settings.get(name) or "") for name in _SETTINGS)
    return tuple("" if name == _NO_PIPELINE else name for name in names)


def template_settings(kind: EntryKind, body: Mapping[str, Any]) -> dict[str, Any]:
    """The flat settings of a template."""
    inside = body if kind is EntryKind.LEGACY_TEMPLATE else body.get("template") or {}
    return flat_settings(inside.get("settings") or {})


def bound_pipelines(catalog: Catalog) -> frozenset[str]:
    """The pipelines that indices and templates name, and those that these call."""
    waiting = [name for one in catalog.all(EntryKind.INDEX).values() for name in bindings(one.body.get("settings", {}))]
    for kind in _TEMPLATES:
        for one in catalog.all(kind).values():
            waiting += bindings(template_settings(kind, one.body))
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name and name not in found:
            found.add(name)
            declared = catalog.get(EntryKind.PIPELINE, name)
            waiting += _called(declared.body) if declared is not None else ()
    return frozenset(found)


def _called(body: Any) -> Iterator[str]:
    """The names in processors of type ``pipeline``, wherever they are."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            stated = value.get("pipeline")
            if isinstance(stated, Mapping) and isinstance(stated.get("name"), str):
                yield str(stated["name"])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value

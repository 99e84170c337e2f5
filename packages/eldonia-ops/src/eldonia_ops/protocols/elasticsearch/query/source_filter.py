"""Which parts of a document are answered: ``_source`` filtering, ``fields`` and ``docvalue_fields``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from fnmatch import fnmatchcase
from typing import Any

from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import is_time
from eldonia_ops.protocols.elasticsearch.query.shapes import listed
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted

_MOST_FIELDS = 100


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """What of the source is wanted: nothing without ``wanted``, else what ``includes`` name (all when they are empty)
    and ``excludes`` do not."""

    wanted: bool = True
    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    def of(self, source: Mapping[str, Any]) -> dict[str, Any]:
        """The wanted part of a source."""
        if not self.includes and not self.excludes:
            return dict(source)
        return _filtered(source, "", self.includes, self.excludes)


def source_filter(value: Any) -> SourceFilter:
    """``true``, ``false``, a pattern, a list of them, or ``{"includes": […], "excludes": […]}``.

    Raises:
        DslError: it is none of these.
    """
    if value is None or value is True or value == "true":
        return SourceFilter()
    if value is False or value == "false":
        return SourceFilter(wanted=False)
    if isinstance(value, str | list):
        return SourceFilter(includes=_names(value))
    if isinstance(value, dict):
        known = {"includes", "include", "excludes", "exclude"}
        for key in value:
            if key not in known:
                raise parsing(f"Unknown key for a VALUE_STRING in [_source]: [{key}].", key)
        includes = value.get("includes", value.get("include", []))
        excludes = value.get("excludes", value.get("exclude", []))
        return SourceFilter(includes=_names(includes), excludes=_names(excludes))
    raise parsing("Expected one of [VALUE_BOOLEAN, START_OBJECT, VALUE_STRING, START_ARRAY] in [_source]", "_source")


@dataclass(frozen=True, slots=True)
class FieldsWanted:
    """``fields`` or ``docvalue_fields``: patterns of names, each with a format for times."""

    patterns: tuple[tuple[str, str], ...] = ()

    def of(self, source: Mapping[str, Any], timestamp_ns: int) -> dict[str, list[Any]]:
        """The values of a document by field; always lists."""
        found: dict[str, list[Any]] = {}
        for name, values in flattened(source):
            for pattern, format in self.patterns:
                plain = pattern.removesuffix(".keyword")
                if fnmatchcase(name, plain) or fnmatchcase(name, pattern):
                    key = pattern if "*" not in pattern else name
                    timed = is_time(name) and name == "@timestamp"
                    found.setdefault(key, []).extend([formatted(timestamp_ns, format, UTC)] if timed else values)
                    break
        for pattern, format in self.patterns:
            if pattern == "@timestamp" and pattern not in found:
                found[pattern] = [formatted(timestamp_ns, format, UTC)]
        return found


def fields_wanted(value: Any, place: str) -> FieldsWanted:
    """``["message", {"field": "@timestamp", "format": "epoch_millis"}]``.

    Raises:
        DslError: it is something else, or too much.
    """
    if value is None:
        return FieldsWanted()
    patterns: list[tuple[str, str]] = []
    for one in listed(value):
        if isinstance(one, str):
            patterns.append((one, ""))
        elif isinstance(one, dict) and isinstance(one.get("field"), str):
            patterns.append((one["field"], str(one.get("format") or "")))
        else:
            raise parsing(f"[{place}] failed to parse object", place)
    if len(patterns) > _MOST_FIELDS:
        raise illegal(
            f"Trying to retrieve too many {place}. Must be less than or equal to: [{_MOST_FIELDS}] but was "
            f"[{len(patterns)}]."
        )
    return FieldsWanted(tuple(patterns))


def flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, list[Any]]]:
    """The fields of a document by their dotted names, each with its values."""
    for key, one in value.items():
        name = f"{prefix}{key}"
        if isinstance(one, Mapping):
            yield from flattened(one, f"{name}.")
        elif isinstance(one, list):
            plain = [item for item in one if not isinstance(item, dict | list) and item is not None]
            if plain:
                yield name, plain
            for item in one:
                if isinstance(item, Mapping):
                    yield from flattened(item, f"{name}.")
        elif one is not None:
            yield name, [one]


def _filtered(
    value: Mapping[str, Any], prefix: str, includes: Sequence[str], excludes: Sequence[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, one in value.items():
        path = f"{prefix}{key}"
        if any(fnmatchcase(path, pattern) for pattern in excludes):
            continue
        inside = not includes or any(fnmatchcase(path, pattern) for pattern in includes)
        below = inside or any(_may_be_below(path, pattern) for pattern in includes)
        if not below:
            continue
        deeper: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda item, path=path, inside=inside: _filtered(  # noqa: E731
            item, f"{path}.", () if inside else includes, excludes
        )
        if isinstance(one, Mapping):
            part = deeper(one)
            if part or inside:  # as in Elasticsearch, an object of which everything is excluded stays
                found[key] = part
        elif isinstance(one, list) and any(isinstance(item, Mapping) for item in one):
            parts = [deeper(item) if isinstance(item, Mapping) else item for item in one]
            parts = [item for item in parts if item != {}]
            if parts:
                found[key] = parts
        elif inside:
            found[key] = one
    return found


def _may_be_below(path: str, pattern: str) -> bool:
    """Whether a pattern may name something below a path."""
    parts, names = pattern.split("."), path.split(".")
    if "*" in pattern and len(parts) <= len(names):
        return any("*" in part for part in parts) and fnmatchcase(
            path[: len(path)], pattern[: pattern.index("*")] + "*"
        )
    return len(parts) > len(names) and all(fnmatchcase(name, part) for name, part in zip(names, parts, strict=False))


def _names(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else [str(one) for one in listed(value)]
    return tuple(name.strip() for name in names if name.strip())

"""A document as processors see it: fields by their paths, and the names of its index and id beside them."""

from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError

MISSING: Final = object()
METADATA: Final = ("_index", "_id", "_routing", "_version", "_version_type", "_if_seq_no", "_if_primary_term")
_MOST_PATH: Final = 20


@dataclass(slots=True)
class IngestDocument:
    """``source`` is the document, ``metadata`` has ``_index`` and ``_id``, ``ingest`` what ``_ingest`` means."""

    source: dict[str, Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    ingest: dict[str, Any] = field(default_factory=dict)
    dropped: bool = False
    steps: int = 0

    def get(self, path: str) -> Any:
        """The value at a path; :data:`MISSING` when there is none."""
        inner, steps = self._start(path)
        for step in steps:
            inner = _child(inner, step)
            if inner is MISSING:
                return MISSING
        return inner

    def need(self, path: str) -> Any:
        """The same.

        Raises:
            ProcessorError: there is none.
        """
        found = self.get(path)
        if found is MISSING:
            last = path.rpartition(".")[2]
            raise ProcessorError(f"field [{last}] not present as part of path [{path}]")
        return found

    def set(self, path: str, value: Any) -> None:
        """Put a value at a path; objects on the way are made.

        Raises:
            ProcessorError: something on the way is no object.
        """
        inner, steps = self._start(path)
        for step in steps[:-1]:
            following = _child(inner, step)
            if following is MISSING or following is None:
                following = {}
                _put(inner, step, following, path)
            inner = following
        _put(inner, steps[-1], value, path)

    def remove(self, path: str) -> None:
        """Take the field at a path out.

        Raises:
            ProcessorError: there is none.
        """
        self.need(path)
        inner, steps = self._start(path)
        for step in steps[:-1]:
            inner = _child(inner, step)
        if isinstance(inner, dict):
            del inner[steps[-1]]
        else:
            del inner[int(steps[-1])]

    def append(self, path: str, values: list[Any], *, duplicates: bool = True) -> None:
        """Add values to the list at a path; a single value there becomes one."""
        there = self.get(path)
        found = [] if there is MISSING else list(there) if isinstance(there, list) else [there]
        found += [value for value in values if duplicates or value not in found]
        self.set(path, found)

    def _start(self, path: str) -> tuple[Any, list[str]]:
        if path in METADATA:
            return self.metadata, [path]
        steps = path.split(".")
        if steps[0] == "_ingest" and len(steps) > 1:
            return self.ingest, steps[1:]
        if steps[0] in ("_source", "ctx") and len(steps) > 1:
            steps = steps[1:]
        if not all(steps) or len(steps) > _MOST_PATH:
            raise ProcessorError(f"path [{path[:200]}] is not valid")
        return self.source, steps


def _child(inner: Any, step: str) -> Any:
    if isinstance(inner, dict):
        return inner.get(step, MISSING)
    if isinstance(inner, list) and step.isascii() and step.isdigit() and int(step[:9]) < len(inner):
        return inner[int(step[:9])]
    return MISSING


def _put(inner: Any, step: str, value: Any, path: str) -> None:
    if isinstance(inner, dict):
        inner[step] = value
    elif isinstance(inner, list):
        if not (step.isascii() and step.isdigit()) or int(step[:9]) >= len(inner):
            raise ProcessorError(f"[{step}] is out of bounds for array with length [{len(inner)}] in path [{path}]")
        inner[int(step[:9])] = value
    else:
        kind = java_name(inner)
        raise ProcessorError(f"cannot set [{step}] with parent object of type [{kind}] as part of path [{path}]")


def java_name(value: Any) -> str:
    """The type of a value in Elasticsearch's messages."""
    names = {bool: "Boolean", int: "Integer", float: "Double", str: "String", list: "ArrayList", dict: "HashMap"}
    found = names.get(type(value))
    if found is None:
        return "null"
    return f"java.util.{found}" if found in ("ArrayList", "HashMap") else f"java.lang.{found}"

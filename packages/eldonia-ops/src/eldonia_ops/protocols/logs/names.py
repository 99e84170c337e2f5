"""Looking up the keys of a JSON document by what they mean, however their words are joined.

``logLevel``, ``log_level``, ``LogLevel``, ``@log-level`` and ``_log_level`` are one name, ``loglevel``. A dot in a
name reaches into nested objects: ``log.level`` finds ``{"log": {"level": …}}`` and ``{"log.level": …}``.
"""

from collections.abc import Iterator, KeysView
from functools import lru_cache
from typing import Any, Final

_LONGEST: Final = 64
_JOINTS = str.maketrans("", "", "_- @")


def plain_name(key: str) -> str:
    """The name that a key spells; empty for one that is longer than any name that is looked for."""
    return _plain(key) if len(key) <= _LONGEST else ""


@lru_cache(maxsize=4_096)
def _plain(key: str) -> str:
    return key.translate(_JOINTS).lower()


@lru_cache(maxsize=256)
def beginnings(names: tuple[str, ...]) -> frozenset[str]:
    """The names of the object's own keys under which some names can be found."""
    return frozenset(names) | {name.partition(".")[0] for name in names}


class Document:
    """A decoded JSON object from which fields are taken; what is left in ``rest`` has no place of its own."""

    def __init__(self, rest: dict[str, Any]) -> None:
        self.rest = rest
        self._keys: dict[str, str] = {}
        for key in rest:
            self._keys.setdefault(plain_name(key), key)
        self._keys.pop("", None)

    def has(self, *names: str) -> bool:
        """Whether every one of the names is a key of the object itself."""
        return all(name in self._keys for name in names)

    def names(self) -> KeysView[str]:
        """The plain names of the object's own keys."""
        return self._keys.keys()

    def get(self, name: str) -> Any:
        """The value under a key of the object itself, or None."""
        key = self._keys.get(name)
        return self.rest.get(key) if key is not None else None

    def pop(self, name: str) -> Any:
        """Take the value under a key of the object itself; None when there is none."""
        key = self._keys.pop(name, None)
        return self.rest.pop(key, None) if key is not None else None

    def put(self, name: str, value: Any) -> None:
        """Add a value under a name that the object does not have."""
        self.rest[name] = value
        self._keys[name] = name

    def forget(self, name: str) -> None:
        """The value under a name was taken."""
        self._keys.pop(name, None)

    def found(self, names: tuple[str, ...]) -> Iterator[tuple["Place", Any]]:
        """Where the names are, in their order, and the values there; nulls are left out."""
        if self._keys.keys().isdisjoint(beginnings(names)):
            return  # as nearly always
        for name in names:
            if name in self._keys:
                key = self._keys[name]
                if self.rest[key] is not None:
                    yield Place(self.rest, key, self, name), self.rest[key]
            elif "." in name:
                yield from self._nested(self.rest, self._keys.get(name.partition(".")[0]), name)

    def _nested(self, outer: dict[str, Any], first: str | None, name: str) -> Iterator[tuple["Place", Any]]:
        rest = name.partition(".")[2]
        inner = outer.get(first) if first is not None else None
        if not isinstance(inner, dict) or first is None:
            return
        key = next((key for key in inner if plain_name(key) == rest), None)
        if key is not None:
            if inner[key] is not None:
                yield (
                    Place(inner, key, self, name.partition(".")[0] if outer is self.rest else "", outer, first),
                    inner[key],
                )
        elif "." in rest:
            head = rest.partition(".")[0]
            second = next((key for key in inner if plain_name(key) == head), None)
            yield from self._nested(inner, second, rest)


class Place:
    """One value of a document."""

    __slots__ = ("_document", "_holder", "_key", "_name", "_outer", "_outer_key")

    def __init__(
        self,
        holder: dict[str, Any],
        key: str,
        document: Document,
        name: str,
        outer: dict[str, Any] | None = None,
        outer_key: str = "",
    ) -> None:
        self._holder, self._key, self._document, self._name = holder, key, document, name
        self._outer, self._outer_key = outer, outer_key

    def take(self) -> None:
        """Remove the value, and the object around it when nothing else is in there."""
        del self._holder[self._key]
        if self._outer is None:
            self._document.forget(self._name)
        elif not self._holder:
            del self._outer[self._outer_key]
            if self._name:
                self._document.forget(self._name)

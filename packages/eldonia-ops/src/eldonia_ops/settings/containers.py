"""Kinds of values that hold others: lists, mappings, sections."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from eldonia_ops.model.labels import EMPTY
from eldonia_ops.settings.declaration import declared
from eldonia_ops.settings.kinds import NULL, Clean, Kind
from eldonia_ops.settings.objects import Check, object_schema, plain_section, read_section
from eldonia_ops.settings.reader import SettingsReader, unique

SCALAR = {"type": ["string", "number", "boolean"]}


@dataclass(frozen=True, slots=True)
class Texts(Kind):
    """A list of texts; a single text counts as a list of one. ``sensitive`` as with a text."""

    empty: ClassVar[Any] = ()
    what: str = "list of texts"
    sensitive: bool = False

    @property
    def words(self) -> str:
        """The kind in words."""
        return self.what

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The texts."""
        return reader.strings(key, default, required=required)

    def schema(self) -> dict[str, Any]:
        """A scalar or an array of them."""
        return {"anyOf": [SCALAR, {"type": "array", "items": SCALAR}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The list."""
        return [clean(item) if self.sensitive else item for item in value]


@dataclass(frozen=True, slots=True)
class Globs(Texts):
    """Patterns of file names."""

    what: str = "list of globs"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The patterns, made absolute."""
        return reader.globs(key) or default


@dataclass(frozen=True, slots=True)
class TextMap(Kind):
    """A mapping from text to text."""

    empty: ClassVar[Any] = EMPTY
    what: str = "mapping"
    sensitive: bool = False

    @property
    def words(self) -> str:
        """The kind in words."""
        return self.what

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The mapping."""
        return reader.string_map(key, required=required)

    def schema(self) -> dict[str, Any]:
        """A mapping to scalars."""
        return {"anyOf": [{"type": "object", "additionalProperties": {"type": [*SCALAR["type"], "null"]}}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The mapping; of one that is sensitive only the names."""
        return {name: "<secret>" if self.sensitive else text for name, text in value.items()}


@dataclass(frozen=True, slots=True)
class LabelSet(TextMap):
    """Labels, without the names that are ``reserved``."""

    what: str = "labels"
    reserved: tuple[str, ...] = ()

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The labels."""
        return reader.labels(key, reserved=self.reserved)

    def schema(self) -> dict[str, Any]:
        """Names as Prometheus has them."""
        found: dict[str, Any] = {
            "type": "object",
            "additionalProperties": {"type": [*SCALAR["type"], "null"]},
            "propertyNames": {"pattern": "^(?!__)[A-Za-z_][A-Za-z0-9_]*$"},
        }
        if self.reserved:
            found["propertyNames"]["not"] = {"enum": list(self.reserved)}
        return {"anyOf": [found, NULL]}


@dataclass(frozen=True, slots=True)
class Headers(TextMap):
    """Headers of an HTTP request, whose values are secrets."""

    secret: ClassVar[bool] = True
    what: str = "headers"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The headers."""
        return reader.headers(key)

    def plain(self, value: Any, clean: Clean) -> Any:
        """The names, with values that are not shown."""
        return {name: str(text) for name, text in value.items()}


@dataclass(frozen=True, slots=True)
class AnyMap(Kind):
    """A mapping of any shape, which may hold secrets."""

    secret: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The mapping, or None."""
        return reader.plain_map(key)

    def schema(self) -> dict[str, Any]:
        """Any mapping."""
        return {"type": ["object", "null"]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """Its keys, with values that are not shown."""
        return None if value is None else dict.fromkeys(value, "<secret>")


@dataclass(frozen=True, slots=True)
class Section(Kind):
    """A mapping with fields of its own. ``check`` looks at the whole of it."""

    cls: type
    check: Check | None = None

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The section; the default where it is missing."""
        inner = reader.section(key)
        return default if inner is None else read_section(inner, self.cls, default, self.check)

    def schema(self) -> dict[str, Any]:
        """A mapping of its fields and no others."""
        return {"anyOf": [object_schema(self.cls), NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """A mapping of its fields."""
        return plain_section(value, clean)


@dataclass(frozen=True, slots=True)
class Items(Kind):
    """A list of sections. ``unique`` names the field that no two may share, ``called`` what they are called then;
    ``check`` looks at one of them, ``check_all`` at all. An item has at least one of the keys ``one_of``; ``check``
    says so."""

    empty: ClassVar[Any] = ()
    cls: type
    unique: str
    called: str
    check: Check | None = None
    check_all: Callable[[list[SettingsReader], tuple[Any, ...]], None] | None = None
    one_of: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The items that there are."""
        readers = reader.list_of(key)
        found = tuple(read_section(one, self.cls, None, self.check) for one in readers)
        names = [getattr(one, self.unique) for one in found]
        shown = next(field.key for field in declared(self.cls) if field.name == self.unique)
        unique(list(zip(readers, names, strict=True)), shown, self.called)
        if self.check_all is not None:
            self.check_all(readers, found)
        return found

    def schema(self) -> dict[str, Any]:
        """An array of mappings."""
        one = object_schema(self.cls)
        if self.one_of:
            one["anyOf"] = [{"required": [key]} for key in self.one_of]
        return {"anyOf": [{"type": "array", "items": one}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """A list of mappings."""
        return [plain_section(item, clean) for item in value]


@dataclass(frozen=True, slots=True)
class ByName(Kind):
    """A section for each member of an enumeration, with defaults of its own."""

    enum: type[Enum]
    cls: type

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping by type, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """An entry for each member."""
        found = dict(default)
        inner = reader.section(key)
        if inner is None:
            return found
        for member in self.enum:
            one = inner.section(member.value)
            if one is not None:
                found[member] = read_section(one, self.cls, default[member])
        inner.done()
        return found

    def schema(self) -> dict[str, Any]:
        """A mapping with a key for each member."""
        one = {"anyOf": [object_schema(self.cls, complete=False), NULL]}
        return {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {member.value: one for member in self.enum},
                    "additionalProperties": False,
                },
                NULL,
            ]
        }

    def plain(self, value: Mapping[Any, Any], clean: Clean) -> Any:
        """A mapping with a key for each member."""
        return {member.value: plain_section(one, clean) for member, one in value.items()}

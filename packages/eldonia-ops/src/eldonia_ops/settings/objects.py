"""Objects of declared dataclasses: read from a mapping, written as one, described by a schema."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, TypeAlias

from eldonia_ops.settings.declaration import Declared, Setting, declared
from eldonia_ops.settings.kinds import Clean, Kind
from eldonia_ops.settings.reader import SettingsReader

Check: TypeAlias = Callable[[SettingsReader, Any], None]
"""Notes what is wrong with an object as a whole."""


@dataclass(frozen=True, slots=True)
class Inline(Kind):
    """Fields that are written in the surrounding mapping and belong to an object of their own."""

    cls: type

    @property
    def words(self) -> str:
        """Never shown: its fields are."""
        return ""

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The object."""
        return self.cls(**read_fields(reader, self.cls, default))


@dataclass(frozen=True, slots=True)
class Spread(Kind):
    """Keys of the surrounding mapping that are declared elsewhere, such as the sections of collectors."""

    @property
    def words(self) -> str:
        """Never shown: what is spread is."""
        return ""

    def parts(self) -> dict[str, Setting]:
        """The declarations, by their keys."""
        raise NotImplementedError

    def plain(self, value: Mapping[str, Any], clean: Clean) -> dict[str, Any]:
        """The keys that there are, as the file would hold them."""
        parts = self.parts()
        return {key: parts[key].kind.plain(one, clean) for key, one in value.items() if key in parts}


def read_section(reader: SettingsReader, cls: type, default: Any = None, check: Check | None = None) -> Any:
    """An object of a declared dataclass from a mapping; ``default`` is the object that it starts from, if any."""
    found = cls(**read_fields(reader, cls, default))
    if check is not None:
        check(reader, found)
    reader.done()
    return found


def read_fields(reader: SettingsReader, cls: type, default: Any = None) -> dict[str, Any]:
    """The declared fields of a dataclass by their names. :attr:`SettingsReader.values` holds those read so far."""
    found: dict[str, Any] = {}
    nested: dict[str, SettingsReader | None] = {}
    for field in declared(cls):
        start = _start(field, default)
        within: SettingsReader | None = reader
        if under := field.setting.under:
            if under not in nested:
                nested[under] = reader.section(under)
            within = nested[under]
        if within is None:
            found[field.name] = start
        else:
            found[field.name] = field.kind.read(within, field.key, start, field.required)
        reader.values[field.name] = found[field.name]
    for one in nested.values():
        if one is not None:
            one.done()
    return found


def _start(field: Declared, default: Any) -> Any:
    if default is not None:
        return getattr(default, field.name)
    # Without a default of its own the field has what the kind calls empty.
    return field.kind.empty if field.default is MISSING else field.default


def plain_section(value: Any, clean: Clean) -> dict[str, Any]:
    """An object as the mapping that the file would hold."""
    found: dict[str, Any] = {}
    for field in declared(type(value)):
        one = getattr(value, field.name)
        if isinstance(field.kind, Inline):
            found |= plain_section(one, clean)
        elif isinstance(field.kind, Spread):
            found |= field.kind.plain(one, clean)
        elif field.setting.applies(value):
            target = found.setdefault(field.setting.under, {}) if field.setting.under else found
            target[field.key] = field.kind.plain(one, clean)
    return found


def object_schema(cls: type, *, complete: bool = True) -> dict[str, Any]:
    """The JSON Schema of a declared dataclass. ``complete`` asks for the required fields."""
    found: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    _add_fields(found, cls, complete)
    return found


def _add_fields(found: dict[str, Any], cls: type, complete: bool) -> None:
    for field in declared(cls):
        if isinstance(field.kind, Inline):
            _add_fields(found, field.kind.cls, complete)
            continue
        if isinstance(field.kind, Spread):
            for key, part in field.kind.parts().items():
                found["properties"][key] = part.kind.schema() | {"description": part.doc}
            continue
        target = found
        if under := field.setting.under:
            target = found["properties"].setdefault(
                under, {"type": ["object", "null"], "properties": {}, "additionalProperties": False}
            )
        described = field.kind.schema() | ({"description": field.setting.doc} if field.setting.doc else {})
        target["properties"][field.key] = described
        if field.kind.has_file:
            doc = f"A file that holds {field.key}."
            target["properties"][f"{field.key}_file"] = {"type": ["string", "null"], "description": doc}
        if not (field.required and complete):
            continue
        if field.kind.has_file:
            both = [{"required": [field.key]}, {"required": [f"{field.key}_file"]}]
            target.setdefault("allOf", []).append({"anyOf": both})
        else:
            target.setdefault("required", []).append(field.key)

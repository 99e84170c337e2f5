"""Plain data (of JSON or YAML) to a dashboard, with everything that is wrong and where.

What is wrong is left out and reading goes on, so one pass finds all. Types, bounds and choices are those of the
annotations of :mod:`~eldonia_ops.dashboards.document`.
"""

import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from eldonia_ops.dashboards.complete import completed
from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import MOST_FAULTS, DashboardError, Fault, Path
from eldonia_ops.model.errors import nearest
from eldonia_ops.model.foreign import clean_text

P = TypeVar("P", bound=msgspec.Struct)
_MISSING: Final = object()
_DEEPEST: Final = 24


@dataclass(frozen=True, slots=True)
class Written:
    """A value of a YAML file that is a number or boolean, and the text that it was written as."""

    value: Any
    text: str


def read_dashboard(data: Any, uid: str = "") -> Dashboard:
    """A dashboard out of plain data; ``uid`` is its uid where it names none.

    Ids of panels, refs of queries and places on the grid that are not given are filled in.

    Raises:
        DashboardError: with all that is wrong.
    """
    reader = _Reader()
    found = reader.read(data, _root(), ())
    if not reader.faults and isinstance(found, Dashboard):
        found, more = completed(found, uid)
        reader.faults += more
    if reader.faults or not isinstance(found, Dashboard):
        raise DashboardError(reader.faults)
    return found


def read_leniently(data: Any, uid: str = "") -> tuple[Dashboard | None, list[Fault]]:
    """What can be read of a dashboard, and what was left out. None when there is no dashboard in it, or when parts do
    not go together."""
    reader = _Reader()
    found = reader.read(data, _root(), ())
    if not isinstance(found, Dashboard):
        return None, reader.faults
    whole, more = completed(found, uid)
    return (None if more else whole), [*reader.faults, *more]


def read_part(data: Any, cls: type[P], path: Path = ()) -> P:
    """A part of a document by itself, such as one annotation.

    Raises:
        DashboardError: with all that is wrong; paths begin with ``path``.
    """
    reader = _Reader()
    found = reader.read(data, inspect.type_info(cls), path)
    if reader.faults or not isinstance(found, cls):
        raise DashboardError(reader.faults)
    return found


@cache
def _root() -> inspect.Type:
    return inspect.type_info(Dashboard)


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, path: Path, message: str, hint: str = "") -> Any:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(path, message, hint))
        return _MISSING

    def read(self, value: Any, kind: inspect.Type, path: Path) -> Any:
        """The value as its type has it; :data:`_MISSING` when it is wrong, which is noted."""
        if isinstance(kind, inspect.UnionType):
            return self._union(value, kind, path)
        written = value.text if isinstance(value, Written) else None
        if isinstance(value, Written):
            value = value.value
        name = _name(path)
        match kind:
            case inspect.StructType():
                return self._struct(value, kind, path)
            case inspect.VarTupleType():
                return self._list(value, kind, path)
            case inspect.DictType():
                return self._mapping(value, kind, path)
            case inspect.LiteralType():
                text = written if written is not None else value
                if isinstance(text, str) and text in kind.values:
                    return text
                choices = [str(one) for one in kind.values]
                hint = (nearest(text[:64], choices) if isinstance(text, str) else "") or f"one of {', '.join(choices)}"
                return self.fault(path, f"{name} cannot be {_shown(text)}", hint)
            case inspect.StrType():
                text = written if written is not None else value
                if not isinstance(text, str):
                    return self.fault(path, f"{name} must be a text, not {_described(value)}")
                return self._text(clean_text(text), kind, path)
            case inspect.BoolType():
                if isinstance(value, bool):
                    return value
                return self.fault(path, f"{name} must be true or false, not {_described(value)}")
            case inspect.IntType() | inspect.FloatType():
                return self._number(value, kind, path)
        return self.fault(path, f"{name} cannot be {_described(value)}")

    def _struct(self, value: Any, kind: inspect.StructType, path: Path) -> Any:
        what = _name(path) or "a dashboard"
        if not isinstance(value, dict):
            return self.fault(path, f"{what} must be a mapping, not {_described(value)}")
        if len(path) > _DEEPEST:
            return self.fault(path, f"{what} is nested too deep")
        fields = {field.encode_name: field for field in kind.fields}
        found: dict[str, Any] = {}
        for key, item in value.items():
            field = fields.get(key)
            if field is None:
                if key == kind.tag_field:
                    continue
                hint = nearest(str(key)[:64], fields) or f"known: {', '.join(fields)}"
                self.fault((*path, str(key)), f"unknown key {_shown(str(key))} in {what}", hint)
            elif item is not None:
                read = self.read(item, field.type, (*path, key))
                if read is not _MISSING:
                    found[field.name] = read
        missing = [field.encode_name for field in kind.fields if field.required and field.name not in found]
        lacking = [name for name in missing if value.get(name) is None]
        if lacking:
            self.fault(path, f"{what} needs {' and '.join(lacking)}")
        return _MISSING if missing else kind.cls(**found)

    def _list(self, value: Any, kind: inspect.VarTupleType, path: Path) -> Any:
        if not isinstance(value, list | tuple):
            hint = "write it in brackets: [a, b]" if isinstance(value, str) else ""
            return self.fault(path, f"{_name(path)} must be a list, not {_described(value)}", hint)
        most, least = kind.max_length, kind.min_length
        if most is not None and len(value) > most:
            return self.fault(path, f"{_name(path)} has {len(value)} entries: more than {most}")
        if least is not None and len(value) < least:
            return self.fault(path, f"{_name(path)} needs at least {least}")
        read = [self.read(item, kind.item_type, (*path, index)) for index, item in enumerate(value)]
        return tuple(one for one in read if one is not _MISSING)

    def _mapping(self, value: Any, kind: inspect.DictType, path: Path) -> Any:
        if not isinstance(value, dict):
            return self.fault(path, f"{_name(path)} must be a mapping, not {_described(value)}")
        if kind.max_length is not None and len(value) > kind.max_length:
            return self.fault(path, f"{_name(path)} has {len(value)} entries: more than {kind.max_length}")
        read = {
            clean_text(str(key)): self.read(item, kind.value_type, (*path, str(key))) for key, item in value.items()
        }
        return {key: one for key, one in read.items() if one is not _MISSING}

    def _union(self, value: Any, kind: inspect.UnionType, path: Path) -> Any:
        plain = value.value if isinstance(value, Written) else value
        types = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        structs = [one for one in types if isinstance(one, inspect.StructType)]
        tagged = [one for one in structs if one.tag_field]
        if tagged:
            return self._tagged(plain, tagged, path)
        if isinstance(plain, dict) and structs:
            return self.read(plain, structs[0], path)
        others = [one for one in types if not isinstance(one, inspect.StructType)]
        for accepted in (_of_kind(plain, one) for one in others):
            if accepted is not None:
                return self.read(value, accepted, path)
        texts = [one for one in others if isinstance(one, inspect.StrType)]
        floats = [one for one in others if isinstance(one, inspect.FloatType)]
        return self.read(value, (texts or floats or others or types)[0], path)

    def _tagged(self, value: Any, structs: list[inspect.StructType], path: Path) -> Any:
        if not isinstance(value, dict):
            return self.fault(path, f"{_name(path)} must be a mapping with a type, not {_described(value)}")
        by_tag = {str(one.tag): one for one in structs}
        field = structs[0].tag_field or "type"
        tag = value.get(field)
        if isinstance(tag, str) and tag in by_tag:
            return self.read(value, by_tag[tag], path)
        hint = (nearest(tag[:64], by_tag) if isinstance(tag, str) else "") or f"one of {', '.join(by_tag)}"
        return self.fault((*path, field), f"{field} cannot be {_shown(tag)}" if tag else f"it needs a {field}", hint)

    def _text(self, text: str, kind: inspect.StrType, path: Path) -> Any:
        if kind.max_length is not None and len(text) > kind.max_length:
            return self.fault(path, f"{_name(path)} is longer than {kind.max_length} characters")
        if kind.min_length is not None and len(text) < kind.min_length:
            return self.fault(path, f"{_name(path)} is empty")
        if kind.pattern is not None and not _fits(kind.pattern, text):
            return self.fault(path, f"{_name(path)} cannot be {_shown(text)}", _PATTERNS[kind.pattern])
        return text

    def _number(self, value: Any, kind: inspect.IntType | inspect.FloatType, path: Path) -> Any:
        whole = isinstance(kind, inspect.IntType)
        word = "a whole number" if whole else "a number"
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or abs(value) > _LARGEST:
            return self.fault(path, f"{_name(path)} must be {word}, not {_described(value)}")
        if whole and value != int(value):
            return self.fault(path, f"{_name(path)} must be {word}, not {value}")
        value = int(value) if whole else value
        least, most = kind.ge, kind.le if kind.le is not None else kind.lt
        if (least is not None and value < least) or (
            most is not None and (value > most if kind.le is not None else value >= most)
        ):
            top = most if kind.le is not None or most is None else most - 1
            return self.fault(path, f"{_name(path)} is out of bounds: {value}", f"from {least} to {top}")
        return value


_LARGEST: Final = 1e300
_OF_NAMES: Final = "^[A-Za-z_][A-Za-z0-9_]*$"
_OF_UIDS: Final = "^[A-Za-z0-9_-]{0,40}$"
_PATTERNS: Final = {
    _OF_NAMES: "letters, digits and underscores",
    _OF_UIDS: "at most 40 letters, digits, hyphens and underscores",
}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_UID: Final = re.compile(r"[A-Za-z0-9_-]{0,40}")


def _fits(pattern: str, text: str) -> bool:
    """Whether a text is of the form that an annotation names; there are two."""
    if pattern == _OF_NAMES:
        return _NAME.fullmatch(text) is not None
    return _UID.fullmatch(text) is not None


def _of_kind(value: Any, kind: inspect.Type) -> inspect.Type | None:
    """The type, if the value is of its kind without any change."""
    match kind:
        case inspect.BoolType():
            fits = isinstance(value, bool)
        case inspect.IntType():
            fits = isinstance(value, int) and not isinstance(value, bool)
        case inspect.FloatType():
            fits = isinstance(value, float)
        case inspect.StrType():
            fits = isinstance(value, str)
        case _:
            fits = isinstance(value, list | tuple | dict) or isinstance(kind, inspect.LiteralType)
    return kind if fits else None


def _name(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    if not names:
        return ""
    return f"{names[-1]}[{path[-1]}]" if isinstance(path[-1], int) else names[-1]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _described(value: Any) -> str:
    match value:
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
        case None:
            return "nothing"
        case _:
            return _shown(value)


def to_plain(part: msgspec.Struct) -> dict[str, Any]:
    """A dashboard, or a part of one, as plain data: keys in the order of the document, without defaults."""
    found: dict[str, Any] = {}
    info = type(part).__struct_config__
    always = getattr(part, "ALWAYS", frozenset[str]())
    if info.tag is not None:
        found[info.tag_field or "type"] = info.tag
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if field.encode_name in always and value is not None:
            found[field.encode_name] = _plain(value)
            continue
        if field.default is not msgspec.NODEFAULT and value == field.default and type(value) is type(field.default):
            continue
        if field.default_factory is not msgspec.NODEFAULT and value == field.default_factory():
            continue
        found[field.encode_name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    match value:
        case msgspec.Struct():
            return to_plain(value)
        case tuple():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
        case _:
            return value

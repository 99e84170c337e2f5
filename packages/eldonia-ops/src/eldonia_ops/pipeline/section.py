"""A pipeline as it is written: sections with parameters, each with its place.

The same tree is read from a ``fluent.conf`` and from YAML. In the first every value is text; in the second it may have
a type already. :class:`SectionReader` takes both, by the rules of Fluentd's ``config_param`` types.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.errors import Diagnostic, Level, nearest

_TRUE: Final = frozenset(("true", "yes", ""))
_FALSE: Final = frozenset(("false", "no"))
_SIZES: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Unreadable:
    """The value of a parameter whose text could not be read: that was noted, and its default counts."""


UNREADABLE: Final = Unreadable()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written. ``line`` counts from 1; 0 means unknown."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Parameter:
    """One ``name value``. The value is text, or what YAML made of it."""

    name: str
    value: Any
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """``<name argument> … </name>``. Of a parameter that is written twice the last one counts, as in Fluentd."""

    name: str
    argument: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    sections: tuple["Section", ...] = ()
    place: Place = field(default=Place(), compare=False)

    @property
    def type(self) -> str:
        """The plug-in that it names (``@type``, or ``type`` as old files have it); '' for none."""
        found = self.parameters.get("@type") or self.parameters.get("type")
        return "" if found is None or found.value is None or found.value is UNREADABLE else str(found.value)

    def named(self, name: str) -> tuple["Section", ...]:
        """The sections directly below with a name."""
        return tuple(section for section in self.sections if section.name == name)


def digest_of(section: Section) -> str:
    """The same for the same text, wherever it is written."""
    return hashlib.blake2b(repr(_content(section)).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _content(section: Section) -> tuple[Any, ...]:
    parameters = sorted((one.name, str(one.value)) for one in section.parameters.values())
    return section.name, section.argument, parameters, [_content(inside) for inside in section.sections]


class SectionReader:
    """Typed access to one section. What is wrong is noted in ``problems`` with its place, and reading goes on with the
    default, so that all faults of a file are found at once. :meth:`finish` names what was never asked for."""

    def __init__(self, section: Section, problems: list[Diagnostic]) -> None:
        self.section = section
        self.problems = problems
        self._asked: set[str] = {"@type", "type", "@id", "id", "@log_level", "log_level", "@label"}
        self._sections: set[str] = set()

    # --- values

    def string(self, name: str, default: str = "", *, required: bool = False) -> str:
        """Text. A required parameter that is missing is a problem of the section."""
        value = self._raw(name)
        if value is None:
            if required and name not in self.section.parameters:
                self.problem(f"<{self.section.name}> of type {self.section.type or '?'} needs {name}")
            return default
        return value if isinstance(value, str) else _text(value)

    def choice(self, name: str, among: Collection[str], default: str) -> str:
        """One of some words."""
        value = self.string(name, default)
        if value in among or value == default:
            return value
        self.problem(f"{name} must be one of {', '.join(among)}, not {value!r}", name, hint=nearest(value, among))
        return default

    def boolean(self, name: str, default: bool) -> bool:
        """``true``, ``yes`` or nothing after the name; ``false`` or ``no``."""
        value = self._raw(name)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        text = str(value).strip().lower()
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        if text.startswith("#"):  # ``name # comment`` has the comment for its value
            return True
        self.problem(f"{name} must be true or false, not {value!r}", name)
        return default

    def integer(self, name: str, default: int, *, minimum: int | None = None) -> int:
        """A whole number."""
        return self._number(name, default, int, "a whole number", minimum)

    def number(self, name: str, default: float, *, minimum: float | None = None) -> float:
        """A number."""
        return self._number(name, default, float, "a number", minimum)

    def size(self, name: str, default: int) -> int:
        """Bytes: a number, or one with ``k``, ``m``, ``g`` or ``t`` (powers of 1,024, in any case; ``KB`` as well)."""
        return self._number(name, default, _bytes, "a size such as 8m", 0)

    def seconds(self, name: str, default: float) -> float:
        """Seconds: a number, or one with ``s``, ``m``, ``h`` or ``d``."""
        return self._number(name, default, lambda text: _scaled(text, _SECONDS), "a time such as 5s or 1h", 0)

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Several texts: a JSON array, or words between commas."""
        value = self._raw(name)
        if value is None:
            return default
        if isinstance(value, str):
            if value.lstrip().startswith("["):
                value = self._json(name, value, list)
                if value is None:
                    return default
            else:
                value = [part.strip() for part in value.split(",") if part.strip()]
        if not isinstance(value, list | tuple):
            self.problem(f"{name} must be a list, not {value!r}", name)
            return default
        return tuple(_text(one) for one in value)

    def mapping(self, name: str) -> dict[str, Any]:
        """A JSON object, or ``key:value`` pairs between commas."""
        value = self._raw(name)
        if value is None:
            # In YAML a mapping is a section.
            sections = self.sections(name) if self.section.named(name) else ()
            return {key: one.value for section in sections for key, one in section.parameters.items()}
        if isinstance(value, str):
            if value.lstrip().startswith("{"):
                return self._json(name, value, dict) or {}
            pairs = [part.partition(":") for part in value.split(",") if part.strip()]
            return {key.strip(): text.strip() for key, _, text in pairs}
        if isinstance(value, dict):
            return value
        self.problem(f"{name} must be a mapping, not {value!r}", name)
        return {}

    def json(self, name: str) -> Any:
        """A JSON array or object of any form; None when it is not written, or is none."""
        value = self._raw(name)
        if not isinstance(value, str):
            return value
        return self._json(name, value, dict if value.lstrip().startswith("{") else list)

    def value(self, name: str) -> Any:
        """The value as it is written; None when it is not."""
        return self._raw(name)

    # --- sections

    def sections(self, name: str) -> tuple[Section, ...]:
        """The sections directly below with a name."""
        self._sections.add(name)
        return self.section.named(name)

    def one_section(self, name: str) -> Section | None:
        """The only section with a name; of several the last, and a problem."""
        found = self.sections(name)
        if len(found) > 1:
            self._note(f"<{name}> is written {len(found)} times: the last one counts", found[-1].place, Level.WARNING)
        return found[-1] if found else None

    # --- faults

    def problem(self, message: str, name: str = "", *, hint: str = "", level: Level = Level.ERROR) -> None:
        """Note what is wrong with a parameter, or with the section."""
        parameter = self.section.parameters.get(name)
        self._note(message, parameter.place if parameter is not None else self.section.place, level, hint)

    def ignore(self, *names: str) -> None:
        """These parameters are known and mean nothing here."""
        self._asked.update(names)

    def finish(self) -> None:
        """Name the parameters and sections that were never asked for: they have no effect."""
        kind = self.section.type or self.section.name
        for name in self.section.parameters:
            if name not in self._asked:
                hint = nearest(name, self._asked)
                self.problem(f"{kind} has no parameter {name}: it is ignored", name, hint=hint, level=Level.WARNING)
        for section in self.section.sections:
            if section.name not in self._sections:
                message = f"{kind} has no section <{section.name}>: it is ignored"
                self._note(message, section.place, Level.WARNING, nearest(section.name, self._sections))

    def _note(self, message: str, place: Place, level: Level, hint: str = "") -> None:
        self.problems.append(Diagnostic(message, place.file, place.line, hint=hint, level=level))

    # --- parts

    def _raw(self, name: str) -> Any:
        self._asked.add(name)
        parameter = self.section.parameters.get(name)
        return None if parameter is None or parameter.value is UNREADABLE else parameter.value

    def _number(self, name: str, default: Any, read: Any, what: str, minimum: float | None) -> Any:
        value = self._raw(name)
        if value is None:
            return default
        try:
            found = read(value if isinstance(value, str) else _text(value))
        except (ValueError, OverflowError):
            self.problem(f"{name} must be {what}, not {value!r}", name)
            return default
        if minimum is not None and found < minimum:
            self.problem(f"{name} must be at least {minimum:g}, not {value}", name)
            return default
        return found

    def _json(self, name: str, value: str, kind: type) -> Any:
        try:
            found = json.loads(value)
        except ValueError as error:
            self.problem(f"{name} is not valid JSON: {error}", name)
            return None
        if isinstance(found, kind):
            return found
        self.problem(f"{name} must be a JSON {'array' if kind is list else 'object'}, not {value!r}", name)
        return None


def _bytes(text: str) -> int:
    text = text.strip().lower()
    return int(_scaled(text[:-1] if text[-2:-1] in _SIZES and text.endswith("b") else text, _SIZES))


def _scaled(text: str, units: Mapping[str, int]) -> float:
    text = text.strip().lower()
    unit = units.get(text[-1:])
    return float(text) if unit is None else float(text[:-1]) * unit


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

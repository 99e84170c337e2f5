"""Kinds of scalar values: how each is read, described, bounded and shown.

Every kind gives four things: :meth:`Kind.read` takes the value from a mapping and notes what is wrong with it,
:meth:`Kind.schema` is its JSON Schema (draft 7), :meth:`Kind.plain` writes a value as the file would, and
:attr:`Kind.words` names it in the documentation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Final

from eldonia_ops.model.durations import format_duration
from eldonia_ops.settings.reader import MINIMUM_INTERVAL, SettingsReader
from eldonia_ops.settings.units import DAY

Clean = Callable[[str], str]
"""Removes from a text what came from the environment and what looks like a secret."""

REFERENCE: Final = {"$ref": "#/definitions/reference"}
NULL: Final = {"type": "null"}
DURATION: Final = r"^(0|(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?)$"
SIZE: Final = r"^\s*0*[1-9]\d*\s*(B|KiB|MiB|GiB|k|M|G|KB|MB|GB)?\s*$"
_UNITS: Final = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))
_TRUE: Final = "^([Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff])$"


def any_of(*some: dict[str, Any]) -> dict[str, Any]:
    """A schema of these, of a text with a ``${NAME}``, or of nothing at all, which is the default."""
    return {"anyOf": [*some, REFERENCE, NULL]}


class Kind:
    """What the value of a field can be. ``empty`` is what a required field has when it is missing.

    ``secret``: the value is never shown. ``has_file``: a key with ``_file`` behind it may name a file that holds it.
    """

    secret: ClassVar[bool] = False
    has_file: ClassVar[bool] = False
    empty: ClassVar[Any] = ""

    @property
    def words(self) -> str:
        """The kind with its bounds, in a few words of Markdown."""
        raise NotImplementedError

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The value at a key, or the default. Faults are noted in the reader's problems."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the value."""
        raise NotImplementedError

    def plain(self, value: Any, clean: Clean) -> Any:
        """The value as texts, numbers, lists and mappings. A secret becomes ``<secret>``."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of some words; ``enum`` is the type of the value, a text without one."""

    choices: tuple[str, ...]
    enum: type[Enum] | None = None

    @classmethod
    def of(cls, enum: type[Enum]) -> "Choice":
        """One of the values of an enumeration."""
        return cls(tuple(str(item.value) for item in enum), enum)

    @property
    def words(self) -> str:
        """The words themselves."""
        return ", ".join(f"`{word}`" for word in self.choices)

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The word, or the member of the enumeration."""
        word = default.value if isinstance(default, Enum) else default
        found = reader.choice(key, self.choices, word, required=required)
        return found if self.enum is None else self.enum(found)

    def schema(self) -> dict[str, Any]:
        """The words."""
        return any_of({"enum": list(self.choices)})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The word."""
        return value.value if isinstance(value, Enum) else value


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    """True or false."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "`true`, `false`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Also yes, no, on and off."""
        return reader.boolean(key, default, required=required)

    def schema(self) -> dict[str, Any]:
        """A boolean, or one of the words that YAML 1.1 has for it."""
        return any_of({"type": "boolean"}, {"type": "string", "pattern": _TRUE})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The boolean."""
        return value


@dataclass(frozen=True, slots=True)
class Whole(Kind):
    """A whole number within bounds, both included."""

    minimum: int
    maximum: int

    @property
    def words(self) -> str:
        """The kind with its bounds."""
        return f"{self.minimum} to {self.maximum:,}" if self.maximum > 65_535 else f"{self.minimum} to {self.maximum}"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The number; the default where it is out of bounds."""
        found = reader.integer(key, default, required=required, minimum=self.minimum)
        if found > self.maximum:
            reader.fault(key, f"{key} can be at most {self.maximum}")
            return default
        return found

    def schema(self) -> dict[str, Any]:
        """An integer with its bounds, or its digits as a text."""
        number: dict[str, Any] = {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        return any_of(number, {"type": "string", "pattern": r"^\s*[+-]?(0[xX][0-9A-Fa-f_]+|0[oObB][0-7_]+|[\d_]+)\s*$"})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The number."""
        return value


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number above one bound, and below another or at most as large. ``fault`` says what is wrong beyond them."""

    above: float
    fault: str
    below: float | None = None
    at_most: float | None = None

    @property
    def words(self) -> str:
        """The kind with its bounds."""
        upper = f"below {self.below:g}" if self.below is not None else f"at most {self.at_most:g}"
        return f"number above {self.above:g}, {upper}"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The number; the default where it is out of bounds."""
        found = reader.number(key, default, required=required)
        small = found <= self.above
        large = (self.below is not None and found >= self.below) or (self.at_most is not None and found > self.at_most)
        if small or large:
            reader.fault(key, self.fault)
            return default
        return found

    def schema(self) -> dict[str, Any]:
        """A number with its bounds, or its digits as a text."""
        number: dict[str, Any] = {"type": "number", "exclusiveMinimum": self.above}
        if self.below is not None:
            number["exclusiveMaximum"] = self.below
        if self.at_most is not None:
            number["maximum"] = self.at_most
        return any_of(number, {"type": "string", "pattern": r"^\s*[+-]?[\d_.]+([eE][+-]?\d+)?\s*$"})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The number."""
        return value


@dataclass(frozen=True, slots=True)
class Period(Kind):
    """A duration, in milliseconds. ``at_most`` names another field of the section that bounds it, also its default;
    ``because`` says why."""

    minimum: int = MINIMUM_INTERVAL
    at_most: str = ""
    because: str = ""

    @property
    def words(self) -> str:
        """The kind with its bounds."""
        upper = f", at most `{self.at_most}`" if self.at_most else ""
        return f"duration from {format_duration(self.minimum)}{upper}" if self.minimum else f"duration{upper}"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The milliseconds; the default where it is too short."""
        if not self.at_most:
            return reader.period(key, default, minimum=self.minimum)
        bound = reader.values[self.at_most]
        found = reader.period(key, min(default, bound), minimum=self.minimum)
        if found > bound:
            reader.fault(key, f"{key} is longer than {self.at_most}", self.because)
        return found

    def schema(self) -> dict[str, Any]:
        """A duration as Prometheus writes it."""
        return any_of({"type": "string", "pattern": DURATION, "minLength": 1}, {"const": 0})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The shortest spelling; whole days as days."""
        return f"{value // DAY}d" if value and value % DAY == 0 else format_duration(value)


@dataclass(frozen=True, slots=True)
class Size(Kind):
    """A number of bytes, ``maximum`` at most."""

    maximum: int

    @property
    def words(self) -> str:
        """The kind with its bound."""
        return f"size up to {self._shown(self.maximum)}"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The bytes; the default where they are too many."""
        found = reader.size(key, default)
        if found > self.maximum:
            reader.fault(key, f"{key} can be at most {self._shown(self.maximum)}")
            return default
        return found

    def schema(self) -> dict[str, Any]:
        """Digits with a unit, or a plain number of bytes."""
        return any_of({"type": "string", "pattern": SIZE}, {"type": "integer", "minimum": 1, "maximum": self.maximum})

    def plain(self, value: Any, clean: Clean) -> Any:
        """With the largest unit that leaves nothing over."""
        return self._shown(value)

    def _shown(self, value: int) -> Any:
        return next((f"{value // unit}{name}" for name, unit in _UNITS if value % unit == 0), value)

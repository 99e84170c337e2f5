"""Fields of an integration's configuration, each declared once: its type, default and bounds.

A configuration is a frozen dataclass. A field that is declared with one of the functions below is read from the file
(:meth:`~eldonia_ops.protocols.section_reader.SectionReader.declared`), and shown to people by what it is; secrets never
are. A field without such a declaration is read by the notifier's own code.
"""

from dataclasses import MISSING, Field, dataclass, field
from enum import StrEnum
from typing import Any, Final

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, PLAIN_HTTP

_KEY: Final = "eldonia_ops.integration_field"


class FieldType(StrEnum):
    """What a field holds, and how it is written in the file."""

    TEXT = "text"
    TEXTS = "texts"
    TEMPLATE = "template"
    TEMPLATES = "templates"
    ADDRESS = "address"
    SECRET = "secret"  # noqa: S105 - the name of a type
    SECRET_ADDRESS = "secret address"  # noqa: S105 - the name of a type
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DURATION = "duration"
    HTTP = "http_config"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """The declaration of one field. ``minimum`` and ``maximum`` bound integers and durations (ms)."""

    type: FieldType
    required: bool = False
    minimum: int | None = None
    maximum: int | None = None

    @property
    def is_secret(self) -> bool:
        """Whether the written value must not be shown."""
        return self.type in (FieldType.SECRET, FieldType.SECRET_ADDRESS)


def spec_of(item: "Field[Any]") -> FieldSpec | None:
    """How a field of a dataclass is declared, None when it is not."""
    return item.metadata.get(_KEY)


def key_of(item: "Field[Any]") -> str:
    """The name of a field in the file: ``class_`` and ``from_`` lose their underscore."""
    return item.name.rstrip("_")


def _declared(spec: FieldSpec, default: Any) -> Any:
    if spec.required and default in ("", ()):
        default = MISSING
    return field(metadata={_KEY: spec}, **({} if default is MISSING else {"default": default}))


def text(default: str = "", *, required: bool = False) -> Any:
    """A ``str`` that is taken as written."""
    return _declared(FieldSpec(FieldType.TEXT, required), default)


def texts(default: tuple[str, ...] = ()) -> Any:
    """A ``tuple[str, ...]``, written as a list."""
    return _declared(FieldSpec(FieldType.TEXTS), default)


def template(default: str = "", *, required: bool = False) -> Any:
    """A ``str`` that is a template: its syntax, and that the templates which it names exist, are checked."""
    return _declared(FieldSpec(FieldType.TEMPLATE, required), default)


def templates(default: tuple[tuple[str, str], ...] = ()) -> Any:
    """A ``tuple[tuple[str, str], ...]`` of names and templates, written as a mapping; the file adds to the default."""
    return _declared(FieldSpec(FieldType.TEMPLATES), default)


def address(default: str = "", *, required: bool = False) -> Any:
    """A ``str`` that is an HTTP address and no secret."""
    return _declared(FieldSpec(FieldType.ADDRESS, required), default)


def secret(*, required: bool = False) -> Any:
    """A ``Credential``: inline under the field's name, or in a file that ``<name>_file`` names."""
    return field(metadata={_KEY: FieldSpec(FieldType.SECRET, required)}, default=NO_CREDENTIAL)


def secret_address(*, required: bool = False) -> Any:
    """A ``Credential`` that is an HTTP address, as those of incoming webhooks are."""
    return field(metadata={_KEY: FieldSpec(FieldType.SECRET_ADDRESS, required)}, default=NO_CREDENTIAL)


def boolean(default: bool = False) -> Any:
    """A ``bool``."""
    return _declared(FieldSpec(FieldType.BOOLEAN), default)


def integer(default: int = 0, *, minimum: int | None = None, maximum: int | None = None) -> Any:
    """An ``int`` within bounds."""
    return _declared(FieldSpec(FieldType.INTEGER, minimum=minimum, maximum=maximum), default)


def duration(default: int = 0, *, minimum: int | None = None, maximum: int | None = None) -> Any:
    """An ``int`` of milliseconds, written as ``30s``."""
    return _declared(FieldSpec(FieldType.DURATION, minimum=minimum, maximum=maximum), default)


def http() -> Any:
    """An ``HttpConfig``, written under ``http_config``; without it that of ``global``."""
    return field(metadata={_KEY: FieldSpec(FieldType.HTTP)}, default=PLAIN_HTTP)

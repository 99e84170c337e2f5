"""What a field of the settings is, said once: its key, kind, bounds, default and text.

A declaration is a :class:`Setting` in the annotation of a dataclass field::

    interval: Annotated[int, Setting(Period(minimum=SECOND), "How often it is read.")] = 15 * SECOND

The type and the default are the dataclass' own. From these declarations come the reader
(:mod:`~eldonia_ops.settings.document`), the JSON Schema (:mod:`~eldonia_ops.settings.schema`), the tables of
``docs/configuration.md`` (:mod:`~eldonia_ops.settings.tables`) and what ``eldonia-ops config show`` prints
(:mod:`~eldonia_ops.settings.show`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, Final, get_type_hints

from eldonia_ops.settings.kinds import Kind


def _always(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Setting:
    """The declaration of one field.

    ``doc`` is one or a few sentences, in Markdown. ``key`` is the key in the file where it is not the field's name.
    ``under`` puts the key into a nested mapping of that name. ``required`` overrides what the default says: a field
    without a default is required. ``default`` is the text shown for a default that the dataclass does not have.
    ``applies`` says whether the field means anything in a given object; where it does not it is not shown.
    """

    kind: Kind
    doc: str = ""
    key: str = ""
    under: str = ""
    required: bool | None = None
    default: str | None = None
    applies: Callable[[Any], bool] = _always


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared field of a dataclass. ``default`` is :data:`dataclasses.MISSING` for a field without one."""

    name: str
    key: str
    setting: Setting
    required: bool
    default: Any

    @property
    def kind(self) -> Kind:
        """What its value can be."""
        return self.setting.kind


_ADOPTED: Final[dict[type, Mapping[str, Setting]]] = {}


def adopt(cls: type, **declarations: Setting) -> None:
    """Declare fields of a dataclass that knows nothing of settings, such as a policy of the core.

    Raises:
        TypeError: the dataclass has no field of such a name.
    """
    unknown = declarations.keys() - {field.name for field in fields(cls)}
    if unknown:
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")
    _ADOPTED[cls] = declarations


@cache
def declared(cls: type) -> tuple[Declared, ...]:
    """The fields that a file can set, in their order. Others (where a file was read from) have no declaration."""
    return tuple(_declared(cls))


def _declared(cls: type) -> Iterator[Declared]:
    adopted = _ADOPTED.get(cls, {})
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        notes = getattr(hints[field.name], "__metadata__", ())
        setting = adopted.get(field.name) or next((note for note in notes if isinstance(note, Setting)), None)
        if setting is None:
            continue
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        required = default is MISSING if setting.required is None else setting.required
        yield Declared(field.name, setting.key or field.name, setting, required, default)

"""Sections that belong to a collector: those of folders below ``collectors`` and of plug-ins."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from eldonia_ops.collectors import registry
from eldonia_ops.model.errors import Level
from eldonia_ops.settings.containers import Section
from eldonia_ops.settings.declaration import Setting, declared
from eldonia_ops.settings.kinds import Clean
from eldonia_ops.settings.objects import Spread
from eldonia_ops.settings.reader import SettingsReader

log = logging.getLogger("eldonia_ops.settings")

_NO_SECTIONS: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class CollectorSections(Spread):
    """What each collector declares for its key at the top level of the file.

    One that cannot be loaded, or raises, is named at its section; the other sections are read all the same.
    """

    empty: ClassVar[Any] = _NO_SECTIONS

    def parts(self, *, ours: bool = False) -> dict[str, Setting]:
        """The declarations by their keys, of collectors that can be loaded; with ``ours`` without those of plug-ins."""
        found: dict[str, Setting] = {}
        for key in registry.BUILT_IN if ours else registry.registered_keys():
            try:
                section = registry.find(key).section
            except registry.CollectorError:
                continue  # the targets page names it
            if section is not None and key not in _keys_of_settings():
                found[key] = section
        return found

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> dict[str, Any]:
        """What each of them read, by its key; nothing where that says what a missing section says."""
        found: dict[str, Any] = {}
        reader.values[key] = found  # a section may look at those before it
        for name in registry.registered_keys():
            if name not in _keys_of_settings() and reader.get(name) is not None:
                _read(reader, name, found)
        return found

    def plain(self, value: Mapping[str, Any], clean: Clean) -> dict[str, Any]:
        """All sections as the file would hold them; one that the file lacks has its defaults."""
        return {key: part.kind.plain(value.get(key, _without(part)), clean) for key, part in self.parts().items()}


def _without(section: Setting) -> Any:
    """What a section is when the file lacks it."""
    return section.kind.cls() if isinstance(section.kind, Section) else section.kind.empty


def _read(reader: SettingsReader, key: str, found: dict[str, Any]) -> None:
    try:
        section = registry.find(key).section
        if section is None:
            reader.fault(key, f"the collector {key} has no settings", "remove the section")
        else:
            value = section.kind.read(reader, key, _without(section), False)
            if value != _without(section):
                found[key] = value
    except registry.CollectorError as error:
        hint = "the section is left out; the log of the platform says more"
        reader.problems.add(reader.get(key), str(error), hint, Level.WARNING)
    except Exception as error:
        log.exception("the collector %s cannot read its settings", key)
        reader.fault(key, f"the collector {key} cannot read its settings: {type(error).__name__}")


def _keys_of_settings() -> set[str]:
    """Keys that the settings themselves have; no plug-in gets one of them."""
    from eldonia_ops.settings.document import Settings

    return {field.key for field in declared(Settings)}

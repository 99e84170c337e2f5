"""What a file is, by its content first and its name where that is not enough."""

import re
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from eldonia_ops.settings.declaration import declared
from eldonia_ops.settings.document import Settings


class FileKind(StrEnum):
    """The files that the linter can read, and two that people may well hand to it."""

    SETTINGS = "settings"
    RULES = "rules"
    ROUTING = "routing"
    TEMPLATE = "template"
    RUNBOOK = "runbook"
    DASHBOARD = "dashboard"
    PROMETHEUS = "prometheus"
    UNKNOWN = "unknown"


_KEY: Final = re.compile(r"^\{?[ \t]*+['\"]?([A-Za-z_]\w*+)['\"]?[ \t]*+:", re.MULTILINE)
_DASHBOARD: Final = re.compile(r"""^(?:panels|variables)[ \t]*:|"(?:panels|schemaVersion)"[ \t]*:""", re.MULTILINE)
_NAMES: Final = {
    "eldonia-ops": FileKind.SETTINGS,
    "alertmanager": FileKind.ROUTING,
    "runbook": FileKind.RUNBOOK,
    "prometheus": FileKind.PROMETHEUS,
}
_DECISIVE: Final = (
    # Keys at the top level that no other kind has, in the order in which they are asked for.
    (FileKind.RULES, {"groups"}),
    (FileKind.PROMETHEUS, {"scrape_configs", "rule_files", "remote_write"}),
    (FileKind.ROUTING, {"route", "receivers", "inhibit_rules"}),
    (FileKind.RUNBOOK, {"steps", "playbooks"}),
    # Last: a key of the settings may well be one of another kind too.
    (FileKind.SETTINGS, {field.key for field in declared(Settings) if field.key != "collectors"}),
)


def kind_of(path: str, text: str) -> FileKind:
    """What kind of file a text is. It need not be valid: a file with a fault in it is still what it is."""
    name = PurePath(path)
    if name.suffix in (".tmpl", ".tpl"):
        return FileKind.TEMPLATE
    if name.suffix not in (".yml", ".yaml", ".rules", ".json", ""):
        return FileKind.UNKNOWN
    if _DASHBOARD.search(text):
        return FileKind.DASHBOARD
    keys = set(_KEY.findall(text.removeprefix("\ufeff")))
    for kind, decisive in _DECISIVE:
        if keys & decisive:
            return kind
    return next((kind for stem, kind in _NAMES.items() if name.stem.startswith(stem)), FileKind.UNKNOWN)

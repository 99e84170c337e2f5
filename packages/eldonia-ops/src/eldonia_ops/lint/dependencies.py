"""Services that others depend on and that nothing is called: their outage would be known under another name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

from eldonia_ops.lint.workspace import Workspace
from eldonia_ops.model.errors import Diagnostic, Level, nearest
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.tuning import alerting_rules
from eldonia_ops.settings import Settings

_QUOTED: Final = re.compile(r'"([^"{}]{1,200})"')
_OUR_OWN: Final = "eldonia-ops"
_DEEPEST: Final = 8


def unknown_dependencies(workspace: Workspace) -> Iterator[Diagnostic]:
    """Names in ``depends_on`` that no alert, service or target can carry, each with the nearest that one can.

    Nothing is said where a rule takes the service of its alerts from the data: that may be any name.
    """
    of_rules: set[str] = set()
    for groups in workspace.rules.values():
        for rule in alerting_rules(groups):
            service = rule.labels.get("service", "")
            if "{{" in service:
                return
            of_rules.add(service)
    for rule in alerting_rules(shipped_groups()):
        service = rule.labels.get("service", "")
        of_rules |= set(_QUOTED.findall(service)) if "{{" in service else {service}
    for file, settings in workspace.settings.items():
        known = {*of_rules, *(one.name for one in settings.services), *_named(_without_services(settings)), _OUR_OWN}
        known -= {""}
        for index, one in enumerate(settings.services):
            for place, name in enumerate(one.depends_on):
                if name not in known:
                    yield workspace.at(
                        file,
                        f"{one.name} depends on {name!r}, and no alert, service or target is called so",
                        ("services", index, "depends_on", place),
                        nearest(name, known) or f"if it is, add it to services: - {{name: {name}}}",
                        Level.WARNING,
                    )


def _without_services(settings: Settings) -> list[Any]:
    return [getattr(settings, one.name) for one in fields(settings) if one.name != "services"]


def _named(value: Any, depth: int = 0) -> Iterator[str]:
    """What a part of the settings says of a service, wherever it does: a field of this name, or a label."""
    if depth > _DEEPEST or isinstance(value, str | bytes):
        return
    if isinstance(value, Mapping):
        items = list(value.items())
    elif is_dataclass(value):
        items = [(one.name, getattr(value, one.name)) for one in fields(value)]
    elif isinstance(value, list | tuple):
        items = [("", one) for one in value]
    else:
        return
    for name, inner in items:
        if name == "service" and isinstance(inner, str):
            yield inner
        else:
            yield from _named(inner, depth + 1)

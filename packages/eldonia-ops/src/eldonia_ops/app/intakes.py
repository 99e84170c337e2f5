"""Which protocols are taken in: ours, one line each, and those of installed plug-ins."""

import importlib
import logging
from typing import Final

from eldonia_ops.intake import Intake
from eldonia_ops.plugins import PluginError, load_plugins

log = logging.getLogger("eldonia_ops")

GROUP: Final = "eldonia_ops.intake"
"""The entry point group under which a package offers its intake."""

_OURS: Final = (
    "otlp",
    "prometheus_remote_write",
)  # fmt: skip
"""Folders below ``eldonia_ops/intake``; each has an ``INTAKE``."""


def _checked(name: str, _origin: str, loaded: object) -> Intake:
    if not isinstance(loaded, Intake):
        raise PluginError(f"{name} is no eldonia_ops.intake.Intake")
    return loaded


BUILT_IN: Final = tuple(
    _checked(name, "", importlib.import_module(f"eldonia_ops.intake.{name}").INTAKE) for name in _OURS
)


def installed_intakes() -> list[Intake]:
    """Ours, then those of plug-ins by name. A plug-in that cannot be loaded is logged and left out."""
    plugins = load_plugins(GROUP, _checked)
    for fault in plugins.faults:
        log.error("%s", fault)
    return [*BUILT_IN, *plugins.loaded]

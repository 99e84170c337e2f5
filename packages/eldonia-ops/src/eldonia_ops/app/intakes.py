"""Which protocols are taken in: ours, one line each, and those of installed plug-ins."""

import logging
from importlib.metadata import entry_points
from typing import Final

from eldonia_ops.intake import Intake, otlp

log = logging.getLogger("eldonia_ops")

GROUP: Final = "eldonia_ops.intake"
"""The entry point group under which a package offers its intake."""

BUILT_IN: Final[tuple[Intake, ...]] = (
    otlp.INTAKE,
)  # fmt: skip


def installed_intakes() -> list[Intake]:
    """Ours, then those of plug-ins by name. A plug-in that cannot be loaded is logged and left out."""
    found = list(BUILT_IN)
    for entry in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        try:
            intake = entry.load()
            if not isinstance(intake, Intake):
                raise TypeError(f"{entry.value} is no eldonia_ops.intake.Intake")
        except Exception:  # code of others, which must not keep the platform from starting
            log.exception("the intake %s (%s) cannot be loaded and is left out", entry.name, entry.value)
            continue
        found.append(intake)
    return found

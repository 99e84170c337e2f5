"""Which protocols are taken in: ours, one line each, and those of installed plug-ins."""

import logging
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from eldonia_ops.intake import Intake

log = logging.getLogger("eldonia_ops")

GROUP: Final = "eldonia_ops.intake"
"""The entry point group under which a package offers its intake."""

_OURS: Final = (
    "otlp",
    "prometheus_remote_write",
)  # fmt: skip
"""Folders below ``eldonia_ops/intake``; each has an ``INTAKE``."""


def _loaded(entry: EntryPoint) -> Intake:
    """The intake that an entry point names.

    Raises:
        TypeError: it is something else.
        ImportError, AttributeError: there is no such thing.
    """
    intake = entry.load()
    if not isinstance(intake, Intake):
        raise TypeError(f"{entry.value} is no eldonia_ops.intake.Intake")
    return intake


BUILT_IN: Final = tuple(_loaded(EntryPoint(name, f"eldonia_ops.intake.{name}:INTAKE", GROUP)) for name in _OURS)


def installed_intakes() -> list[Intake]:
    """Ours, then those of plug-ins by name. A plug-in that cannot be loaded is logged and left out."""
    found = list(BUILT_IN)
    for entry in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        try:
            found.append(_loaded(entry))
        except Exception:  # code of others, which must not keep the platform from starting
            log.exception("the intake %s (%s) cannot be loaded and is left out", entry.name, entry.value)
    return found

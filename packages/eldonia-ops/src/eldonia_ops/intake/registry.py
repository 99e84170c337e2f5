"""Which protocols are taken in: ours, one line each, and those of installed plug-ins.

Nothing is imported until it is asked for: settings without ``listeners`` are read without any intake.
"""

import functools
import importlib
import logging
from collections.abc import Iterable
from typing import Final

from eldonia_ops.intake import HttpListener, Intake, StreamListener
from eldonia_ops.plugins import PluginError, load_plugins

log = logging.getLogger("eldonia_ops")

GROUP: Final = "eldonia_ops.intake"
"""The entry point group under which a package offers its intake."""

_OURS: Final = (
    "fluent_forward",
    "http_input",
    "journal",
    "loki",
    "otlp",
    "prometheus_remote_write",
    "syslog",
)  # fmt: skip
"""Folders below ``eldonia_ops/intake``; each has an ``INTAKE``."""


def _checked(name: str, _origin: str, loaded: object) -> Intake:
    if not isinstance(loaded, Intake):
        raise PluginError(f"{name} is no eldonia_ops.intake.Intake")
    return loaded


@functools.cache
def built_in() -> tuple[Intake, ...]:
    """Ours."""
    return tuple(_checked(name, "", importlib.import_module(f"eldonia_ops.intake.{name}").INTAKE) for name in _OURS)


@functools.cache
def installed_intakes() -> tuple[Intake, ...]:
    """Ours, then those of plug-ins by name. A plug-in that cannot be loaded is logged, once, and left out."""
    plugins = load_plugins(GROUP, _checked)
    for fault in plugins.faults:
        log.error("%s", fault)
    return (*built_in(), *plugins.loaded)


def listeners_of(intakes: Iterable[Intake]) -> dict[str, tuple[Intake, HttpListener | StreamListener]]:
    """The listeners that intakes can have, by name. Of two with one name the first has it."""
    found: dict[str, tuple[Intake, HttpListener | StreamListener]] = {}
    for intake in intakes:
        for listener in intake.listeners:
            found.setdefault(listener.name, (intake, listener))
    return found


def stream_named(name: str) -> StreamListener | None:
    """The stream listener of this name, whose protocol carries no tokens; None for one of HTTP."""
    _, listener = listeners_of(installed_intakes()).get(name, (None, None))
    return listener if isinstance(listener, StreamListener) else None

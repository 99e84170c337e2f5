"""Plug-ins: what other distributions add by Python entry points.

Format of entry points: https://packaging.python.org/en/latest/specifications/entry-points/
"""

import functools
import importlib.metadata
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from eldonia_ops.model.errors import Diagnostic, Level

log = logging.getLogger("eldonia_ops.plugins")

T = TypeVar("T")
_LONGEST: Final = 300


class PluginError(Exception):
    """A plug-in is not what it should be; the message says in what."""


@dataclass(frozen=True, slots=True)
class Plugins(Generic[T]):
    """What was found: ``loaded``, and by its name why another one was not. ``faults`` says the same for people."""

    loaded: tuple[T, ...]
    absent: Mapping[str, str]
    faults: tuple[Diagnostic, ...]


@functools.lru_cache(maxsize=1)
def _entry_points(_path: tuple[str, ...]) -> Any:
    """Those of all distributions. To read them takes as long for one group as for all."""
    return importlib.metadata.entry_points()


def load_plugins(group: str, accept: Callable[[str, str, Any], T]) -> Plugins[T]:
    """Load every entry point of a group. One that cannot be used is named, and never stops the others; the caller
    logs the faults, or shows them.

    ``accept`` is given the name of an entry point, its distribution with the version, and the object that it names;
    it returns what is to be used, or raises, most usefully :class:`PluginError`.
    """
    loaded: list[T] = []
    absent: dict[str, str] = {}
    faults: list[Diagnostic] = []
    points = _entry_points(tuple(sys.path)).select(group=group)
    for point in sorted(points, key=lambda one: (one.name, one.value)):
        origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        try:
            loaded.append(accept(point.name, origin, point.load()))
        except (Exception, SystemExit) as error:
            said = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            reason = f"the plug-in {origin} cannot be used: {' '.join(said.split())[:_LONGEST]}"
            log.debug("%s", reason, exc_info=True)
            absent[point.name] = reason
            hint = f"its entry point {point.name!r} of {group} is left out"
            faults.append(Diagnostic(reason, point.value, hint=hint, level=Level.WARNING))
    return Plugins(tuple(loaded), absent, tuple(faults))

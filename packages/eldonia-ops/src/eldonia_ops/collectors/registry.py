"""Which collectors there are: our own, and those of other packages.

A collector is registered under a key, which is also that of its section in the settings. Our own are lines of
:data:`BUILT_IN`; another package has an entry point of the group :data:`GROUP`, whose name is the key and whose object
is a :class:`~eldonia_ops.collectors.collector.Collector`::

    [project.entry-points."eldonia_ops.collectors"]
    weather = "my_package.weather:COLLECTOR"

Nothing is imported before it is asked for, so this module can be used while the settings are read.
"""

import functools
import importlib
import logging
import re
from importlib import metadata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from eldonia_ops.collectors.collector import Collector

log = logging.getLogger("eldonia_ops.collectors")

GROUP: Final = "eldonia_ops.collectors"

BUILT_IN: Final = {
    "host": "eldonia_ops.collectors.host",
    "logs": "eldonia_ops.collectors.tail",
    "nginx": "eldonia_ops.collectors.nginx",
    "postgresql": "eldonia_ops.collectors.postgresql",
    "probes": "eldonia_ops.collectors.probe",
    "redis": "eldonia_ops.collectors.redis",
    "scrape": "eldonia_ops.collectors.scrape",
}
"""Modules with a ``COLLECTOR``, by the key of their section."""

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,60}")


class CollectorError(Exception):
    """A collector that cannot be used; the message is for people and names no package's internals."""


def registered_keys() -> tuple[str, ...]:
    """The keys of all collectors: our own first, then those of other packages by name. Imports none of them."""
    return (*BUILT_IN, *_plug_ins())


def find(key: str) -> "Collector":
    """The collector of a key.

    Raises:
        CollectorError: there is none, or its code cannot be loaded.
    """
    from eldonia_ops.collectors.collector import Collector

    try:
        if key in BUILT_IN:
            found: object = importlib.import_module(BUILT_IN[key]).COLLECTOR
        elif key in _plug_ins():
            found = _plug_ins()[key].load()
        else:
            raise CollectorError(f"there is no collector {key!r}")
    except CollectorError:
        raise
    except (Exception, SystemExit) as error:
        # Code of others: whatever it does, the other collectors go on.
        log.exception("the collector %s cannot be loaded", key)
        raise CollectorError(f"the collector {key} cannot be loaded: {type(error).__name__}: {error}"[:300]) from error
    if not isinstance(found, Collector):
        raise CollectorError(f"the collector {key} is no Collector but {type(found).__name__}")
    return found


@functools.cache
def _plug_ins() -> dict[str, metadata.EntryPoint]:
    """The entry points of other packages by their keys, without those that cannot be used."""
    found: dict[str, metadata.EntryPoint] = {}
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        problem = ""
        if not _KEY.fullmatch(entry.name):
            problem = "the name is not one of lower-case letters, digits and underscores"
        elif entry.name in BUILT_IN:
            problem = "a collector of the platform has this name"
        elif entry.name in found and found[entry.name].value != entry.value:
            problem = f"{found[entry.name].value} has the same name"
        if problem:
            log.warning("the collector %s (%s) is left out: %s", entry.name, entry.value, problem)
        else:
            found[entry.name] = entry
    return found

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
from typing import TYPE_CHECKING, Any, Final

from eldonia_ops.plugins import PluginError, Plugins, load_plugins

if TYPE_CHECKING:
    from eldonia_ops.collectors.collector import Collector

log = logging.getLogger("eldonia_ops.collectors")

GROUP: Final = "eldonia_ops.collectors"

BUILT_IN: Final = {
    "host": "eldonia_ops.collectors.host",
    "journal": "eldonia_ops.collectors.journal",
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
    """The keys of all collectors: our own first, then those of other packages by name, also of those that fail."""
    plugins = _plug_ins()
    failed = {key for key in plugins.absent if _KEY.fullmatch(key) and key not in BUILT_IN}
    return (*BUILT_IN, *sorted(failed | {key for key, _ in plugins.loaded}))


def find(key: str) -> "Collector":
    """The collector of a key.

    Raises:
        CollectorError: there is none, or its code cannot be loaded.
    """
    if key in BUILT_IN:
        found: Collector = importlib.import_module(BUILT_IN[key]).COLLECTOR
        return found
    plugins = _plug_ins()
    loaded = dict(plugins.loaded)
    if key in loaded:
        return loaded[key]
    raise CollectorError(plugins.absent.get(key, f"there is no collector {key!r}"))


@functools.cache
def _plug_ins() -> "Plugins[tuple[str, Collector]]":
    """The collectors of other packages, with their keys. One that cannot be used is logged, once."""
    taken = {*BUILT_IN}

    def accept(key: str, _origin: str, found: Any) -> "tuple[str, Collector]":
        from eldonia_ops.collectors.collector import Collector

        if not _KEY.fullmatch(key):
            raise PluginError(f"{key!r} is not a name of lower-case letters, digits and underscores")
        if key in taken:
            owner = "the platform" if key in BUILT_IN else "another plug-in"
            raise PluginError(f"{owner} has a collector {key!r}")
        if not isinstance(found, Collector):
            raise PluginError(f"{key} is no Collector but {type(found).__name__}")
        taken.add(key)
        return key, found

    plugins = load_plugins(GROUP, accept)
    for fault in plugins.faults:
        log.error("%s", fault)
    return plugins

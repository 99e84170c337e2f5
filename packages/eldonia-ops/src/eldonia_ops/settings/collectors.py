"""Sections that a collector reads by itself: those of folders below ``collectors`` and of plug-ins."""

import logging
from dataclasses import fields
from typing import Any

from eldonia_ops.collectors import registry
from eldonia_ops.model.errors import Level
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.sections import Settings

log = logging.getLogger("eldonia_ops.settings")


def read_collectors(root: SettingsReader) -> dict[str, tuple[Any, ...]]:
    """What each of them read, by its key. Only collectors whose key is in the file are imported.

    One that cannot be loaded, or raises, is named at its section; the other sections are read all the same.
    """
    ours = {field.name for field in fields(Settings)}
    found: dict[str, tuple[Any, ...]] = {}
    for key in registry.registered_keys():
        if key in ours or root.get(key) is None:
            continue
        try:
            read = registry.find(key).read
            if read is None:
                root.fault(key, f"the collector {key} has no settings", "remove the section")
            else:
                found[key] = tuple(read(root))
        except registry.CollectorError as error:
            hint = "the section is left out; the log of the platform says more"
            root.problems.add(root.get(key), str(error), hint, Level.WARNING)
        except Exception as error:
            log.exception("the collector %s cannot read its settings", key)
            root.fault(key, f"the collector {key} cannot read its settings: {type(error).__name__}")
    return found

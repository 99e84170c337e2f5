"""Dashboards that come from files."""

from dataclasses import dataclass
from typing import Annotated

from eldonia_ops.settings.containers import Globs
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """Files of dashboards (absolute once loaded). A folder means all YAML and JSON files below it."""

    files: Annotated[
        tuple[str, ...],
        Setting(
            Globs(),
            "Files and folders of [dashboards](dashboards.md), in YAML, or in Grafana's JSON. They are read-only in "
            "the browser. A file with a fault is left out, and stops no other.",
        ),
    ] = ()
    defaults: Annotated[bool, Setting(Flag(), "Adds the dashboards that come with the platform.")] = True

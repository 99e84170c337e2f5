"""The dashboards that come with the package."""

import functools
from importlib.resources import files

from eldonia_ops.dashboards.provided import Provided
from eldonia_ops.protocols.dashboard_file import examine_dashboard


@functools.cache
def shipped_dashboards() -> tuple[Provided, ...]:
    """All of them, by the names of their files. One that is faulty, which tests find, would be left out."""
    folder = files("eldonia_ops.defaults") / "dashboards"
    found: list[Provided] = []
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if not item.name.endswith(".yml"):
            continue
        read, _ = examine_dashboard(item.read_text(encoding="utf-8"), item.name)
        if read is not None:
            found.append(Provided(read.dashboard, "shipped"))
    return tuple(found)

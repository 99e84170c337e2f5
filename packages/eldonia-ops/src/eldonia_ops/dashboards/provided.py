"""Dashboards that come from files."""

from dataclasses import dataclass
from typing import Final, Literal

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.model.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class Provided:
    """A dashboard of a file. ``file`` is its path, '' for one that the platform ships."""

    dashboard: Dashboard
    source: Literal["file", "shipped"]
    file: str = ""


@dataclass(frozen=True, slots=True)
class ProvidedDashboards:
    """All dashboards of files, each uid once, and what is wrong with their files."""

    dashboards: tuple[Provided, ...] = ()
    faults: tuple[Diagnostic, ...] = ()

    def get(self, uid: str) -> Provided | None:
        """The one with a uid."""
        return next((one for one in self.dashboards if one.dashboard.uid == uid), None)


NO_DASHBOARDS: Final = ProvidedDashboards()

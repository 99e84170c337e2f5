"""A dashboard as it is stored: versions of a document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DashboardVersion:
    """One version. ``document`` is its JSON, '' where it was not asked for; instants are Unix ms."""

    uid: str
    version: int
    document: str
    title: str
    saved_at: int
    saved_by: str
    message: str


@dataclass(frozen=True, slots=True)
class DashboardHead:
    """Which version of a dashboard is the newest, and whether it was deleted (``deleted_at`` 0: it was not)."""

    uid: str
    version: int
    deleted_at: int
    deleted_by: str

"""A search that somebody saved for all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search of logs by a name. ``columns`` are names of fields; ``saved_at`` is Unix milliseconds."""

    id: str
    name: str
    query: str
    columns: tuple[str, ...]
    saved_by: str
    saved_at: int

"""A search that somebody saved for all."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search of logs, or a query in PromQL, by a name.

    ``kind`` is ``logs`` or ``promql``; ``columns`` are names of fields of logs; ``saved_at`` is Unix milliseconds.
    """

    id: str
    name: str
    query: str
    columns: tuple[str, ...]
    saved_by: str
    saved_at: int
    kind: str = "logs"

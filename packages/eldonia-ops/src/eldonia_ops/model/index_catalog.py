"""What clients of Elasticsearch's API declared beside their documents: indices, aliases, templates, policies."""

from dataclasses import dataclass
from enum import StrEnum


class EntryKind(StrEnum):
    """What an entry declares."""

    INDEX = "index"
    DATA_STREAM = "data_stream"
    ALIAS = "alias"
    INDEX_TEMPLATE = "index_template"
    COMPONENT_TEMPLATE = "component_template"
    LEGACY_TEMPLATE = "legacy_template"
    LIFECYCLE = "lifecycle"
    """A policy of index lifecycle management (ILM)."""
    STATE_POLICY = "state_policy"
    """A policy of OpenSearch's index state management (ISM)."""
    PIPELINE = "pipeline"
    OWNER = "owner"
    """Who made an entry that may change only what they made themselves; the name is that of :func:`owner_key`."""


def owner_key(kind: EntryKind, name: str) -> str:
    """The name under which it is kept who made an entry."""
    return f"{kind.value}/{name}"


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One declaration, by kind and name. ``body`` is its JSON; times are Unix milliseconds."""

    kind: EntryKind
    name: str
    body: str
    created_at: int
    changed_at: int
    version: int = 1

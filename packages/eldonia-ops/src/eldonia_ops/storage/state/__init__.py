"""Relational state in SQLite or PostgreSQL."""

from eldonia_ops.storage.state.errors import StateClosedError, StateDocumentError, StateError, StateVersionError
from eldonia_ops.storage.state.store import SqlStateStore, open_state_store

__all__ = [
    "SqlStateStore",
    "StateClosedError",
    "StateDocumentError",
    "StateError",
    "StateVersionError",
    "open_state_store",
]

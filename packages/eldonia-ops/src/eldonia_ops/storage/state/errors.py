"""What can go wrong with the state store beyond the work itself."""

from eldonia_ops.model.errors import StoreError, UnreadableError


class StateError(StoreError):
    """The store cannot be opened or reached; the message says why and never holds a password."""


class StateVersionError(StateError):
    """The database was written by a newer version of the program."""


class StateClosedError(StateError):
    """The store has been closed."""


class StateDocumentError(StateError, UnreadableError):
    """A stored document does not have the shape that this version of the program expects."""

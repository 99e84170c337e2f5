"""What the store needs to know of a database, and what both kinds share."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import URL, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from eldonia_ops.storage.state.errors import StateError


@dataclass(frozen=True, slots=True)
class Backend:
    """An opened database.

    ``writer`` begins transactions that may write, ``reader`` read-only snapshots, ``migrator`` ones
    that see what others committed while they waited for their turn. ``readers`` is how many may read
    at once; 0 means that reads go through the writer's one connection. ``retryable`` recognises a passing
    collision with others from a failure.
    """

    name: str
    writer: Engine
    reader: Engine
    migrator: Engine
    readers: int
    retryable: Callable[[DBAPIError], bool]

    def dispose(self) -> None:
        """Close every connection."""
        self.reader.dispose()
        self.writer.dispose()


def parse_url(text: str) -> URL:
    """Read a state URL.

    Raises:
        StateError: it is not one, or names a database that is not supported.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1) if text.startswith("postgres://") else text)
    except (ArgumentError, ValueError):
        raise StateError("not a state URL (write sqlite:///path or postgresql://user:password@host/database)") from None
    if url.get_backend_name() not in ("sqlite", "postgresql"):
        raise StateError(f"state cannot be kept in {url.get_backend_name()!r} (only sqlite and postgresql)")
    return url


def shown(url: URL) -> str:
    """The URL for messages: without its password and without its options, which may hold one, too."""
    return url.set(query={}).render_as_string(hide_password=True)


def explain(error: DBAPIError, url: URL | None = None) -> str:
    """What the database complained about, in one line, without the values of rows and without the password."""
    diagnostics = getattr(error.orig, "diag", None)
    text = (getattr(diagnostics, "message_primary", None) or str(error.orig)).strip()
    line = text.splitlines()[0] if text else type(error.orig).__name__
    password = url.password if url is not None else None
    return line.replace(password, "***") if password else line

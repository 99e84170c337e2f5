"""The audit log: who changed what, and what it was before."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a subject before and after; None where it was not, or is no longer, there. Never a secret."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries: all conditions that are given hold.

    ``since`` and ``until`` are Unix ms, both included, 0 for none. ``actor`` is an id or a name, ``subject`` an id or a
    title. ``before_id`` asks for entries older than a known one.
    """

    since: int = 0
    until: int = 0
    actor: str = ""
    kind: str = ""
    subject: str = ""
    before_id: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act that changed something, at an instant (Unix ms).

    ``actor_id`` is ``account:<id>`` or ``token:<id>``, and stays when names change; ``actor`` is the name at that time.
    ``action`` is what was done (``created``, ``changed``, ``deleted``, ``acknowledge``, ``signed_in`` …) to the
    ``subject`` of a ``kind`` (``incident``, ``silence``, ``token`` …); ``title`` is what people call that subject.
    ``address`` is where the request came from, ``method`` how the actor was known.
    """

    id: int
    at: int
    actor_id: str
    actor: str
    method: str
    address: str
    kind: str
    subject: str
    title: str
    action: str
    changes: tuple[FieldChange, ...] = ()

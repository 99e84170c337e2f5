"""An erasure: the records that a search finds are deleted, and their bytes leave every file of the store."""

from enum import StrEnum

import msgspec


class ErasureStage(StrEnum):
    """How far an erasure has come."""

    DELETING = "deleting"
    """No query finds what is deleted so far."""
    REMOVING = "removing"
    """No query finds any of it; its bytes leave the files."""
    DONE = "done"


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure. Instants are Unix ms.

    ``search`` is what was asked for, and '' once it is done: it names a person. ``digest`` is its SHA-256, by which one
    who knows the search can show that it was this. Records with an id up to ``until_id`` are meant: those that were
    stored when it was asked for. ``matched`` of them were there, ``deleted`` were deleted, ``found_after`` were found
    when it was done. ``parts`` were written anew; ``old_parts``, ``log_segments`` and ``refused_rows`` were removed.
    ``newer`` came in meanwhile. ``not_covered`` names where records may be that this platform does not erase. ``error``
    is why the last attempt failed; it is tried again.
    """

    id: str
    search: str
    digest: str
    reason: str
    actor: str
    asked_at: int
    until_id: int
    matched: int
    stage: ErasureStage = ErasureStage.DELETING
    deleted: int = 0
    parts: int = 0
    old_parts: int = 0
    log_segments: int = 0
    refused_rows: int = 0
    found_after: int = 0
    newer: int = 0
    finished_at: int = 0
    not_covered: tuple[str, ...] = ()
    error: str = ""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.stage is ErasureStage.DONE

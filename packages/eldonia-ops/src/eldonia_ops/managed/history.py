"""The changes that were made, the newest last: by whom, when, and how each is undone."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from eldonia_ops.managed.document import Step

MAX_CHANGES: Final = 200


class NotUndoableError(ValueError):
    """A change that is not known, or was undone already; the message says which."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change: what was done at one time by one actor. ``at`` is Unix ms.

    ``undoes`` is the id of the change that this one takes back, ``undone_by`` of the one that took this one back.
    """

    id: str
    at: int
    actor: str
    steps: tuple[Step, ...]
    undoes: str = ""
    undone_by: str = ""


def recorded(history: Iterable[Change], change: Change) -> tuple[Change, ...]:
    """The history with one more change; the oldest of more than :data:`MAX_CHANGES` are forgotten."""
    known = [replace(one, undone_by=change.id) if one.id == change.undoes else one for one in history]
    return (*known, change)[-MAX_CHANGES:]


def undoable(history: Iterable[Change], id: str) -> Change:
    """The change that is to be undone.

    Raises:
        NotUndoableError: there is none of that id, or it was undone before.
    """
    found = next((one for one in history if one.id == id), None)
    if found is None:
        raise NotUndoableError("there is no such change any more")
    if found.undone_by:
        raise NotUndoableError("this change was undone already")
    return found

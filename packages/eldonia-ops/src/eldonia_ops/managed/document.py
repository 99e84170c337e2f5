"""A document of named entries in sections, and steps from one state of it to the next.

A step holds what an entry was and what it becomes, so that it says by itself what undoes it. Documents are never
changed: each step gives another one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Entry: TypeAlias = Mapping[str, Any]
"""What an entry says: texts, numbers, booleans, lists and mappings."""
Document: TypeAlias = Mapping[str, tuple[Entry, ...]]
"""Entries by section, in their order. A section without entries is left out."""
Name: TypeAlias = Callable[[str, Entry], str]
"""The name of an entry, by its section."""

MAX_ENTRIES: Final = 1_000
"""Of one section."""


class EntryConflictError(ValueError):
    """A step does not fit the document: what it wants to change is not there, or what it adds is. The message says
    which."""


@dataclass(frozen=True, slots=True)
class Step:
    """One entry that is added (``before`` None), removed (``after`` None) or changed. ``index`` is its place."""

    section: str
    before: Entry | None
    after: Entry | None
    index: int

    @property
    def undone(self) -> "Step":
        """The step that leads back."""
        return Step(self.section, self.after, self.before, self.index)


def step_to(document: Document, section: str, name: str, after: Entry | None, name_of: Name) -> Step:
    """The step that lets an entry be ``after`` (None: none). ``name`` is the entry that is replaced or removed, '' for
    one that is added.

    Raises:
        EntryConflictError: there is no entry of the name.
    """
    entries = document.get(section, ())
    if not name:
        return Step(section, None, after, len(entries))
    index = next((at for at, one in enumerate(entries) if name_of(section, one) == name), None)
    if index is None:
        raise EntryConflictError(f"there is no entry {name!r} in {section}")
    return Step(section, entries[index], after, index)


def after_step(document: Document, step: Step, name_of: Name) -> Document:
    """The document after a step.

    Raises:
        EntryConflictError: the entry is not what it was before the step, or its new name is taken.
    """
    entries = list(document.get(step.section, ()))
    if step.before is None:
        index = min(step.index, len(entries))
    else:
        found = [at for at, one in enumerate(entries) if one == step.before]
        if not found:
            name = name_of(step.section, step.before)
            raise EntryConflictError(f"{name!r} in {step.section} is not what it was; look at what it is now")
        index = step.index if step.index in found else found[0]
        del entries[index]
    if step.after is not None:
        name = name_of(step.section, step.after)
        if any(name_of(step.section, one) == name for one in entries):
            raise EntryConflictError(f"there is an entry {name!r} in {step.section} already")
        if len(entries) >= MAX_ENTRIES:
            raise EntryConflictError(f"{step.section} has {MAX_ENTRIES} entries, more are not taken")
        entries.insert(index, step.after)
    others = {section: held for section, held in document.items() if section != step.section}
    return {**others, step.section: tuple(entries)} if entries else others


def after_steps(document: Document, steps: Sequence[Step], name_of: Name) -> Document:
    """The document after several steps, one after the other.

    Raises:
        EntryConflictError: one of them does not fit.
    """
    for step in steps:
        document = after_step(document, step, name_of)
    return document


def undone(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps that lead back, the last one first."""
    return tuple(step.undone for step in reversed(steps))

"""What is chosen of a variable, as queries and texts need it."""

from collections.abc import Mapping
from typing import Annotated, Final, TypeAlias

from msgspec import Meta

from eldonia_ops.dashboards.part import Line, Part

ALL: Final = "$__all"
"""The value that means all options."""


class Selection(Part, frozen=True):
    """The chosen values of a variable.

    ``all`` says that all are; then ``values`` has every option, and ``all_value``, unless empty, is what is written
    instead. ``several`` says whether the variable may have more than one value at once, which decides how one is
    escaped. ``text`` is what people see.
    """

    values: Annotated[tuple[Line, ...], Meta(max_length=5_000)] = ()
    all: bool = False
    all_value: Line = ""
    several: bool = False
    text: Annotated[str, Meta(max_length=2_000)] = ""


Selections: TypeAlias = Mapping[str, Selection]


def of_values(*values: str) -> Selection:
    """The selection of plain values."""
    return Selection(values=values, several=len(values) != 1, text=" + ".join(values))

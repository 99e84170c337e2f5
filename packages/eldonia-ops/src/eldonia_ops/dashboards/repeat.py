"""What is drawn: sections with panels, after repeats are expanded and gaps closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.dashboards.document import COLUMNS, Dashboard, Grid, Panel, Repeat
from eldonia_ops.dashboards.layout import Box, box_of
from eldonia_ops.dashboards.selection import Selection, Selections

MOST_COPIES: Final = 100
"""Of one panel or row."""
MOST_PLACED: Final = 1_000
"""Panels of a dashboard, copies included."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One panel to draw. ``key`` is its own among all; ``selections`` are those of its copy, over the common ones."""

    id: int
    key: str
    grid: Grid
    selections: Selections


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row to draw."""

    id: int
    key: str
    collapsed: bool
    selections: Selections


@dataclass(frozen=True, slots=True)
class Section:
    """Panels on one grid; ``row`` is None for those outside of rows."""

    row: PlacedRow | None
    panels: tuple[Placed, ...]


def sections(dashboard: Dashboard, selections: Selections) -> list[Section]:
    """The dashboard as it is drawn under the chosen values."""
    room = MOST_PLACED
    outside = [panel for panel in dashboard.panels if panel.type != "row"]
    found: list[Section] = []
    if outside:
        found.append(Section(None, _expanded(outside, selections, {}, "")[:room]))
        room -= len(found[0].panels)
    for row in dashboard.panels:
        if row.type != "row":
            continue
        for suffix, scoped in _copies(row.repeat, selections):
            key = f"{row.id}{suffix}"
            within = {**selections, **scoped}
            panels = _expanded(row.panels, within, scoped, f"{key}/" if suffix else "")[: max(0, room)]
            room -= len(panels)
            found.append(Section(PlacedRow(row.id, key, row.collapsed, scoped), panels))
    return found


def _copies(repeat: Repeat | None, selections: Selections) -> list[tuple[str, Selections]]:
    """For each copy what its key ends in, and the selection of its value."""
    chosen = selections.get(repeat.variable) if repeat is not None else None
    if repeat is None or chosen is None or not chosen.values:
        return [("", {})]
    texts = chosen.text.split(" + ") if not chosen.all else []
    labels = texts if len(texts) == len(chosen.values) else chosen.values
    return [
        (f":{value}", {repeat.variable: Selection(values=(value,), several=chosen.several, text=label)})
        for value, label in zip(chosen.values[:MOST_COPIES], labels, strict=False)
    ]


def _expanded(panels: Sequence[Panel], selections: Selections, scoped: Selections, prefix: str) -> tuple[Placed, ...]:
    """The panels of a section with their copies, from the top down, each resting on what is above it.

    Copies beside one another stay in one line.
    """
    heights = [0] * COLUMNS
    found: list[Placed] = []
    for panel in sorted(panels, key=lambda one: ((one.grid.y or 0), (one.grid.x or 0))):
        copies = _copies(panel.repeat, selections)
        start = box_of(panel.grid)
        places = _beside(start, panel.repeat, len(copies)) if panel.repeat else [start]
        lines: dict[int, list[tuple[Box, tuple[str, Selections]]]] = {}
        for place, copy in zip(places, copies, strict=True):
            lines.setdefault(place.y, []).append((place, copy))
        for line in lines.values():
            columns = [column for place, _ in line for column in range(place.x, min(place.x + place.w, COLUMNS))]
            y = max(heights[column] for column in columns)
            for column in columns:
                heights[column] = y + start.h
            for place, (suffix, own) in line:
                grid = Box(place.x, y, place.w, place.h).grid()
                found.append(Placed(panel.id, f"{prefix}{panel.id}{suffix}", grid, {**scoped, **own}))
    return tuple(found)


def _beside(start: Box, repeat: Repeat, count: int) -> list[Box]:
    """Places for the copies of a panel: beside one another in lines that fill the width, or one below another."""
    if repeat.direction == "vertical":
        return [Box(start.x, start.y + index * start.h, start.w, start.h) for index in range(count)]
    if count == 1:
        return [start]
    per_line = min(count, repeat.max_per_row)
    width = COLUMNS // per_line
    return [
        Box(index % per_line * width, start.y + index // per_line * start.h, width, start.h) for index in range(count)
    ]

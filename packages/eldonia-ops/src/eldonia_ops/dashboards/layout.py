"""Places on the grid: panels that flow, that are moved, that must not overlap, and that move up to close gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from msgspec.structs import replace

from eldonia_ops.dashboards.document import COLUMNS, Grid, Panel

_T = TypeVar("_T")
_HIGHEST: Final = 9_999


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of whole cells."""

    x: int
    y: int
    w: int
    h: int

    @property
    def bottom(self) -> int:
        """The first row of the grid below it."""
        return self.y + self.h

    def overlaps(self, other: "Box") -> bool:
        """Whether both cover a cell."""
        return (
            self.x < other.x + other.w and other.x < self.x + self.w and self.y < other.bottom and other.y < self.bottom
        )

    def grid(self) -> Grid:
        """The same as a place in a document."""
        return Grid(x=self.x, y=min(self.y, _HIGHEST), w=self.w, h=self.h)


def box_of(grid: Grid) -> Box:
    """The rectangle of a place whose parts are all known; what is not counts as 0."""
    return Box(grid.x or 0, grid.y or 0, grid.w, grid.h)


def flowed(sizes: Sequence[Grid], start: Sequence[Box] = ()) -> list[Box]:
    """Places for sizes in their order: from left to right, on a new line when there is no room, below what is taken.

    One that has ``x`` and ``y`` keeps them; one that has ``x`` alone goes below what is in its columns.
    """
    taken = [*start, *(box_of(one) for one in sizes if one.x is not None and one.y is not None)]
    found: list[Box] = []
    x = y = height = 0
    for size in sizes:
        if size.x is not None and size.y is not None:
            found.append(box_of(size))
            continue
        if size.x is not None:
            at, w = size.x, min(size.w, COLUMNS - size.x)
            below = [one.bottom for one in taken if one.x < at + w and at < one.x + one.w]
            box = Box(at, max(below, default=0), w, size.h)
        else:
            if x + size.w > COLUMNS:
                x, y, height = 0, y + height, 0
            box = Box(x, max(y, size.y or 0), size.w, size.h)
            while clash := next((one for one in taken if one.overlaps(box)), None):
                beside = clash.x + clash.w
                if beside + box.w <= COLUMNS:
                    box = Box(beside, box.y, box.w, box.h)
                else:
                    box = Box(0, min(one.bottom for one in taken if one.overlaps(box)), box.w, box.h)
            height = box.bottom - box.y if box.y != y else max(height, box.h)
            x, y = box.x + box.w, box.y
        taken.append(box)
        found.append(box)
    return found


def packed(boxes: Sequence[Box], first: int | None = None) -> list[Box]:
    """The same boxes without overlaps, each moved up as far as it goes; in the order given.

    Those further up, then further left, come first; where two overlap, the later one gives way downwards. The box at
    place ``first`` comes before all others at its height: it is the one that was just moved.
    """
    order = sorted(range(len(boxes)), key=lambda one: (boxes[one].y, one != first, boxes[one].x, one))
    done: dict[int, Box] = {}
    # The height that each column is filled to: a box rests on the highest of its columns.
    heights = [0] * COLUMNS
    for index in order:
        box = boxes[index]
        y = max(heights[box.x : box.x + box.w], default=0)
        done[index] = Box(box.x, y, box.w, box.h)
        heights[box.x : box.x + box.w] = [y + box.h] * len(heights[box.x : box.x + box.w])
    return [done[index] for index in range(len(boxes))]


def moved(boxes: Sequence[Box], index: int, to: Box) -> list[Box]:
    """The boxes after one was moved or resized: it is where it was dropped, others give way, gaps close."""
    w = max(1, min(to.w, COLUMNS))
    wanted = Box(max(0, min(to.x, COLUMNS - w)), max(0, to.y), w, max(1, to.h))
    return packed([wanted if at == index else box for at, box in enumerate(boxes)], index)


def overlapping(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Pairs of places whose boxes overlap."""
    order = sorted(range(len(boxes)), key=lambda one: boxes[one].y)
    found: list[tuple[int, int]] = []
    for at, one in enumerate(order):
        for other in order[at + 1 :]:
            if boxes[other].y >= boxes[one].bottom:
                break
            if boxes[one].overlaps(boxes[other]):
                found.append((min(one, other), max(one, other)))
    return found


def placed(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """Panels with whole grids: those outside of rows, and those of each row, on grids of their own."""
    outside = [panel for panel in panels if panel.type != "row"]
    boxes = iter(flowed([panel.grid for panel in outside]))
    found: list[Panel] = []
    for panel in panels:
        if panel.type == "row":
            found.append(replace(panel, grid=Grid(x=0, y=0, w=COLUMNS, h=1), panels=placed(panel.panels)))
        else:
            found.append(replace(panel, grid=next(boxes).grid()))
    return tuple(found)

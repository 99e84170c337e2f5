"""Where panels are: on the grid of 24 columns, or in the rows of Grafana before 5."""

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.dashboards.document import COLUMNS
from eldonia_ops.dashboards.layout import Box
from eldonia_ops.protocols.grafana.values import mapping, mappings, number, text, whole

_CELL: Final = 38
"""Pixels of a row of the grid with its gap."""
_HIGHEST: Final = 500
AFTER: Final = "\0after"
"""In a row that is made here: the title of the collapsed row before it."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A panel of a file and its place within its section."""

    panel: dict[str, Any]
    box: Box


Section = tuple[dict[str, Any] | None, list[Placement]]


def sections_of(document: dict[str, Any]) -> list[Section]:
    """Panels outside of rows (without a row), then each row with its panels; places count from the top of each.

    A collapsed row holds its panels in itself, and those that follow it belong to no row. Here they have a row of their
    own, so that they keep their place and stay in sight.
    """
    if mappings(document.get("rows")) and not mappings(document.get("panels")):
        return _old_rows(mappings(document.get("rows")))
    found: list[Section] = [(None, [])]
    top = 0
    collapsed: dict[str, Any] | None = None
    for panel in sorted(mappings(document.get("panels")), key=_order):
        box = _box(panel)
        if panel.get("type") != "row" and collapsed is not None:
            found.append(({"type": "row", AFTER: text(collapsed.get("title"))}, []))
            top, collapsed = box.y, None
        if panel.get("type") == "row":
            inner = mappings(panel.get("panels"))
            start = min((_box(one).y for one in inner), default=0)
            found.append((panel, [_placed(one, start) for one in sorted(inner, key=_order)]))
            top = box.y + 1
            collapsed = panel if panel.get("collapsed") else None
        else:
            found[-1][1].append(_placed(panel, top))
    return [section for section in found if section[0] is not None or section[1]]


def _order(panel: dict[str, Any]) -> tuple[int, int, int]:
    box = _box(panel)
    return box.y, panel.get("type") != "row", box.x


def _placed(panel: dict[str, Any], top: int) -> Placement:
    box = _box(panel)
    return Placement(panel, Box(box.x, max(0, box.y - top), box.w, box.h))


def _box(panel: dict[str, Any]) -> Box:
    place = mapping(panel.get("gridPos"))
    w = whole(place.get("w"), 1, COLUMNS, 12)
    x = min(whole(place.get("x"), 0, COLUMNS - 1), COLUMNS - w)
    return Box(x, whole(place.get("y"), 0, 100_000), w, whole(place.get("h"), 1, _HIGHEST, 8))


def _old_rows(rows: list[dict[str, Any]]) -> list[Section]:
    """Rows of twelve columns and a height in pixels. Without a title to show, rows are only lines."""
    titled = any(row.get("collapse") or row.get("showTitle") or row.get("repeat") for row in rows)
    found: list[Section] = []
    top = 0
    for row in rows:
        if titled or not found:
            top = 0
            found.append((row if titled else None, []))
        height = _height(row.get("height"), 250)
        x = line = tallest = 0
        for panel in mappings(row.get("panels")):
            w = max(1, min(COLUMNS, math.floor((number(panel.get("span")) or 4) * 2)))
            h = _height(panel.get("height"), 0) or height
            if x + w > COLUMNS:
                x, line, tallest = 0, line + tallest, 0
            found[-1][1].append(Placement(panel, Box(x, top + line, w, h)))
            x += w
            tallest = max(tallest, h)
        top += line + tallest
    return [section for section in found if section[0] is not None or section[1]]


def _height(value: Any, default: int) -> int:
    match = re.match(r"\s*(\d{1,5})", text(value))
    pixels = int(match[1]) if match else default
    return max(3, min(_HIGHEST, math.ceil(pixels / _CELL))) if pixels else 0

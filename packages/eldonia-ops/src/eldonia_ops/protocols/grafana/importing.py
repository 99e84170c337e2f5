"""A whole dashboard: panels and rows, and everything that was found on the way."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import Fault, Path
from eldonia_ops.dashboards.layout import Box, packed
from eldonia_ops.dashboards.reading import read_leniently
from eldonia_ops.dashboards.units import unit_from_grafana
from eldonia_ops.protocols.grafana import legacy, panels, templating
from eldonia_ops.protocols.grafana.places import AFTER, Placement, sections_of
from eldonia_ops.protocols.grafana.report import Note, Report
from eldonia_ops.protocols.grafana.targets import Sources, kinds_of_sources, queries_of
from eldonia_ops.protocols.grafana.transforms import transformations_of
from eldonia_ops.protocols.grafana.values import duration, lean, mapping, mappings, number, sequence, text, whole

_UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")
_TIME: Final = re.compile(
    r"now|now-\d{1,6}(?:ms|[smhdwMy])(?:/[smhdwMQy])?|now/[smhdwMQy]|\d{4}-\d\d-\d\d[0-9T:.Z+ -]{0,25}"
)
_INPUT: Final = re.compile(r"\$\{(VAR_[A-Za-z0-9_]+)\}")
_MOST_PANELS: Final = 450
_SILENT: Final = {"alertlist": "alerts", "dashlist": "dashboards"}
_STYLED: Final = frozenset({"styles", "columns", "fontSize"})


class NotGrafanaError(ValueError):
    """JSON that is no dashboard of Grafana."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A dashboard, and what of the file is not in it or is shown differently.

    ``panels`` counts those of the file, rows not included; ``taken`` those that are in the dashboard, ``changed`` of
    them those with a note.
    """

    dashboard: Dashboard
    notes: tuple[Note, ...]
    panels: int
    taken: int
    changed: int


def is_grafana(data: Any) -> bool:
    """Whether JSON looks like a dashboard of Grafana rather than one of ours."""
    found = _unwrapped(data)
    return bool(found) and (
        "schemaVersion" in found
        or "templating" in found
        or "rows" in found
        or "gridPos" in str([panel.keys() for panel in mappings(found.get("panels"))[:5]])
    )


def _unwrapped(data: Any) -> dict[str, Any]:
    """The dashboard inside of what Grafana's API and Kubernetes wrap around it."""
    found = mapping(data)
    for key in ("dashboard", "spec"):
        inner = found.get(key)
        if isinstance(inner, dict) and ("panels" in inner or "rows" in inner or "title" in inner):
            found = inner
    return found


def from_grafana(data: Any, *, uid: str = "", folder: str = "") -> Imported:
    """A dashboard of ours from Grafana's JSON. ``uid`` and ``folder`` replace those of the file.

    Raises:
        NotGrafanaError: it is no dashboard of Grafana, or one of a form that cannot be read at all.
    """
    document = _unwrapped(data)
    if "elements" in document and "layout" in document:
        raise NotGrafanaError("this is Grafana's schema v2: export it as the classic JSON model")
    if not document or not ("panels" in document or "rows" in document or "title" in document):
        raise NotGrafanaError("this is no dashboard: it has neither panels nor rows")
    document = _with_inputs(document)
    report = Report()
    sources = Sources(kinds_of_sources(document))
    work = _Panels(sources, report, whole(document.get("schemaVersion"), 0, 1_000))
    plain_panels = work.all(document)
    report.panel, report.title = 0, ""
    title = text(document.get("title")).strip() or "Imported"
    plain: dict[str, Any] = lean(
        {
            "title": title[:500],
            "description": text(document.get("description")),
            "folder": folder,
            "tags": [text(tag)[:50] for tag in sequence(document.get("tags")) if text(tag)][:50],
            "time": _time(mapping(document.get("time")), report),
            "refresh": _refresh(document.get("refresh")),
            "timezone": {"browser": "", "utc": "UTC"}.get(zone := text(document.get("timezone")), zone),
            "cursor": {1: "crosshair", 2: "tooltip"}.get(_cursor(document)),
            "links": templating.links_of(document.get("links"), report),
            "variables": templating.variables_of(document.get("templating"), sources, report),
            "annotations": templating.annotations_of(document.get("annotations"), sources, report),
            "panels": plain_panels,
        }
    )
    own = text(document.get("uid"))
    plain["uid"] = uid or (own if _UID.fullmatch(own) else slug(title))
    dashboard, faults = read_leniently(plain)
    if dashboard is None:
        raise NotGrafanaError("; ".join(f"{one.place}: {one.message}" for one in faults[:3]) or "it cannot be read")
    for fault in faults:
        _note_fault(fault, plain, report)
    noted = {note.panel for note in report.notes if note.panel}
    present = {panel["id"] for panel in work.made}
    return Imported(dashboard, tuple(report.notes), work.count, len(present), len(present & noted))


def slug(title: str) -> str:
    """A uid out of a title."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:40].strip("-") or "dashboard"


def _note_fault(fault: Fault, plain: Any, report: Report) -> None:
    """A part that our document cannot hold, with the panel that it is in."""
    value, panel = plain, {}
    for step in fault.path:
        if isinstance(value, dict) and "id" in value and ("type" in value or "queries" in value):
            panel = value
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            break
    report.panel, report.title = whole(panel.get("id"), 0, 2_000_000_000), text(panel.get("title"))
    report.dropped(_key(fault.path), "unreadable", fault.message)


def _key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _cursor(document: dict[str, Any]) -> int:
    if "graphTooltip" in document:
        return whole(document.get("graphTooltip"), 0, 2)
    return 1 if document.get("sharedCrosshair") else 0


def _time(time: dict[str, Any], report: Report) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in ("from", "to"):
        value = text(time.get(key)).strip()
        if _TIME.fullmatch(value):
            found[key] = value.removeprefix("now") if re.fullmatch(r"now-\w+", value) else value
        elif value:
            report.changed("time", "time", value)
    return found


def _refresh(value: Any) -> str:
    found = duration(value) if isinstance(value, str) else ""
    return found if found and "$" not in found else ""


def _with_inputs(document: dict[str, Any]) -> dict[str, Any]:
    """The dashboard with the constants of ``__inputs`` in their places."""
    constants = {
        text(one.get("name")): text(one.get("value"))
        for one in mappings(document.get("__inputs"))
        if one.get("type") == "constant"
    }
    if not constants:
        return document

    def filled(value: Any, depth: int = 0) -> Any:
        if depth > 40:
            return value
        if isinstance(value, dict):
            return {key: filled(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item, depth + 1) for item in value]
        if isinstance(value, str) and "${VAR_" in value:
            return _INPUT.sub(lambda match: constants.get(match[1], match[0]), value)
        return value

    return {key: value if key == "__inputs" else filled(value) for key, value in document.items()}


class _Panels:
    """All panels of one dashboard."""

    def __init__(self, sources: Sources, report: Report, schema: int) -> None:
        self.sources = sources
        self.report = report
        self.schema = schema
        self.count = 0
        self.made: list[dict[str, Any]] = []
        self._ids: set[int] = set()

    def all(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for row, placements in sections_of(document):
            after = None if row is None else row.get(AFTER)
            made = self._section(placements, after)
            if row is None:
                found += made
                continue
            repeat = text(row.get("repeat"))
            found.append(
                lean(
                    {
                        "id": self._id(row) if after is None else -1,
                        "type": "row",
                        "title": text(row.get("title"))[:500] if after is None else _title_after(after),
                        "collapsed": bool(row.get("collapsed", row.get("collapse"))) or None,
                        "repeat": {"variable": repeat} if repeat else None,
                        "panels": made,
                    }
                )
            )
        for one in found:
            if one["id"] == -1:  # last, so that it takes the id of no panel of the file
                one["id"] = self._id({})
        return found

    def _section(self, placements: list[Placement], after: str | None) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        boxes: list[Box] = []
        for placement in placements:
            self.count += 1
            panel = self._panel(placement.panel) if len(self.made) < _MOST_PANELS else None
            if panel is not None:
                made.append(panel)
                boxes.append(placement.box)
                self.made.append(panel)
                if after is not None:
                    self.report.changed("row", "after_row", after)
        for panel, box in zip(made, packed(boxes), strict=True):
            panel["grid"] = {"x": box.x, "y": min(box.y, 9_999), "w": box.w, "h": box.h}
        return sorted(made, key=lambda panel: (panel["grid"]["y"], panel["grid"]["x"]))

    def _id(self, panel: dict[str, Any]) -> int:
        wanted = whole(panel.get("id"), 0, 2_000_000_000)
        id = wanted if wanted and wanted not in self._ids else max(self._ids, default=0) + 1
        self._ids.add(id)
        return id

    def _panel(self, panel: dict[str, Any]) -> dict[str, Any] | None:
        report = self.report
        report.panel = whole(panel.get("id"), 0, 2_000_000_000)
        report.title = text(panel.get("title"))
        theirs = text(panel.get("type"))
        if panel.get("libraryPanel") and not theirs.replace("library-panel-ref", ""):
            report.dropped("panel", "library")
            return None
        kind = panels.TYPES.get(theirs)
        if kind is None or kind == "row":
            report.dropped("panel", _SILENT.get(theirs, "type"), theirs or "?")
            return None
        if not (whole(panel.get("id"), 0, 2_000_000_000) and report.panel not in self._ids):
            report.panel = max(self._ids, default=0) + 1
        queries = queries_of(panel, self.sources, report)
        if not queries and kind != "text" and mappings(panel.get("targets")):
            report.dropped("panel", "no_queries")
            return None
        body = self._body(panel, theirs, kind, report)
        if panel.get("alert") and isinstance(panel["alert"], dict):
            report.dropped("alert", "alert_rule")
        repeat = text(panel.get("repeat"))
        found: dict[str, Any] = {
            "title": text(panel.get("title"))[:500],
            "description": text(panel.get("description")),
            "type": kind,
            "transparent": bool(panel.get("transparent")) or None,
            "queries": queries,
            "interval": self._duration(panel, "interval"),
            "max_points": whole(panel.get("maxDataPoints"), 0, 11_000) or None,
            "time_from": self._duration(panel, "timeFrom"),
            "time_shift": self._duration(panel, "timeShift"),
            "repeat": _repeat(panel, repeat) if repeat else None,
            "links": templating.links_of(panel.get("links"), report),
            "transformations": transformations_of(panel.get("transformations"), report),
        }
        for key, value in body.items():
            found[key] = [*found[key], *value] if key == "transformations" else value
        return {"id": self._id(panel), **lean(found)}

    def _duration(self, panel: dict[str, Any], key: str) -> str:
        value = text(panel.get(key))
        if key == "timeFrom" and "/" in value:
            self.report.dropped(key, "duration", value)
            return ""
        found = duration(value.removeprefix("now-") if key == "timeFrom" else value)
        if found is None:
            self.report.dropped(key, "duration", value)
        return found or ""

    def _body(self, panel: dict[str, Any], theirs: str, kind: str, report: Report) -> dict[str, Any]:
        modern = panels.modern(panel, kind, report)
        match theirs:
            case "graph":
                return _over(legacy.graph(panel, report), modern)
            case "singlestat" | "grafana-singlestat-panel":
                return _over(legacy.single_stat(panel, report), modern)
            case "table" | "table-old" if theirs == "table-old" or _STYLED & panel.keys():
                return _over(legacy.old_table(panel, report), modern)
            case "heatmap" | "heatmap-old" if "dataFormat" in panel and "calculate" not in mapping(
                panel.get("options")
            ):
                return _over(legacy.old_heatmap(panel), modern)
            case "grafana-polystat-panel":
                unit = text(mapping(panel.get("options")).get("globalUnitFormat"))
                return _over({"unit": unit_from_grafana(unit)} if unit else {}, modern)
        return modern


def _over(old: dict[str, Any], modern: dict[str, Any]) -> dict[str, Any]:
    """What the old panel says, over what a present one would. Old panels often have an empty ``fieldConfig``."""
    found = {**modern, **old}
    if modern.get("options") or old.get("options"):
        found["options"] = {**mapping(modern.get("options")), **mapping(old.get("options"))}
    if modern.get("overrides") or old.get("overrides"):
        found["overrides"] = [*sequence(modern.get("overrides")), *sequence(old.get("overrides"))]
    return lean(found)


def _title_after(title: str) -> dict[str, str]:
    if not title:
        return {"en": "More panels", "ja": "その他のパネル"}
    return {"en": f"After {title}"[:500], "ja": f"{title} の後"[:500]}


def _repeat(panel: dict[str, Any], variable: str) -> dict[str, Any]:
    vertical = panel.get("repeatDirection") == "v"
    least = number(panel.get("minSpan"))
    most = whole(panel.get("maxPerRow"), 1, 24) if panel.get("maxPerRow") else whole(12 / least, 1, 24) if least else 4
    found: dict[str, Any] = {"variable": variable}
    if vertical:
        found["direction"] = "vertical"
    elif most != 4:
        found["max_per_row"] = most
    return found

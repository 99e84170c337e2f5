"""What a document leaves out and every reader would have to guess: ids, refs, places; and rules that span parts."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec.structs import replace

from eldonia_ops.dashboards.document import Dashboard, Panel
from eldonia_ops.dashboards.faults import Fault, Path
from eldonia_ops.dashboards.layout import placed
from eldonia_ops.model.durations import parse_duration

RESERVED_UIDS: Final = frozenset({"schema", "units", "deleted", "query", "variables", "annotations", "import", "check"})
"""Words that follow ``/dashboards/`` in the API."""
_INSTANT: Final = re.compile(
    r"now|(?:now)?-\d{1,6}(?:ms|[smhdwMy])(?:/[smhdwMQy])?|now/[smhdwMQy]|\d{1,15}|\d{4}-\d\d-\d\d[0-9T:.Z+ -]{0,25}",
    re.ASCII,
)
_TOO_LONG: Final = 500


def completed(dashboard: Dashboard, uid: str = "") -> tuple[Dashboard, list[Fault]]:
    """The dashboard with everything filled in, and what is wrong across its parts."""
    faults = [*_of_panels(dashboard), *_of_variables(dashboard), *_of_times(dashboard)]
    own = dashboard.uid or uid
    if own in RESERVED_UIDS:
        faults.append(Fault(("uid",), f"uid cannot be {own!r}", "the API has a word of that name: choose another"))
    if not faults:
        numbered = _numbered(dashboard.panels)
        dashboard = replace(dashboard, uid=own, panels=placed(tuple(_with_refs(one) for one in numbered)))
    return dashboard, faults


def every_panel(panels: Iterable[Panel], path: Path = ("panels",)) -> Iterator[tuple[Path, Panel]]:
    """All panels, rows and what is in them, with their paths."""
    for index, panel in enumerate(panels):
        yield (*path, index), panel
        yield from every_panel(panel.panels, (*path, index, "panels"))


def _numbered(panels: tuple[Panel, ...]) -> tuple[Panel, ...]:
    taken = {panel.id for _, panel in every_panel(panels)}
    following = iter(number for number in range(1, 1_000_000) if number not in taken)

    def one(panel: Panel) -> Panel:
        return replace(panel, id=panel.id or next(following), panels=tuple(one(inner) for inner in panel.panels))

    return tuple(one(panel) for panel in panels)


def ref_of(index: int) -> str:
    """The ref of a query by its place: A to Z, then AA, AB, …"""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _with_refs(panel: Panel) -> Panel:
    taken = {query.ref for query in panel.queries}
    free = iter(ref for ref in map(ref_of, range(1_000)) if ref not in taken)
    queries = tuple(query if query.ref else replace(query, ref=next(free)) for query in panel.queries)
    return replace(panel, queries=queries, panels=tuple(_with_refs(inner) for inner in panel.panels))


def _of_panels(dashboard: Dashboard) -> Iterator[Fault]:
    ids: dict[int, Path] = {}
    found = list(every_panel(dashboard.panels))
    if len(found) > _TOO_LONG:
        yield Fault(("panels",), f"a dashboard has at most {_TOO_LONG} panels, rows included")
    after_row = False
    for path, panel in found:
        outermost = len(path) == 2
        if panel.id and panel.id in ids:
            yield Fault(
                (*path, "id"), f"two panels have the id {panel.id}", "leave ids out to get new ones", panel=panel.id
            )
        ids[panel.id] = path
        if panel.type == "row":
            after_row = after_row or outermost
            if not outermost:
                yield Fault((*path, "type"), "a row is in another row", "move it beside that one", panel=panel.id)
        else:
            if outermost and after_row:
                hint = "put it into the panels of the row, or before the first row"
                yield Fault(path, "a panel comes after a row in the list", hint, panel=panel.id)
            if panel.panels:
                yield Fault((*path, "panels"), f"only rows have panels, this is a {panel.type}", panel=panel.id)
        yield from _of_queries(path, panel)
        if panel.grid.x is not None and panel.grid.x + panel.grid.w > 24:
            yield Fault((*path, "grid"), "x and w together are more than 24 columns", panel=panel.id)


def _of_queries(path: Path, panel: Panel) -> Iterator[Fault]:
    refs: set[str] = set()
    for index, query in enumerate(panel.queries):
        if query.ref and query.ref in refs:
            yield Fault((*path, "queries", index, "ref"), f"two queries have the ref {query.ref!r}", panel=panel.id)
        refs.add(query.ref)
    durations = [("interval", panel.interval), ("time_from", panel.time_from), ("time_shift", panel.time_shift)]
    for name, text in durations:
        yield from _duration((*path, name), text, panel.id)
    for index, query in enumerate(panel.queries):
        yield from _duration((*path, "queries", index, "interval"), query.interval, panel.id)
    gaps: list[tuple[Path, str | None]] = [(("options", "connect"), panel.options.connect)]
    gaps += [(("overrides", index, "set", "connect"), one.set.connect) for index, one in enumerate(panel.overrides)]
    for where, gap in gaps:
        if gap and gap != "always":
            yield from _duration((*path, *where), gap, panel.id)


def _of_variables(dashboard: Dashboard) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, variable in enumerate(dashboard.variables):
        if variable.name in seen:
            yield Fault(("variables", index, "name"), f"two variables are called {variable.name!r}")
        seen.add(variable.name)
        if variable.name.startswith("__"):
            hint = "names with two underscores in front are the platform's"
            yield Fault(("variables", index, "name"), f"a variable cannot be called {variable.name!r}", hint)
        yield from _duration(("variables", index, "auto_min"), variable.auto_min)


def _of_times(dashboard: Dashboard) -> Iterator[Fault]:
    for key, text in (("from", dashboard.time.from_), ("to", dashboard.time.to)):
        if not _INSTANT.fullmatch(text):
            hint = "write it like -6h, now, now-1d/d or 2026-11-24T09:30:00Z"
            yield Fault(("time", key), f"{key} is not a time: {text!r}", hint)
    yield from _duration(("refresh",), dashboard.refresh)
    yield from _duration(("interval",), dashboard.interval)
    for index, one in enumerate(dashboard.annotations):
        yield from _duration(("annotations", index, "interval"), one.interval)


def _duration(path: Path, text: str, panel: int = 0) -> Iterator[Fault]:
    if not text or "$" in text or "[[" in text:
        return
    try:
        parse_duration(text)
    except ValueError:
        hint = "write it like 30s, 5m or 1h30m"
        yield Fault(path, f"{path[-1]} is not a duration: {text!r}", hint, panel=panel)

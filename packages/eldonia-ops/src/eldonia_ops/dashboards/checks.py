"""What is doubtful in a dashboard that can be read: it can be saved and drawn, and something will not be as meant."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from eldonia_ops.dashboards.complete import every_panel
from eldonia_ops.dashboards.document import Dashboard, Panel, Query, Variable
from eldonia_ops.dashboards.faults import Fault, Path
from eldonia_ops.dashboards.interpolate import Interpolated, Reference, Target, interpolate, quotation, references
from eldonia_ops.dashboards.layout import box_of, overlapping
from eldonia_ops.dashboards.selection import ALL, Selection
from eldonia_ops.dashboards.units import is_unit, unit_hint
from eldonia_ops.dashboards.variables import PatternError, in_order, pattern_of, source_of
from eldonia_ops.model.errors import Level, nearest
from eldonia_ops.promql import PromQLError, parse, parse_selector
from eldonia_ops.search import SearchError
from eldonia_ops.search.pipes.parser import parse_pipeline

_COLOR: Final = re.compile(
    r"(?:(?:super-light|light|semi-dark|dark)-)?(?:green|yellow|orange|red|blue|purple|gray)"
    r"|#[0-9A-Fa-f]{3,8}|rgba?\([0-9., %]{1,40}\)|text|transparent|black|white"
)
_GIVEN: Final = {
    "__interval": "1m", "__interval_ms": "60000", "interval": "1m", "__rate_interval": "5m",
    "__rate_interval_ms": "300000", "__range": "3600s", "__range_s": "3600", "__range_ms": "3600000",
    "__from": "1", "__to": "2", "__dashboard": "x", "__user": "x", "__name": "x", "__org": "x",
}  # fmt: skip
_IN_LINKS: Final = (
    "__value",
    "__field",
    "__data",
    "__series",
    "__url",
    "__all_variables",
    "__cell",
    "__url_time_range",
)
_STAND_INS: Final = ("1", "x", "5m", "sum", "up", "job, instance", "rate", ">", "+")
"""What a variable may mean outside of quotations: a number, a name, a duration, an operation, labels, a comparison."""


def doubts(dashboard: Dashboard, language: str = "en") -> list[Fault]:
    """Everything doubtful, as warnings. Words about searches of logs are in ``language``."""
    found = [*_about_variables(dashboard)]
    names = {one.name for one in dashboard.variables}
    for path, panel in every_panel(dashboard.panels):
        found += _about_panel(path, panel, dashboard, names, language)
    for index, one in enumerate(dashboard.annotations):
        if one.source == "promql":
            path: Path = ("annotations", index, "query")
            found += [*_unknown(path, one.query, names), *_promql(path, one.query, dashboard.variables)]
    found += _overlaps(dashboard.panels, ("panels",))
    for index, panel in enumerate(dashboard.panels):
        found += _overlaps(panel.panels, ("panels", index, "panels"))
    return found


def _warning(path: Path, message: str, hint: str = "", panel: int = 0, position: int = -1) -> Fault:
    return Fault(path, message, hint, Level.WARNING, panel, position)


def _about_variables(dashboard: Dashboard) -> Iterator[Fault]:
    names = {one.name for one in dashboard.variables}
    places = {one.name: index for index, one in enumerate(dashboard.variables)}
    for circle in in_order(dashboard.variables)[1]:
        hint = "none of them can be resolved: take one of the references out"
        yield _warning(("variables", places[circle[0]]), f"variables use one another: {' → '.join(circle)}", hint)
    for index, one in enumerate(dashboard.variables):
        path: Path = ("variables", index)
        if one.type == "query":
            yield from _query_variable(path, one, names, dashboard.variables)
        if one.type in ("custom", "interval") and not one.options and not one.auto_count:
            yield _warning((*path, "options"), f"the variable {one.name} has no options")
        if ALL in one.default and not one.include_all:
            yield _warning((*path, "default"), f"the default is all, and {one.name} has no include_all")


def _query_variable(path: Path, one: Variable, names: set[str], variables: Sequence[Variable]) -> Iterator[Fault]:
    yield from _unknown((*path, "query"), one.query, names)
    try:
        pattern_of("" if any(references(one.regex)) else one.regex)
    except PatternError as error:
        hint = "options are matched by RE2, which has no look-around and no back references"
        yield _warning((*path, "regex"), str(error), hint)
    source = source_of(one.query)
    if source is None:
        yield _warning((*path, "query"), f"the variable {one.name} has no query", "such as label_values(up, instance)")
        return
    if source.kind in ("label_values", "label_names", "series") and source.expr:
        for attempt in _stood_in(source.expr, variables):
            try:
                parse_selector(attempt.text)
                return
            except PromQLError:
                continue
        yield _warning((*path, "query"), f"not a selector of series: {source.expr[:100]}")
    elif source.kind == "query_result":
        start = one.query.find(source.expr)
        yield from _promql((*path, "query"), source.expr, variables, shift=max(0, start))


def _about_panel(path: Path, panel: Panel, dashboard: Dashboard, names: set[str], language: str) -> Iterator[Fault]:
    if not is_unit(panel.unit) and "$" not in panel.unit:
        yield _warning((*path, "unit"), f"unknown unit {panel.unit!r}", unit_hint(panel.unit), panel.id)
    for index, override in enumerate(panel.overrides):
        unit = override.set.unit
        if unit is not None and not is_unit(unit) and "$" not in unit:
            where: Path = (*path, "overrides", index, "set", "unit")
            yield _warning(where, f"unknown unit {unit!r}", unit_hint(unit), panel.id)
        chosen = [override.match.name, override.match.names, override.match.regex, override.match.ref]
        if sum(one is not None for one in (*chosen, override.match.type)) != 1:
            hint = "write one of name, names, regex, ref, type"
            yield _warning(
                (*path, "overrides", index, "match"), "an override has to match by one thing", hint, panel.id
            )
    for where, color in _colors(path, panel):
        if color and "$" not in color and not _COLOR.fullmatch(color):
            yield _warning(where, f"unknown colour {color!r}", "such as green, dark-red or #3274d9", panel.id)
    if panel.repeat is not None and panel.repeat.variable not in names:
        where = (*path, "repeat", "variable")
        hint = nearest(panel.repeat.variable, names)
        yield _warning(where, f"there is no variable {panel.repeat.variable}", hint, panel.id)
    for index, query in enumerate(panel.queries):
        yield from _about_query((*path, "queries", index), query, panel, dashboard, names, language)


def _about_query(
    path: Path, query: Query, panel: Panel, dashboard: Dashboard, names: set[str], language: str
) -> Iterator[Fault]:
    where: Path = (*path, "expr")
    if not query.expr.strip():
        if query.language == "promql" and not query.hide:
            yield _warning(where, f"query {query.ref} is empty", panel=panel.id)
        return
    yield from _unknown(where, query.expr, names, panel.id)
    if query.language == "promql":
        yield from _promql(where, query.expr, dashboard.variables, panel.id)
    elif query.language == "logs":
        chosen = {one.name: Selection(values=("x",)) for one in dashboard.variables}
        made = interpolate(query.expr, chosen, _GIVEN, Target.LOGS)
        try:
            parse_pipeline(made.text)
        except SearchError as error:
            position = made.origin(error.start)
            yield _warning(where, error.message(language), error.hint(language), panel.id, position)


def _colors(path: Path, panel: Panel) -> Iterator[tuple[Path, str]]:
    for index, step in enumerate(panel.thresholds.steps):
        yield (*path, "thresholds", "steps", index, "color"), step.color
    for index, mapping in enumerate(panel.mappings):
        yield (*path, "mappings", index, "color"), mapping.color
    yield (*path, "color", "color"), panel.color.color
    for index, override in enumerate(panel.overrides):
        if override.set.color is not None:
            yield (*path, "overrides", index, "set", "color", "color"), override.set.color.color


def _unknown(path: Path, text: str, names: set[str], panel: int = 0) -> Iterator[Fault]:
    for use in references(text):
        if use.name in names or use.name in _GIVEN or use.name.startswith(_IN_LINKS) or use.name.isdecimal():
            continue
        hint = nearest(use.name, [*names, *_GIVEN]) or "add it to the variables"
        yield _warning(path, f"there is no variable {use.name}", hint, panel, use.start)


def _stood_in(text: str, variables: Sequence[Variable]) -> Iterator[Interpolated]:
    """The expression with something in the place of each variable: what the document says of it, then what is usual."""
    uses = list(references(text))
    quoted = quotation(text)
    known = {one.name: example for one in variables if (example := _example(one))}
    bare = any(use.name not in _GIVEN and not quoted(use.start) for use in uses)
    attempts = [(stand_in, True) for stand_in in _STAND_INS] if bare else [("1", True)]
    attempts += [(stand_in, False) for stand_in in _STAND_INS] if bare and known else []
    for stand_in, by_example in attempts:
        parts: list[str] = []
        pieces: list[tuple[int, int, int, int]] = []
        size = last = 0
        for use in uses:
            example = known.get(use.name, "") if by_example else ""
            value = "x" if quoted(use.start) else _GIVEN.get(use.name) or example or _usual(text, use, stand_in)
            size += use.start - last
            parts += [text[last : use.start], value]
            pieces.append((size, size + len(value), use.start, use.end))
            size, last = size + len(value), use.end
        yield Interpolated("".join([*parts, text[last:]]), tuple(pieces))


def _usual(text: str, use: Reference, stand_in: str) -> str:
    """What a variable means by its place: a duration in brackets, a name beside letters, else the stand-in."""
    after = text[use.end : use.end + 1]
    if text.rfind("[", 0, use.start) > text.rfind("]", 0, use.start):
        return "5" if after.isalpha() else "5m"
    beside = (
        after.isalnum()
        or after == "_"
        or (use.start > 0 and (text[use.start - 1].isalnum() or text[use.start - 1] in "_:"))
    )
    return "x" if beside else stand_in


def _example(variable: Variable) -> str:
    values = [value for value in variable.default if value not in (ALL, "auto", "")]
    if not values and variable.type in ("custom", "interval") and variable.options:
        first = variable.options[0]
        values = [first if isinstance(first, str) else first.value]
    if not values and variable.type == "constant":
        values = [variable.query]
    return values[0] if values else ""


def _promql(path: Path, expr: str, variables: Sequence[Variable], panel: int = 0, shift: int = 0) -> Iterator[Fault]:
    first: tuple[int, str] | None = None
    for attempt in _stood_in(expr, variables):
        try:
            parse(attempt.text)
            return
        except PromQLError as error:
            first = first or (attempt.origin(max(0, error.position)), error.message)
    if first is not None:
        yield _warning(path, f"this is not PromQL: {first[1]}", "", panel, first[0] + shift)


def _overlaps(panels: Sequence[Panel], path: Path) -> Iterator[Fault]:
    shown = [(index, panel) for index, panel in enumerate(panels) if panel.type != "row"]
    for one, other in overlapping([box_of(panel.grid) for _, panel in shown])[:50]:
        index, panel = shown[other]
        message = f"it lies over the panel {shown[one][1].id}: it is shown below it"
        yield _warning((*path, index, "grid"), message, panel=panel.id)

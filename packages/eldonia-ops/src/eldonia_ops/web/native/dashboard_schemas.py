"""What the native API answers about dashboards. Instants are Unix milliseconds.

A ``dashboard`` is a document whose keys are in ``GET /dashboards/schema``.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from eldonia_ops.dashboards.columns import Columns
from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import Fault
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.reading import to_plain
from eldonia_ops.dashboards.selection import Selection, Selections
from eldonia_ops.model.stored_dashboard import DashboardHead, DashboardVersion
from eldonia_ops.services.dashboards.dashboards import Held
from eldonia_ops.services.dashboards.queries import Answer, Ask, AskError
from eldonia_ops.web.encoding import number
from eldonia_ops.web.native.log_schemas import LogRecordShape, log_shape
from eldonia_ops.web.native.telemetry_schemas import TraceShape, trace_shape
from eldonia_ops.web.preconditions import entity_tag


class ProblemShape(msgspec.Struct):
    """One thing that is wrong or doubtful. ``panel`` is an id, 0 for none; ``position`` the offset in an expression,
    -1 for none; ``line`` and ``column`` those of a file, 0 for none."""

    path: str
    message: str
    hint: str = ""
    level: str = "error"
    panel: int = 0
    position: int = -1
    line: int = 0
    column: int = 0


class SummaryShape(msgspec.Struct):
    """One line of the list. ``source`` is stored, file or shipped; ``version`` is 0 for those of files."""

    uid: str
    title: str
    description: str
    folder: str
    tags: list[str]
    source: str
    read_only: bool
    version: int
    changed_at: int
    changed_by: str
    starred: bool
    panels: int


class TagShape(msgspec.Struct):
    """A tag, and how many dashboards have it."""

    tag: str
    count: int


class FileFaultShape(msgspec.Struct):
    """What is wrong with a file of a dashboard."""

    file: str
    line: int
    column: int
    message: str
    hint: str
    level: str


class ListShape(msgspec.Struct):
    """All dashboards that were asked for, by folder and title."""

    dashboards: list[SummaryShape]
    folders: list[str]
    tags: list[TagShape]
    faults: list[FileFaultShape]


class ViewShape(msgspec.Struct):
    """One dashboard as it is stored."""

    dashboard: dict[str, Any]
    source: str
    read_only: bool
    file: str
    version: int
    etag: str
    changed_at: int
    changed_by: str
    message: str
    starred: bool
    problems: list[ProblemShape]


class VersionShape(msgspec.Struct):
    """One version. ``deleted_at`` is 0 unless the dashboard is deleted."""

    uid: str
    title: str
    version: int
    saved_at: int
    saved_by: str
    message: str
    deleted_at: int = 0
    deleted_by: str = ""


class ChangeShape(msgspec.Struct):
    """One value that differs: ``kind`` is added, removed or changed."""

    path: str
    kind: str
    before: Any = None
    after: Any = None


class DiffShape(msgspec.Struct):
    """What differs between two versions; ``text`` is a unified diff of their YAML."""

    changes: list[ChangeShape]
    text: str


class NoteShape(msgspec.Struct):
    """What an import could not take (``dropped``) or shows differently (``changed``)."""

    level: str
    panel: int
    title: str
    what: str
    reason: str


class ImportCountsShape(msgspec.Struct):
    """Panels of the file, those taken, those of them with a note, and those dropped."""

    panels: int
    taken: int
    changed: int
    dropped: int


class ImportShape(msgspec.Struct):
    """The result of an import; ``saved`` is null for a dry run. ``exists`` says that the uid is in use."""

    dashboard: dict[str, Any]
    format: str
    report: list[NoteShape]
    counts: ImportCountsShape
    problems: list[ProblemShape]
    exists: bool
    saved: ViewShape | None = None


class ChecksShape(msgspec.Struct):
    """Everything that is wrong or doubtful."""

    problems: list[ProblemShape]


class UnitShape(msgspec.Struct):
    """A unit and how its values are shown; see ``docs/dashboards.md``."""

    id: str
    group: str
    title: dict[str, str]
    kind: str
    symbol: str
    factor: float
    before: bool
    words: list[str]


class UnitsShape(msgspec.Struct):
    """All units; ``groups`` are their titles by name."""

    units: list[UnitShape]
    groups: dict[str, dict[str, str]]


class OptionShape(msgspec.Struct):
    """A value of a variable and its text."""

    value: str
    text: str


class PlainErrorShape(msgspec.Struct):
    """Why something has no result."""

    message: str
    position: int = -1


class VariableShape(msgspec.Struct):
    """A variable with its options and chosen values; ``all`` says that all are chosen."""

    name: str
    options: list[OptionShape]
    values: list[str]
    all: bool
    error: PlainErrorShape | None = None


class SelectionShape(msgspec.Struct):
    """What is chosen of a variable, as requests take it."""

    values: list[str]
    all: bool
    all_value: str
    several: bool
    text: str


class GridShape(msgspec.Struct):
    """A place in 24 columns."""

    x: int
    y: int
    w: int
    h: int


class PlacedShape(msgspec.Struct):
    """A panel to draw; ``selections`` are those of its copy."""

    id: int
    key: str
    grid: GridShape
    selections: dict[str, SelectionShape]


class PlacedRowShape(msgspec.Struct):
    """A row to draw."""

    id: int
    key: str
    collapsed: bool
    selections: dict[str, SelectionShape]


class SectionShape(msgspec.Struct):
    """Panels on one grid; ``row`` is null for those outside of rows."""

    row: PlacedRowShape | None
    panels: list[PlacedShape]


class VariablesShape(msgspec.Struct):
    """Variables and layout under the chosen values."""

    variables: list[VariableShape]
    selections: dict[str, SelectionShape]
    sections: list[SectionShape]
    from_: int = msgspec.field(name="from")
    to: int


class ColumnShape(msgspec.Struct):
    """One series: a value for each timestamp; null where there is none, "NaN", "+Inf", "-Inf" as texts."""

    name: str
    labels: dict[str, str]
    values: list[float | str | None]


class QueryErrorShape(msgspec.Struct):
    """Why a query has no result; ``position`` counts in the expression as it was sent."""

    code: str
    message: str
    hint: str = ""
    position: int = -1


class ResultShape(msgspec.Struct):
    """What became of one query."""

    panel: int
    key: str
    ref: str
    kind: str
    expr: str
    step: int
    from_: int = msgspec.field(name="from")
    to: int
    timestamps: list[int]
    series: list[ColumnShape]
    buckets: list[float | str]
    records: list[LogRecordShape]
    traces: list[TraceShape]
    warnings: list[str]
    error: QueryErrorShape | None
    seconds: float
    shared: bool


class ResultsShape(msgspec.Struct):
    """The results, in the order of the queries."""

    from_: int = msgspec.field(name="from")
    to: int
    results: list[ResultShape]


class EventShape(msgspec.Struct):
    """A mark; ``end`` is null for an instant."""

    time: int
    end: int | None
    title: str
    text: str
    tags: list[str]
    url: str


class MarkedShape(msgspec.Struct):
    """The marks of one annotation."""

    name: str
    color: str
    source: str
    events: list[EventShape]
    error: PlainErrorShape | None = None


class AnnotationsShape(msgspec.Struct):
    """The marks of all annotations."""

    annotations: list[MarkedShape]


def problem_shapes(faults: Iterable[Fault]) -> list[ProblemShape]:
    """Faults with their paths as text."""
    return [ProblemShape(one.place, one.message, one.hint, one.level.value, one.panel, one.position) for one in faults]


def view_shape(held: Held, *, starred: bool, problems: Iterable[Fault]) -> ViewShape:
    """A dashboard."""
    version = held.version
    return ViewShape(
        to_plain(held.dashboard),
        held.source,
        held.read_only,
        held.file,
        version.version if version else 0,
        entity_tag(held.text),
        version.saved_at if version else 0,
        version.saved_by if version else "",
        version.message if version else "",
        starred,
        problem_shapes(problems),
    )


def summary_shape(held: Held, language: str, *, starred: bool) -> SummaryShape:
    """A line of the list."""
    one, version = held.dashboard, held.version
    return SummaryShape(
        one.uid,
        shown(one.title, language),
        shown(one.description, language),
        one.folder,
        list(one.tags),
        held.source,
        held.read_only,
        version.version if version else 0,
        version.saved_at if version else 0,
        version.saved_by if version else "",
        starred,
        panel_count(one),
    )


def panel_count(dashboard: Dashboard) -> int:
    """Panels, rows not included."""
    return sum(len(panel.panels) if panel.type == "row" else 1 for panel in dashboard.panels)


def version_shape(version: DashboardVersion, head: DashboardHead) -> VersionShape:
    """A version."""
    return VersionShape(
        version.uid,
        version.title,
        version.version,
        version.saved_at,
        version.saved_by,
        version.message,
        head.deleted_at,
        head.deleted_by,
    )


def selection_shapes(selections: Selections) -> dict[str, SelectionShape]:
    """Selections by the names of their variables."""
    return {name: _selection(one) for name, one in selections.items()}


def _selection(one: Selection) -> SelectionShape:
    return SelectionShape(list(one.values), one.all, one.all_value, one.several, one.text)


def result_shape(ask: Ask, answer: Answer) -> ResultShape:
    """What became of one query."""
    made: Columns = answer.columns
    return ResultShape(
        ask.panel,
        ask.key,
        ask.ref,
        answer.kind,
        answer.expr,
        answer.step,
        answer.start,
        answer.end,
        made.timestamps,
        [
            ColumnShape(one.name, dict(one.labels), [None if value is None else number(value) for value in one.values])
            for one in made.series
        ],
        [number(bound) for bound in made.buckets],
        [log_shape(record) for record in answer.records],
        [trace_shape(summary) for summary in answer.traces],
        list(answer.warnings),
        _error(answer.error),
        round(answer.seconds, 6),
        answer.shared,
    )


def _error(error: AskError | None) -> QueryErrorShape | None:
    return None if error is None else QueryErrorShape(error.code, error.message, error.hint, error.position)

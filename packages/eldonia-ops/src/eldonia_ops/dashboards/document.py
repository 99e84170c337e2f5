"""A dashboard, as it is stored, written in files and edited in the browser.

Every default is one that need not be written. Durations are texts such as ``30s``; instants of ``time`` are ``now``,
``-6h``, ``now-1d/d`` (the beginning, or the end, of a day) or RFC 3339.
"""

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, field

from eldonia_ops.dashboards.display import ColorMode, Mapping, Options, Override, Thresholds, ValueLink
from eldonia_ops.dashboards.part import Line, Long, Number, Part, Text
from eldonia_ops.dashboards.transformations import Transformation

COLUMNS = 24
"""Columns of the grid."""

Duration: TypeAlias = Annotated[str, Meta(max_length=20)]
PanelType: TypeAlias = Literal[
    "timeseries", "stat", "gauge", "bar", "table", "heatmap", "state_timeline", "logs", "traces", "text", "row"
]
Language: TypeAlias = Literal["promql", "logs", "traces"]


class TimeRange(Part, frozen=True):
    """The range that a dashboard begins with."""

    from_: Annotated[str, Meta(max_length=40)] = field(default="-1h", name="from")
    to: Annotated[str, Meta(max_length=40)] = "now"


class Grid(Part, frozen=True):
    """A place in 24 columns. A row of the grid is 30 px and a gap of 8 px.

    ``x`` and ``y`` count from the left and from the top of what the panel is in: the dashboard, or its row. In a file
    they may be left out; then panels flow from left to right.
    """

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"x", "y", "w", "h"})
    x: Annotated[int, Meta(ge=0, lt=COLUMNS)] | None = None
    y: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    w: Annotated[int, Meta(ge=1, le=COLUMNS)] = 12
    h: Annotated[int, Meta(ge=1, le=1_000)] = 8


class Link(Part, frozen=True):
    """A link of a dashboard or panel: to an address, to a dashboard by its uid, or to all with these tags."""

    title: Text = ""
    url: Long = ""
    dashboard: Line = ""
    tags: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    tooltip: Text = ""
    keep_time: bool = False
    keep_variables: bool = False
    new_tab: bool = False
    as_list: bool = False


class Option(Part, frozen=True):
    """A value of a variable, and how it is shown where that differs."""

    value: Line
    text: Line = ""


class Variable(Part, frozen=True):
    """Something that is chosen above the panels, and used in them as ``$name``.

    ``query`` is ``label_values(metric, label)``, ``label_values(label)``, ``label_names()``, ``metrics(regex)`` or
    ``query_result(promql)``; ``regex`` keeps options that match and takes their first group, or the groups ``value``
    and ``text``. ``options`` are those of a custom or interval variable. ``default`` has the values at first;
    ``$__all`` means all. With ``include_all``, ``all_value`` is what all becomes (as written); without it, all options.
    ``auto_count`` gives an interval variable the choice ``auto``: the range in so many steps, at least ``auto_min``.
    """

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"type"})
    name: Annotated[str, Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)]
    label: Text = ""
    description: Text = ""
    type: Literal["query", "custom", "interval", "constant", "text"] = "query"
    query: Long = ""
    options: Annotated[tuple[Line | Option, ...], Meta(max_length=1_000)] = ()
    regex: Line = ""
    sort: Literal[
        "none", "alphabetical", "alphabetical_descending", "numerical", "numerical_descending",
        "case_insensitive", "case_insensitive_descending", "natural", "natural_descending",
    ] = "none"  # fmt: skip
    multi: bool = False
    include_all: bool = False
    all_value: Line = ""
    default: Annotated[tuple[Line, ...], Meta(max_length=500)] = ()
    hide: Literal["no", "label", "variable"] = "no"
    refresh: Literal["load", "time"] = "load"
    auto_count: Annotated[int, Meta(ge=0, le=10_000)] = 0
    auto_min: Duration = ""


class Annotation(Part, frozen=True):
    """Marks on the time axis. ``query`` is a PromQL expression for ``promql``, else a search among the events.
    ``configuration`` marks changes of this platform's own settings.

    ``title``, ``text`` are templates over the labels of a series (``{{instance}}``); ``tags`` names labels.
    """

    name: Line
    source: Literal["deploys", "configuration", "alerts", "incidents", "promql"] = "promql"
    query: Long = ""
    title: Line = ""
    text: Line = ""
    tags: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    interval: Duration = ""
    color: Annotated[str, Meta(max_length=60)] = ""
    enabled: bool = True
    hide: bool = False


class Query(Part, frozen=True):
    """One query of a panel.

    ``legend`` names its series: ``{{label}}`` and variables; empty means the labels in which they differ. ``instant``
    asks for the end of the range alone. ``interval`` is the least step. ``format`` is how a result of PromQL is taken:
    as series, as a table with a row for each, or as buckets of a heat map by ``le``.
    """

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"ref", "language", "expr"})
    ref: Annotated[str, Meta(max_length=50)] = ""
    language: Language = "promql"
    expr: Long = ""
    legend: Line = ""
    instant: bool = False
    format: Literal["series", "table", "heatmap"] = "series"
    interval: Duration = ""
    hide: bool = False


class Repeat(Part, frozen=True):
    """A panel or row is shown once for each value of a variable."""

    variable: Line
    direction: Literal["horizontal", "vertical"] = "horizontal"
    max_per_row: Annotated[int, Meta(ge=1, le=COLUMNS)] = 4


class Panel(Part, frozen=True):
    """One panel; or a row, which has panels of its own. In a file, ids may be left out.

    Panels that are in no row come first, then the rows in their order. ``interval`` is the least step of the queries,
    ``max_points`` bounds the points; ``time_from`` (``6h``) shows another range up to now, ``time_shift`` moves it
    back.
    """

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"id", "type", "grid"})
    id: Annotated[int, Meta(ge=0, le=2_000_000_000)] = 0
    title: Text = ""
    description: Text = ""
    type: PanelType = "timeseries"
    grid: Grid = Grid()
    transparent: bool = False
    queries: Annotated[tuple[Query, ...], Meta(max_length=50)] = ()
    interval: Duration = ""
    max_points: Annotated[int, Meta(ge=0, le=11_000)] = 0
    time_from: Duration = ""
    time_shift: Duration = ""
    unit: Line = ""
    decimals: Annotated[int, Meta(ge=0, le=20)] | None = None
    min: Number | None = None
    max: Number | None = None
    display_name: Text = ""
    no_value: Text = ""
    color: ColorMode = ColorMode()
    thresholds: Thresholds = Thresholds()
    mappings: Annotated[tuple[Mapping, ...], Meta(max_length=500)] = ()
    value_links: Annotated[tuple[ValueLink, ...], Meta(max_length=50)] = ()
    overrides: Annotated[tuple[Override, ...], Meta(max_length=200)] = ()
    transformations: Annotated[tuple[Transformation, ...], Meta(max_length=50)] = ()
    options: Options = Options()
    repeat: Repeat | None = None
    links: Annotated[tuple[Link, ...], Meta(max_length=50)] = ()
    collapsed: bool = False
    panels: Annotated[tuple["Panel", ...], Meta(max_length=500)] = ()


class Dashboard(Part, frozen=True, kw_only=True):
    """A whole dashboard. In a file, ``uid`` may be left out: it is the file's name then. ``interval`` is the least step
    of all queries; ``cursor`` says whether charts share a crosshair, or a tooltip too."""

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"uid"})
    uid: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{0,40}$")] = ""
    title: Text
    description: Text = ""
    folder: Annotated[str, Meta(max_length=200)] = ""
    tags: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=50)], ...], Meta(max_length=50)] = ()
    time: TimeRange = TimeRange()
    refresh: Duration = ""
    timezone: Annotated[str, Meta(max_length=60)] = ""
    interval: Duration = ""
    cursor: Literal["none", "crosshair", "tooltip"] = "none"
    links: Annotated[tuple[Link, ...], Meta(max_length=50)] = ()
    variables: Annotated[tuple[Variable, ...], Meta(max_length=100)] = ()
    annotations: Annotated[tuple[Annotation, ...], Meta(max_length=50)] = ()
    panels: Annotated[tuple[Panel, ...], Meta(max_length=500)] = ()

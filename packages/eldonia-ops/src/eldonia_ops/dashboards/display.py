"""How values are shown: units, thresholds, mappings, colours, and what differs for some of the series."""

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta, field

from eldonia_ops.dashboards.part import Line, Long, Number, Part, Text

Reducer: TypeAlias = Literal[
    "last", "last_or_null", "first", "first_or_null", "min", "max", "mean", "median", "sum", "count", "range", "delta",
    "step", "diff", "diff_percent", "log_min", "all_zero", "all_null", "change_count", "distinct_count", "variance",
    "std_dev", "p1", "p5", "p10", "p25", "p50", "p75", "p80", "p90", "p95", "p99", "all_values", "unique_values",
]  # fmt: skip
"""What makes one value of many. ``last`` and ``first`` pass over gaps; ``delta`` counts resets in."""
Color: TypeAlias = Annotated[str, Meta(max_length=60)]
"""A name (``green``, ``dark-red``), ``#rrggbb``, ``rgb(...)``, ``rgba(...)``, ``text`` or ``transparent``."""


class Threshold(Part, frozen=True):
    """From this value on, the colour. The first step has no value: it is the base."""

    ALWAYS: ClassVar[frozenset[str]] = frozenset({"color"})
    value: Number | None = None
    color: Color = "green"


class Thresholds(Part, frozen=True):
    """Steps by rising values; ``percentage`` counts between ``min`` and ``max``."""

    mode: Literal["absolute", "percentage"] = "absolute"
    steps: Annotated[tuple[Threshold, ...], Meta(max_length=50)] = ()


class Range(Part, frozen=True):
    """Values from ``from`` to ``to``, both included; without one of them it is open."""

    from_: Number | None = field(default=None, name="from")
    to: Number | None = None


class Mapping(Part, frozen=True):
    """A text or colour for some values: one of ``value``, ``range``, ``regex``, ``special`` says which.

    ``text`` may use the groups of ``regex`` as ``$1``. Without a text the value stays, and has the colour.
    """

    value: Line | None = None
    range: Range | None = None
    regex: Line | None = None
    special: Literal["null", "nan", "null_or_nan", "true", "false", "empty"] | None = None
    text: Text = ""
    color: Color = ""


class ColorMode(Part, frozen=True):
    """Where the colour of a series comes from.

    ``auto`` is ``palette`` for charts and tables, ``thresholds`` for stat, gauge, bar, heat maps and timelines.
    ``palette`` gives each its own in turn, ``name`` one that follows from its name, ``fixed`` is ``color``, ``shades``
    are shades of ``color``, ``thresholds`` and ``scale`` follow the value of ``by``.
    """

    mode: Literal["auto", "palette", "name", "fixed", "shades", "thresholds", "scale"] = "auto"
    color: Color = ""
    scheme: Literal[
        "green_yellow_red", "red_yellow_green", "blue_yellow_red", "yellow_red", "blue_purple", "yellow_blue",
        "blues", "reds", "greens", "purples",
    ] = "green_yellow_red"  # fmt: skip
    by: Literal["last", "min", "max"] = "last"


class ValueLink(Part, frozen=True):
    """A link from a value. The address may use ``${__value.raw}``, ``${__field.labels.NAME}``,
    ``${__data.fields.NAME}`` and variables."""

    title: Text = ""
    url: Long = ""
    new_tab: bool = False


class Legend(Part, frozen=True):
    """The legend of a chart; ``calcs`` are shown with each series."""

    show: bool = True
    mode: Literal["list", "table"] = "list"
    placement: Literal["bottom", "right"] = "bottom"
    calcs: Annotated[tuple[Reducer, ...], Meta(max_length=20)] = ()
    sort_by: Line = ""
    sort_descending: bool = False
    width: Annotated[int, Meta(ge=0, le=2_000)] = 0


class Tooltip(Part, frozen=True):
    """What is shown at the pointer."""

    mode: Literal["single", "all", "none"] = "single"
    sort: Literal["none", "ascending", "descending"] = "none"


class Reduce(Part, frozen=True):
    """What a panel of single values shows of each series.

    ``values`` shows every row instead, at most ``limit``. ``fields`` is a regular expression on names of columns;
    empty means the numeric ones.
    """

    calcs: Annotated[tuple[Reducer, ...], Meta(min_length=1, max_length=20)] = ("last",)
    values: bool = False
    limit: Annotated[int, Meta(ge=0, le=10_000)] = 0
    fields: Line = ""


class SortedBy(Part, frozen=True):
    """A column to sort a table by."""

    field: Line
    descending: bool = False


class Heat(Part, frozen=True):
    """A heat map. Without ``calculate`` each series is a bucket (``le``); with it, buckets are made of the values."""

    calculate: bool = False
    scheme: Line = "oranges"
    reverse: bool = False
    steps: Annotated[int, Meta(ge=2, le=128)] = 64
    scale: Literal["exponential", "linear"] = "exponential"
    exponent: Annotated[float, Meta(ge=0, le=10)] = 0.5
    min: Number | None = None
    max: Number | None = None
    hide_below: Number | None = None
    cell_gap: Annotated[int, Meta(ge=0, le=20)] = 1
    reverse_y: bool = False


class Options(Part, frozen=True):
    """What some types of panels have to be set; each type reads its own and leaves the others.

    ``fill`` is percent of opacity. ``connect`` joins points over gaps: ``always``, or gaps up to a duration (``5m``).
    ``columns`` are fields of logs or traces.
    """

    # time series and bars over time
    draw: Literal["line", "bars", "points"] = "line"
    interpolation: Literal["linear", "smooth", "step_before", "step_after"] = "linear"
    line_width: Annotated[float, Meta(ge=0, le=20)] = 1
    line_style: Literal["solid", "dash", "dots"] = "solid"
    fill: Annotated[float, Meta(ge=0, le=100)] = 0
    gradient: Literal["none", "opacity", "hue", "scheme"] = "none"
    points: Literal["auto", "always", "never"] = "auto"
    point_size: Annotated[float, Meta(ge=1, le=40)] = 5
    stacking: Literal["none", "normal", "percent"] = "none"
    connect: Annotated[str, Meta(max_length=20)] = ""
    bar_width: Annotated[float, Meta(ge=0.05, le=1)] = 0.97
    threshold_style: Literal["off", "line", "dashed", "area", "line_and_area", "dashed_and_area"] = "off"
    axis: Literal["auto", "left", "right", "hidden"] = "auto"
    axis_label: Line = ""
    axis_scale: Literal["linear", "log2", "log10", "symlog"] = "linear"
    axis_soft_min: Number | None = None
    axis_soft_max: Number | None = None
    axis_centered: bool = False
    axis_grid: Literal["auto", "on", "off"] = "auto"
    legend: Legend = Legend()
    tooltip: Tooltip = Tooltip()
    # stat, gauge, bar
    reduce: Reduce = Reduce()
    orientation: Literal["auto", "horizontal", "vertical"] = "auto"
    color_mode: Literal["none", "value", "background", "background_solid"] = "value"
    graph_mode: Literal["none", "area"] = "area"
    text_mode: Literal["auto", "value", "value_and_name", "name", "none"] = "auto"
    justify: Literal["auto", "center"] = "auto"
    title_size: Annotated[int, Meta(ge=0, le=400)] = 0
    value_size: Annotated[int, Meta(ge=0, le=400)] = 0
    percent_change: bool = False
    threshold_labels: bool = False
    threshold_markers: bool = True
    bar_style: Literal["gradient", "basic", "lcd", "columns"] = "gradient"
    show_unfilled: bool = True
    category: Line = ""
    show_values: Literal["auto", "always", "never"] = "auto"
    # table
    header: bool = True
    sort: Annotated[tuple[SortedBy, ...], Meta(max_length=20)] = ()
    footer: Annotated[tuple[Reducer, ...], Meta(max_length=5)] = ()
    footer_fields: Annotated[tuple[Line, ...], Meta(max_length=100)] = ()
    page_size: Annotated[int, Meta(ge=0, le=1_000)] = 0
    filterable: bool = False
    cell: Literal["auto", "text", "color", "background", "gauge", "sparkline", "json", "link"] = "auto"
    align: Literal["auto", "left", "center", "right"] = "auto"
    # heat map
    heat: Heat = Heat()
    # state timeline
    merge_equal: bool = True
    row_height: Annotated[float, Meta(ge=0.05, le=1)] = 0.9
    # logs and traces
    columns: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    wrap: bool = True
    newest_first: bool = True
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 100
    # text
    content: Text = ""


Pattern: TypeAlias = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Match(Part, frozen=True):
    """Which series or columns: one of the keys. ``type`` is the kind of their values, ``ref`` the query that they are
    of. ``exclude`` means all others."""

    name: Pattern | None = None
    names: Annotated[tuple[Pattern, ...], Meta(min_length=1, max_length=500)] | None = None
    regex: Pattern | None = None
    ref: Line | None = None
    type: Literal["number", "string", "time", "boolean", "other"] | None = None
    exclude: bool = False


class FieldSet(Part, frozen=True):
    """What is different for the series of an override; what is not written stays as the panel has it."""

    display_name: Text | None = None
    unit: Line | None = None
    decimals: Annotated[int, Meta(ge=0, le=20)] | None = None
    min: Number | None = None
    max: Number | None = None
    no_value: Text | None = None
    thresholds: Thresholds | None = None
    mappings: Annotated[tuple[Mapping, ...], Meta(max_length=500)] | None = None
    color: ColorMode | None = None
    links: Annotated[tuple[ValueLink, ...], Meta(max_length=50)] | None = None
    draw: Literal["line", "bars", "points"] | None = None
    interpolation: Literal["linear", "smooth", "step_before", "step_after"] | None = None
    line_width: Annotated[float, Meta(ge=0, le=20)] | None = None
    line_style: Literal["solid", "dash", "dots"] | None = None
    fill: Annotated[float, Meta(ge=0, le=100)] | None = None
    fill_below: Line | None = None
    gradient: Literal["none", "opacity", "hue", "scheme"] | None = None
    points: Literal["auto", "always", "never"] | None = None
    point_size: Annotated[float, Meta(ge=1, le=40)] | None = None
    stacking: Literal["none", "normal", "percent"] | None = None
    stack_group: Line | None = None
    connect: Annotated[str, Meta(max_length=20)] | None = None
    bar_width: Annotated[float, Meta(ge=0.05, le=1)] | None = None
    threshold_style: Literal["off", "line", "dashed", "area", "line_and_area", "dashed_and_area"] | None = None
    negative: bool | None = None
    hide_in: Annotated[tuple[Literal["chart", "legend", "tooltip"], ...], Meta(max_length=3)] | None = None
    axis: Literal["auto", "left", "right", "hidden"] | None = None
    axis_label: Line | None = None
    axis_scale: Literal["linear", "log2", "log10", "symlog"] | None = None
    axis_soft_min: Number | None = None
    axis_soft_max: Number | None = None
    axis_centered: bool | None = None
    axis_grid: Literal["auto", "on", "off"] | None = None
    width: Annotated[int, Meta(ge=0, le=5_000)] | None = None
    align: Literal["auto", "left", "center", "right"] | None = None
    cell: Literal["auto", "text", "color", "background", "gauge", "sparkline", "json", "link"] | None = None
    filterable: bool | None = None
    hidden: bool | None = None
    """A column of a table that is not shown."""


class Override(Part, frozen=True):
    """Settings for some of the series or columns of a panel; later ones win."""

    match: Match
    set: FieldSet = FieldSet()

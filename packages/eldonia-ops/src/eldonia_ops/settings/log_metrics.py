"""Metrics that are made of log records."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

from eldonia_ops.log_metrics.definition import UNITS, LogMetric, LogMetricType
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.model.prometheus_conventions import DEFAULT_BUCKETS, LABEL_NAME, METRIC_NAME
from eldonia_ops.protocols.prometheus.rules import locate
from eldonia_ops.protocols.yaml_document import YamlNode
from eldonia_ops.search import EVERYTHING, Node, SearchError, parse_search
from eldonia_ops.search.scanner import Scanner
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import NULL, Choice, Clean, Kind, Whole
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Text

NO_UNIT: Final = "none"
_MOST_LABELS: Final = 10
_MOST_BUCKETS: Final = 100


def read_search(reader: SettingsReader, key: str) -> Node:
    """The tree of a search in the language of logs; a fault is noted at its place in the text."""
    try:
        return parse_search(reader.string(key))
    except SearchError as error:
        _note(reader, key, error)
        return EVERYTHING


def read_field(text: str) -> FieldName:
    """A field's name as a search writes it.

    Raises:
        SearchError: it cannot be read.
        ValueError: something comes behind it.
    """
    scanner = Scanner(text)
    name = scanner.field_name()
    if not scanner.at_end():
        raise ValueError(f"not the name of a field: {text!r}")
    return name


def _note(reader: SettingsReader, key: str, error: SearchError) -> None:
    node = reader.get(key)
    if node is None:
        return
    line, column = node.line, node.column
    if not node.is_expanded:
        line, column = locate(reader.around.lines_at(node), node, error.start)
    found = Diagnostic(f"{key}: {error.message()}", node.file or reader.problems.file, line, column, hint=error.hint())
    reader.problems.diagnostics.append(found)


@dataclass(frozen=True, slots=True)
class SearchText(Text):
    """A search in the language of logs, without pipes."""

    what: str = "[search](search.md)"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The text; what is wrong with it is said where it is written."""
        found = reader.string(key, default, required=required)
        read_search(reader, key)
        return found


@dataclass(frozen=True, slots=True)
class FieldText(Text):
    """A field's name as a search writes it."""

    what: str = "field"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The text."""
        found = reader.string(key, default, required=required)
        if found and found != default:
            try:
                read_field(found)
            except SearchError as error:
                _note(reader, key, error)
                return default
            except ValueError as error:
                reader.fault(key, str(error))
                return default
        return found


@dataclass(frozen=True, slots=True)
class LabelFields(Kind):
    """Fields that become labels: a list of their names, or a mapping from label to field."""

    empty: ClassVar[Any] = ()

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list of fields, or mapping of label to field"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> tuple[tuple[str, str], ...]:
        """Labels, each with its field."""
        node = reader.get(key)
        if node is None:
            return default
        if node.is_mapping:
            pairs = [(label.text, field, label) for label, field in node.items()]
        else:
            pairs = [(re.sub(r"[^a-zA-Z0-9_]", "_", item.text), item, item) for item in reader.elements(key)]
        found: dict[str, str] = {}
        for label, field, place in pairs:
            if _is_label(reader, label, place, found):
                try:
                    read_field(field.text)
                    found[label] = field.text
                except (SearchError, ValueError) as error:
                    message = error.message() if isinstance(error, SearchError) else str(error)
                    reader.problems.add(field, message)
        if len(found) > _MOST_LABELS:
            reader.fault(key, f"{key} has more than {_MOST_LABELS} labels", "each combination of values is a series")
        return tuple(found.items())

    def schema(self) -> dict[str, Any]:
        """A list of texts, or a mapping of them."""
        text = {"type": "string"}
        return {
            "anyOf": [
                {"type": "array", "items": text},
                {"type": "object", "additionalProperties": text},
                NULL,
            ]
        }

    def plain(self, value: Any, clean: Clean) -> Any:
        """A mapping from label to field."""
        return dict(value)


def _is_label(reader: SettingsReader, label: str, place: YamlNode, found: dict[str, str]) -> bool:
    if not LABEL_NAME.fullmatch(label):
        hint = "letters, digits and underscores; write label: field"
        reader.problems.add(place, f"{label!r} cannot be a label's name", hint)
    elif label in ("le", "quantile"):
        reader.problems.add(place, f"the label {label} belongs to histograms and summaries", "choose another name")
    elif label in found:
        reader.problems.add(place, f"there are two labels called {label!r}")
    else:
        return True
    return False


@dataclass(frozen=True, slots=True)
class Buckets(Kind):
    """Upper bounds of the buckets of a histogram, ascending; the one without bound is added."""

    empty: ClassVar[Any] = DEFAULT_BUCKETS

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list of ascending numbers"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> tuple[float, ...]:
        """The bounds."""
        nodes = reader.elements(key)
        if not nodes:
            return default
        found: list[float] = []
        for node in nodes:
            try:
                bound = float(node.text.replace(".inf", "inf"))
            except ValueError:
                bound = math.nan
            if bound == math.inf:
                continue
            if not math.isfinite(bound) or (found and bound <= found[-1]):
                reader.problems.add(node, f"{key} are ascending numbers", "such as [0.1, 0.5, 1, 5]")
                return default
            found.append(bound)
        if len(found) > _MOST_BUCKETS or not found:
            reader.fault(key, f"{key} has {len(found)} bounds", f"1 to {_MOST_BUCKETS}")
            return default
        return tuple(found)

    def schema(self) -> dict[str, Any]:
        """An array of numbers."""
        return {"anyOf": [{"type": "array", "items": {"type": ["number", "string"]}}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The list."""
        return list(value)


@dataclass(frozen=True, slots=True)
class LogMetricSettings:
    """A counter, gauge or histogram that is made of log records as they come in."""

    name: Annotated[str, Setting(Text(), "Its name in PromQL. That of a counter ends in `_total`.")]
    search: Annotated[str, Setting(SearchText(), "Which records count. Empty: all.")] = ""
    type: Annotated[
        LogMetricType,
        Setting(
            Choice.of(LogMetricType),
            "`counter` adds one for each record, or the number in `value`; `histogram` spreads those numbers over "
            "`buckets`; `gauge` is the number of the record that came last.",
        ),
    ] = LogMetricType.COUNTER
    value: Annotated[
        str,
        Setting(FieldText(), "The field with the number, such as `performance.duration`; records without are skipped."),
    ] = ""
    unit: Annotated[
        str,
        Setting(
            Choice((NO_UNIT, *UNITS)),
            "What the field is in. The metric is in seconds, bytes or a ratio, as Prometheus asks.",
        ),
    ] = NO_UNIT
    labels: Annotated[
        tuple[tuple[str, str], ...],
        Setting(LabelFields(), "Fields whose values become labels. Choose those with few values."),
    ] = ()
    buckets: Annotated[tuple[float, ...], Setting(Buckets(), "Upper bounds of a histogram, in its unit.")] = (
        DEFAULT_BUCKETS
    )
    help: Annotated[str, Setting(Text(), "What it is, for those who find it.")] = ""
    max_series: Annotated[
        int,
        Setting(
            Whole(1, 100_000),
            "Combinations of labels that are kept apart; the rest is counted with `(other)` for every label.",
        ),
    ] = 1_000

    def metric(self) -> LogMetric:
        """The same as the counting takes it."""
        unit, factor = UNITS.get(self.unit, ("", 1.0))
        return LogMetric(
            name=self.name,
            type=self.type,
            search=parse_search(self.search),
            text=self.search,
            value=read_field(self.value) if self.value else None,
            factor=factor,
            unit=unit,
            labels=tuple((label, read_field(field)) for label, field in self.labels),
            buckets=self.buckets,
            help=self.help,
            max_series=self.max_series,
        )


def check_log_metric(reader: SettingsReader, found: LogMetricSettings) -> None:
    """Note what does not fit together."""
    if found.name and not METRIC_NAME.fullmatch(found.name):
        reader.fault("name", f"{found.name!r} cannot be a metric's name", "letters, digits, _ and :, no digit first")
    if found.type is not LogMetricType.COUNTER and not found.value:
        reader.fault("value", f"a {found.type} needs the field with its number", "write value: performance.duration")
    if found.unit != NO_UNIT and not found.value:
        reader.fault("unit", "a unit is that of the field in value", "write value, or remove unit")
    if reader.get("buckets") is not None and found.type is not LogMetricType.HISTOGRAM:
        reader.fault("buckets", f"a {found.type} has no buckets", "write type: histogram")
    if found.type is LogMetricType.COUNTER and found.name and not found.name.endswith("_total"):
        reader.problems.add(
            reader.get("name") or reader.node,
            f"the name of a counter ends in _total: {found.name}",
            f"write {found.name}_total",
            Level.WARNING,
        )

"""Metrics of records as ``fluent-plugin-prometheus`` describes them: ``<metric>`` sections of filters and outputs.

What is counted of a batch is a value; who runs the pipeline adds it to the series, once the batch is delivered.
https://github.com/fluent/fluent-plugin-prometheus
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.model.prometheus_conventions import DEFAULT_BUCKETS, LABEL_NAME, METRIC_NAME
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.filters.filter import Counted
from eldonia_ops.pipeline.filters.placeholders import PlaceholderError, Scope, TagValues, Value, template_of
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.section import Section, SectionReader

_KINDS: Final = ("counter", "gauge", "histogram", "summary")
_MOST_METRICS: Final = 100
_MOST_LABELS: Final = 10
_MOST_BUCKETS: Final = 100
_LONGEST_LABEL: Final = 200


@dataclass(frozen=True, slots=True)
class RecordMetric:
    """A counter, gauge or histogram. ``labels`` are the names of its labels, ``initial`` values of them with which a
    series begins before the first record."""

    name: str
    kind: str
    help: str = field(default="", compare=False)
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = DEFAULT_BUCKETS
    initial: tuple[tuple[str, ...], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class _Rule:
    """A metric, the field with its number ('' for one of each record), and what makes the values of its labels."""

    metric: RecordMetric
    key: str
    values: tuple[str | Value, ...] = field(compare=False)
    written: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordMetrics:
    """The metrics of one section, and how records are counted by them."""

    rules: tuple[_Rule, ...] = ()
    hostname: str = ""

    @property
    def metrics(self) -> tuple[RecordMetric, ...]:
        """What is counted."""
        return tuple(rule.metric for rule in self.rules)

    def counted(self, batch: Batch) -> tuple[Counted, ...]:
        """What there is to count of a batch. A record without a number in the field is left out."""
        values = TagValues(batch.tag, self.hostname)
        found: dict[tuple[str, tuple[str, ...]], list[float]] = {}
        for rule in self.rules:
            for event in batch.events:
                number = 1.0 if not rule.key else _number(field_of(event.record, rule.key))
                if number is None or (number < 0 and rule.metric.kind == "counter"):
                    continue
                scope = Scope(values, event.time_ns, event.record)
                texts = tuple(_label(one if isinstance(one, str) else one(scope)) for one in rule.values)
                found.setdefault((rule.metric.name, texts), []).append(number)
        kinds = {rule.metric.name: rule.metric.kind for rule in self.rules}
        return tuple(Counted(name, texts, _joined(kinds[name], numbers)) for (name, texts), numbers in found.items())


def read_record_metrics(reader: SectionReader, hostname: str = "") -> RecordMetrics:
    """The ``<metric>`` sections of a plug-in. What is wrong is noted in ``reader.problems``."""
    shared = _labels(reader.one_section("labels"))
    sections = reader.sections("metric")
    if not sections:
        reader.problem("prometheus needs a <metric> section", hint="write <metric> with name, type and desc")
    if len(sections) > _MOST_METRICS:
        reader.problem(f"more than {_MOST_METRICS} <metric> sections: the others are left out")
    rules = [_rule(SectionReader(one, reader.problems), shared) for one in sections[:_MOST_METRICS]]
    return RecordMetrics(tuple(rule for rule in rules if rule is not None), hostname)


def _rule(reader: SectionReader, shared: Mapping[str, Any]) -> _Rule | None:
    name = reader.string("name")
    kind = reader.choice("type", _KINDS, "") if reader.section.type else ""
    key = reader.string("key")
    help = reader.string("desc")
    reader.ignore("retention", "retention_check_interval", "initialized")
    labels = {**shared, **_labels(reader.one_section("labels"))}
    initial = _initial(reader, tuple(labels))
    buckets = _buckets(reader)
    reader.finish()
    if not METRIC_NAME.fullmatch(name):
        hint = "letters, digits, _ and :, no digit first"
        reader.problem(f"{name!r} cannot be a metric's name" if name else "<metric> needs name", "name", hint=hint)
        return None
    if not kind:
        reader.problem(f"the metric {name} needs a type", "type", hint=f"one of {', '.join(_KINDS)}")
        return None
    if kind != "counter" and not key:
        reader.problem(f"a {kind} needs key: the field with its number", hint="write key FIELD, or key $.a.b")
        return None
    if kind == "summary":
        message = f"the summary {name} becomes a histogram: quantiles of instances cannot be joined"
        hint = f"ask histogram_quantile(0.95, sum by (le) (rate({name}_bucket[5m])))"
        reader.problem(message, "type", hint=hint, level=Level.WARNING)
        kind = "histogram"
    try:
        steps_of(key)
    except ValueError as error:
        reader.problem(str(error), "key")
        return None
    values = _values(reader, labels)
    if values is None:
        return None
    metric = RecordMetric(name, kind, help, tuple(labels), buckets, initial)
    return _Rule(metric, key, values, tuple(map(str, labels.values())))


def _values(reader: SectionReader, labels: Mapping[str, Any]) -> tuple[str | Value, ...] | None:
    if len(labels) > _MOST_LABELS:
        reader.problem(f"more than {_MOST_LABELS} labels", hint="each combination of values is a series")
        return None
    found: list[str | Value] = []
    for label, written in labels.items():
        if not LABEL_NAME.fullmatch(label) or label in ("le", "quantile"):
            reader.problem(
                f"{label!r} cannot be a label's name", hint="letters, digits and _; le and quantile are taken"
            )
            return None
        text = as_text(written)
        try:
            found.append(_value(text))
        except PlaceholderError as error:
            reader.problem(f"the label {label}: {error}", hint=error.hint)
            return None
        except ValueError as error:
            reader.problem(f"the label {label}: {error}")
            return None
    return tuple(found)


def _value(text: str) -> str | Value:
    """A path of fields (``$.a``), placeholders, or the text itself."""
    if text.startswith(("$.", "$[")):
        steps_of(text)
        return lambda scope: field_of(scope.record, text)
    return template_of(text, typecast=False) or text


def _initial(reader: SectionReader, labels: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    found: list[tuple[str, ...]] = []
    for section in reader.sections("initlabels"):
        given = _labels(section)
        found.append(tuple(_label(given.get(label, "")) for label in labels))
    return tuple(found)


def _buckets(reader: SectionReader) -> tuple[float, ...]:
    texts = reader.texts("buckets")
    if not texts:
        return DEFAULT_BUCKETS
    try:
        found = tuple(float(text) for text in texts)
    except ValueError:
        found = ()
    finite = tuple(bound for bound in found if bound != math.inf)
    ascending = all(low < high for low, high in itertools.pairwise(finite))
    if not finite or not all(map(math.isfinite, finite)) or not ascending or len(finite) > _MOST_BUCKETS:
        reader.problem("buckets are ascending numbers", "buckets", hint="such as 0.1, 0.5, 1, 5")
        return DEFAULT_BUCKETS
    return finite


def _labels(section: Section | None) -> dict[str, Any]:
    return {} if section is None else {name: one.value for name, one in section.parameters.items()}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _label(value: Any) -> str:
    return "" if value is None else as_text(value)[:_LONGEST_LABEL]


def _joined(kind: str, numbers: Sequence[float]) -> tuple[float, ...]:
    """The same in as few numbers as say it."""
    if kind == "counter":
        return (math.fsum(numbers),)
    return tuple(numbers[-1:]) if kind == "gauge" else tuple(numbers)

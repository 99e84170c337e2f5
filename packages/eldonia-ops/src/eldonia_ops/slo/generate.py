"""Objectives turned into recording and alerting rules, as plain PromQL.

For each objective:

* ``slo:error_ratio:rate<window>`` for every window that an alert looks at, and for the objective's own;
* ``slo:objective:target`` and ``slo:objective:budget``, constants for pages and joins;
* ``slo:bad_events:increase1h`` and ``6h``, how many events were bad: a few of them say nothing, whatever their share;
* one ``ErrorBudgetBurn`` alert per severity. Both severities share the name, so an inhibition rule with
  ``equal: [alertname, service]`` lets the critical one quieten the warning.

An alert waits so long that the alert of its cause, such as a failed probe, is there before it; then there is none.

Where there is no traffic there is no ratio: nothing is recorded and nothing fires (an idle night neither
burns nor earns budget). Where all traffic fails and the series of good events does not even exist, the ratio is 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.matchers import MatchOp
from eldonia_ops.promql.ast import Call, VectorSelector, children
from eldonia_ops.promql.parser import parse
from eldonia_ops.slo.objectives import BURN_ALERTS, DAY, HOUR, WINDOW_PLACEHOLDER, BurnAlert, BurnPair, Objective
from eldonia_ops.slo.texts import TEXTS

ALERT_NAME: Final = "ErrorBudgetBurn"
RATIO_PREFIX: Final = "slo:error_ratio:rate"
BAD_PREFIX: Final = "slo:bad_events:increase"
CAUSE_FIRST_MS: Final = 180_000
"""How long an alert waits: longer than those of probes and targets."""

FEWEST_BAD: Final = 5
"""Fewer bad requests over the longer window raise no alert."""

FEWEST_FAILED_PROBES: Final = 3
_LONGEST_COUNTED: Final = 6 * HOUR
_LONGEST_KNOWN: Final = 2 * HOUR  # longer ones would be read from disk at every evaluation
_PER_SECOND: Final = frozenset({"rate", "irate", "deriv"})
MINUTE: Final = 60_000


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """``expr`` is recorded as the series ``name`` with ``labels`` added."""

    name: str
    expr: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """An alert that fires while ``expr`` has a result for ``for_ms``."""

    name: str
    expr: str
    for_ms: int
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one objective, recording ones first since alerts read them. ``interval_ms`` is how often."""

    name: str
    interval_ms: int
    recording: tuple[RecordingRule, ...]
    alerting: tuple[AlertingRule, ...]


def generate(
    objective: Objective,
    *,
    alerts: Sequence[BurnAlert] = BURN_ALERTS,
    speed: float = 1.0,
    interval_ms: int = 30_000,
    language: str = "en",
) -> RuleSet:
    """The rules of an objective. ``speed`` divides every window and wait (not the interval), for demonstrations.
    ``language`` is that of the alerts' texts.

    Raises:
        ValueError: ``speed`` is not positive, or makes a window shorter than a second.
    """
    if speed <= 0:
        raise ValueError("the speed must be positive")
    scaled = [
        BurnAlert(
            alert.severity,
            tuple(
                BurnPair(pair.factor, scaled_window(pair.long_ms, speed), scaled_window(pair.short_ms, speed))
                for pair in alert.pairs
            ),
        )
        for alert in alerts
    ]
    own = scaled_window(objective.window_ms, speed)
    windows = {own, *(window for alert in scaled for pair in alert.pairs for window in (pair.long_ms, pair.short_ms))}
    counted = {_counted(pair, speed) for alert in scaled for pair in alert.pairs}
    labels = {"objective": objective.name, "service": objective.service}
    shortest = min(windows)
    recording = [
        RecordingRule(series_name(window), _ratio(objective, window, shortest, speed), labels)
        for window in sorted(windows)
    ]
    recording += [
        RecordingRule(BAD_PREFIX + format_duration(window), bad_events(objective, window), labels)
        for window in sorted(counted)
    ]
    recording.append(RecordingRule("slo:objective:target", f"vector({objective.target:.10g})", labels))
    recording.append(RecordingRule("slo:objective:budget", f"vector({objective.budget:.10g})", labels))
    return RuleSet(
        f"slo-{objective.name}",
        interval_ms,
        tuple(recording),
        tuple(_alert(objective, alert, labels, speed, language) for alert in scaled),
    )


def generate_all(
    objectives: Iterable[Objective], *, speed: float = 1.0, interval_ms: int = 30_000, language: str = "en"
) -> list[RuleSet]:
    """The rules of several objectives.

    Raises:
        ValueError: two objectives share a name, or a window becomes too short.
    """
    chosen = list(objectives)
    names = [objective.name for objective in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two objectives are called {twice[0]!r}")
    return [generate(objective, speed=speed, interval_ms=interval_ms, language=language) for objective in chosen]


def series_name(window_ms: int) -> str:
    """The series that holds the error ratio over a window: ``slo:error_ratio:rate5m``."""
    return RATIO_PREFIX + format_duration(window_ms)


def selector(objective: Objective, window_ms: int) -> str:
    """PromQL for the recorded error ratio of an objective over a window."""
    return series_name(window_ms) + _of(objective)


def _of(objective: Objective) -> str:
    return f"{{objective={_quoted(objective.name)},service={_quoted(objective.service)}}}"


def error_ratio(objective: Objective, window_ms: int) -> str:
    """PromQL for the share of bad events over a window, straight from the raw series."""
    window = format_duration(window_ms)
    if objective.probe:
        return f"1 - avg(avg_over_time({objective.probe}[{window}]))"
    good = objective.good.replace(WINDOW_PLACEHOLDER, window)
    total = objective.total.replace(WINDOW_PLACEHOLDER, window)
    # `or 0 * total`: good events that never happened have no series, and must count as none, not as unknown.
    return f"1 - (({good}) or (0 * ({total}))) / (({total}) > 0)"


def bad_events(objective: Objective, window_ms: int) -> str:
    """PromQL for how many events were bad over a window, about."""
    window = format_duration(window_ms)
    if objective.probe:
        return f"sum(count_over_time({objective.probe}[{window}]) - sum_over_time({objective.probe}[{window}]))"
    good = objective.good.replace(WINDOW_PLACEHOLDER, window)
    total = objective.total.replace(WINDOW_PLACEHOLDER, window)
    times = f" * {window_ms / 1000:.10g}" if _is_rate(objective.total) else ""
    return f"(({total}) - (({good}) or (0 * ({total})))){times}"


def _is_rate(query: str) -> bool:
    """Whether a query of events counts them by the second."""
    stack = [parse(query.replace(WINDOW_PLACEHOLDER, "5m"))]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.function in _PER_SECOND:
            return True
        stack.extend(children(node))
    return False


def _counted(pair: BurnPair, speed: float) -> int:
    """The window over which the bad events of a condition are counted, ms: its longer one, at most six hours."""
    return min(pair.long_ms, scaled_window(_LONGEST_COUNTED, speed))


def _ratio(objective: Objective, window_ms: int, shortest_ms: int, speed: float) -> str:
    """Windows of a day and more are averaged from the shortest recorded ratio: reading raw series over weeks at
    every evaluation would cost more than all other rules together. The average weighs quiet hours like
    busy ones; windows below a day, which decide about paging, are exact."""
    if window_ms * speed < 0.99 * DAY or window_ms == shortest_ms:
        return error_ratio(objective, window_ms)
    # Aggregated so that the metric name and the recorded labels are set anew by this rule alone.
    return f"avg(avg_over_time({selector(objective, shortest_ms)}[{format_duration(window_ms)}]))"


def _alert(objective: Objective, alert: BurnAlert, labels: dict[str, str], speed: float, language: str) -> AlertingRule:
    budget = f"{objective.budget:.10g}"
    fewest = FEWEST_FAILED_PROBES if objective.probe else FEWEST_BAD

    def condition(pair: BurnPair) -> str:
        limit = f"{pair.factor:g} * {budget}"
        over_long = f"{selector(objective, pair.long_ms)} > {limit}"
        over_short = f"{selector(objective, pair.short_ms)} > {limit}"
        bad = f"{BAD_PREFIX}{format_duration(_counted(pair, speed))}{_of(objective)} >= {fewest}"
        # Without the metric names, which differ, all sides carry the same labels and meet in `and`.
        sides = " and ".join(f"max by (objective, service) ({side})" for side in (over_long, over_short, bad))
        return f"({sides})"

    texts = TEXTS[language]
    values = {
        "service": objective.service,
        "objective": objective.name,
        "target": f"{objective.target * 100:g}",
        "window": format_duration(objective.window_ms),
        "bad": "{{ $value | humanizePercentage }}",
    }
    probe = _probe_name(objective)
    return AlertingRule(
        name=ALERT_NAME,
        expr=_without_known(" or ".join(condition(pair) for pair in alert.pairs), objective, alert, probe, speed),
        for_ms=max(1, round(CAUSE_FIRST_MS / speed)),
        labels={**labels, "severity": alert.severity, **({"probe": probe} if probe else {})},
        annotations={
            "summary": texts["summary"].format(**values),
            "description": texts[alert.severity].format(**values),
        },
    )


def _without_known(expr: str, objective: Objective, alert: BurnAlert, probe: str, speed: float) -> str:
    """Nothing while another critical alert of the service or probe fires, and afterwards for as long as the short
    windows still hold what was bad then: people know of it."""
    longest = max(pair.short_ms for pair in alert.pairs)
    window = format_duration(min(longest, scaled_window(_LONGEST_KNOWN, speed)))
    known = f'alertname!="{ALERT_NAME}",alertstate="firing",severity="critical"'
    service = f"ALERTS{{{known},service={_quoted(objective.service)}}}[{window}]"
    found = f"({expr}) unless on () max(max_over_time({service}))"
    if probe:
        found += f" unless on () max(max_over_time(ALERTS{{{known},probe={_quoted(probe)}}}[{window}]))"
    return found


def _probe_name(objective: Objective) -> str:
    """The probe that an objective is measured with, '' if it is another series: its alert is then a known cause."""
    if not objective.probe:
        return ""
    selected = parse(objective.probe)
    if not isinstance(selected, VectorSelector):
        return ""
    names = [one.value for one in selected.matchers if one.name == "probe" and one.op is MatchOp.EQUAL]
    return names[0] if names else ""


def scaled_window(window_ms: int, speed: float) -> int:
    """A window (ms) divided by ``speed``; from a minute on in whole seconds, so that its name stays short.

    Raises:
        ValueError: it becomes shorter than a second.
    """
    scaled = round(window_ms / speed)
    if scaled < 1_000:
        raise ValueError(f"a window of {format_duration(window_ms)} at speed {speed:g} is shorter than a second")
    return scaled - scaled % 1_000 if scaled >= MINUTE else scaled


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

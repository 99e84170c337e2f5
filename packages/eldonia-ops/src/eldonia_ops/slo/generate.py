"""Objectives turned into recording and alerting rules, as plain PromQL.

For each objective:

* ``slo:error_ratio:rate<window>`` for every window that an alert looks at, and for the objective's own;
* ``slo:objective:target`` and ``slo:objective:budget``, constants for pages and joins;
* one ``ErrorBudgetBurn`` alert per severity. Both severities share the name, so an inhibition rule with
  ``equal: [alertname, service]`` lets the critical one quieten the warning.

Where there is no traffic there is no ratio: nothing is recorded and nothing fires (an idle night neither
burns nor earns budget). Where all traffic fails and the series of good events does not even exist, the ratio is 1.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.durations import format_duration
from eldonia_ops.slo.objectives import BURN_ALERTS, DAY, WINDOW_PLACEHOLDER, BurnAlert, BurnPair, Objective

ALERT_NAME: Final = "ErrorBudgetBurn"
RATIO_PREFIX: Final = "slo:error_ratio:rate"
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
) -> RuleSet:
    """The rules of an objective. ``speed`` divides every window (not the interval), for demonstrations.

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
    labels = {"objective": objective.name, "service": objective.service}
    shortest = min(windows)
    recording = [
        RecordingRule(series_name(window), _ratio(objective, window, shortest, speed), labels)
        for window in sorted(windows)
    ]
    recording.append(RecordingRule("slo:objective:target", f"vector({objective.target:.10g})", labels))
    recording.append(RecordingRule("slo:objective:budget", f"vector({objective.budget:.10g})", labels))
    return RuleSet(
        f"slo-{objective.name}",
        interval_ms,
        tuple(recording),
        tuple(_alert(objective, alert, labels) for alert in scaled),
    )


def generate_all(objectives: Iterable[Objective], *, speed: float = 1.0, interval_ms: int = 30_000) -> list[RuleSet]:
    """The rules of several objectives.

    Raises:
        ValueError: two objectives share a name, or a window becomes too short.
    """
    chosen = list(objectives)
    names = [objective.name for objective in chosen]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two objectives are called {twice[0]!r}")
    return [generate(objective, speed=speed, interval_ms=interval_ms) for objective in chosen]


def series_name(window_ms: int) -> str:
    """The series that holds the error ratio over a window: ``slo:error_ratio:rate5m``."""
    return RATIO_PREFIX + format_duration(window_ms)


def selector(objective: Objective, window_ms: int) -> str:
    """PromQL for the recorded error ratio of an objective over a window."""
    return f"{series_name(window_ms)}{{objective={_quoted(objective.name)},service={_quoted(objective.service)}}}"


def error_ratio(objective: Objective, window_ms: int) -> str:
    """PromQL for the share of bad events over a window, straight from the raw series."""
    window = format_duration(window_ms)
    if objective.probe:
        return f"1 - avg(avg_over_time({objective.probe}[{window}]))"
    good = objective.good.replace(WINDOW_PLACEHOLDER, window)
    total = objective.total.replace(WINDOW_PLACEHOLDER, window)
    # `or 0 * total`: good events that never happened have no series, and must count as none, not as unknown.
    return f"1 - (({good}) or (0 * ({total}))) / (({total}) > 0)"


def _ratio(objective: Objective, window_ms: int, shortest_ms: int, speed: float) -> str:
    """Windows of a day and more are averaged from the shortest recorded ratio: reading raw series over weeks at
    every evaluation would cost more than all other rules together. The average weighs quiet hours like
    busy ones; windows below a day, which decide about paging, are exact."""
    if window_ms * speed < 0.99 * DAY or window_ms == shortest_ms:
        return error_ratio(objective, window_ms)
    # Aggregated so that the metric name and the recorded labels are set anew by this rule alone.
    return f"avg(avg_over_time({selector(objective, shortest_ms)}[{format_duration(window_ms)}]))"


def _alert(objective: Objective, alert: BurnAlert, labels: dict[str, str]) -> AlertingRule:
    budget = f"{objective.budget:.10g}"

    def condition(pair: BurnPair) -> str:
        limit = f"{pair.factor:g} * {budget}"
        over_long = f"{selector(objective, pair.long_ms)} > {limit}"
        over_short = f"{selector(objective, pair.short_ms)} > {limit}"
        # Without the metric names, which differ, both sides carry the same labels and meet in `and`.
        return f"(max by (objective, service) ({over_long}) and max by (objective, service) ({over_short}))"

    described = "; ".join(
        f"{pair.factor:g} times the sustainable rate over {format_duration(pair.long_ms)} and "
        f"{format_duration(pair.short_ms)}"
        for pair in alert.pairs
    )
    return AlertingRule(
        name=ALERT_NAME,
        expr=" or ".join(condition(pair) for pair in alert.pairs),
        for_ms=0,
        labels={**labels, "severity": alert.severity},
        annotations={
            "summary": f"{objective.service} burns the error budget of {objective.name}",
            "description": (
                f"{{{{ $value | humanizePercentage }}}} of events are bad; {objective.target * 100:g} % over "
                f"{format_duration(objective.window_ms)} are to be good. Condition: {described}."
            ),
        },
    )


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

"""What is noticed: rules, routing, objectives, security."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from eldonia_ops.model.errors import Diagnostic, nearest
from eldonia_ops.model.labels import EMPTY, Labels, quote
from eldonia_ops.model.security import SecurityEventType, SecuritySeverity
from eldonia_ops.promql.errors import ParseError
from eldonia_ops.promql.parser import parse
from eldonia_ops.protocols.prometheus.rules import locate
from eldonia_ops.security.thresholds import DEFAULTS, Threshold
from eldonia_ops.settings.containers import ByName, Globs, LabelSet
from eldonia_ops.settings.declaration import Setting, adopt
from eldonia_ops.settings.kinds import Choice, Flag, Number, Period, Whole
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.shipped_rules import DefaultRules, ShippedRules
from eldonia_ops.settings.texts import FilePath, Text
from eldonia_ops.settings.units import DAY, HOUR, SECOND
from eldonia_ops.slo.objectives import WINDOW_PLACEHOLDER, Objective


@dataclass(frozen=True, slots=True)
class RuleSettings:
    """Rule files (absolute once loaded) and how they run.

    ``speed`` divides every duration of rules, routes, incidents and recovery: 10 makes a demonstration
    of a story that takes ten minutes last one.
    """

    files: Annotated[tuple[str, ...], Setting(Globs(), "Files in Prometheus' rule format.")] = ()
    defaults: Annotated[
        DefaultRules,
        Setting(
            ShippedRules(),
            "Adds [the twelve alerts](defaults/rules/eldonia.yml) and "
            "[those about targets, probes and certificates](defaults/rules/platform.yml).",
        ),
    ] = field(default_factory=DefaultRules)
    evaluation_interval: Annotated[int, Setting(Period(), "For groups without their own.")] = 15 * SECOND
    labels: Annotated[
        Labels,
        Setting(
            LabelSet(),
            "Put on every alert of `files` that lacks them: what Prometheus calls `external_labels`.",
        ),
    ] = EMPTY
    speed: Annotated[
        float,
        Setting(
            Number(above=0, at_most=1000, fault="speed must be above 0 and at most 1000"),
            "Divides every duration of rules, routes, incidents, security and recovery; for demonstrations.",
        ),
    ] = 1.0


@dataclass(frozen=True, slots=True)
class AlertmanagerSettings:
    """Where the routing configuration is; None for the one that the platform ships."""

    file: Annotated[
        Path | None,
        Setting(
            FilePath(),
            "Routing in Alertmanager's format; without it [the shipped one](defaults/alertmanager.yml), which wants "
            "`SLACK_WEBHOOK_URL` and `PAGERDUTY_ROUTING_KEY`.",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class ObjectiveSettings:
    """A service-level objective: either ``probe``, or ``good`` and ``total``."""

    name: Annotated[str, Setting(Text(), "Its name in lists and alerts.")]
    service: Annotated[str, Setting(Text(), "The service that it is about.")]
    target: Annotated[
        float,
        Setting(
            Number(above=0, below=100, fault="target is a percentage between 0 and 100, both excluded"), "Percent."
        ),
    ] = 99.9
    window: Annotated[int, Setting(Period(minimum=HOUR), "The time over which it must be met.")] = 30 * DAY
    probe: Annotated[str, Setting(Text(), "The probe whose successes count.")] = ""
    good: Annotated[str, Setting(Text(), "PromQL of what was good, over `[$window]`.")] = ""
    total: Annotated[str, Setting(Text(), "PromQL of all that there was, over `[$window]`.")] = ""
    description: Annotated[str, Setting(Text(), "For the pages.")] = ""

    def objective(self) -> Objective:
        """The same as the objectives' own rules take it; a probe becomes the series of its results."""
        return Objective(
            name=self.name,
            service=self.service,
            target=round(self.target / 100, 12),
            window_ms=self.window,
            good=self.good,
            total=self.total,
            probe=f"probe_success{{probe={quote(self.probe)}}}" if self.probe else "",
            description=self.description,
        )


def check_objective(reader: SettingsReader, objective: ObjectiveSettings) -> None:
    """Note an objective that cannot be measured."""
    probe, good, total = objective.probe, objective.good, objective.total
    if probe and (good or total):
        reader.fault("probe", f"{reader.what} has a probe besides good and total", "keep one of the two ways")
    elif not probe and not (good and total):
        reader.problems.add(reader.node, f"{reader.what} needs good and total, or a probe")
    names = {one.name for one in reader.around.read["collectors"].get("probes", ())}
    if probe and probe not in names:
        reader.fault("probe", f"there is no probe {probe!r}", nearest(probe, names))
    _check_query(reader, "good", good)
    _check_query(reader, "total", total)


def _check_query(reader: SettingsReader, key: str, query: str) -> None:
    """Note what keeps a query from being one; "300000s" is a duration as long as "$window", so places stay true."""
    node = reader.get(key)
    if node is None or not query:
        return
    if WINDOW_PLACEHOLDER not in query:
        reader.fault(key, f"{key} lacks {WINDOW_PLACEHOLDER}", f"write its range as [{WINDOW_PLACEHOLDER}]")
        return
    try:
        parse(query.replace(WINDOW_PLACEHOLDER, "300000s"))
    except ParseError as error:
        line, column = (
            (node.line, node.column) if node.is_expanded else locate(reader.around.lines_at(node), node, error.position)
        )
        message = f"{key} is not PromQL: {error.message}"
        reader.problems.diagnostics.append(Diagnostic(message, node.file or reader.problems.file, line, column))


adopt(
    Threshold,
    count=Setting(Whole(1, 1000), "Events from one source that make a finding.", key="threshold"),
    window_ms=Setting(Period(minimum=SECOND), "The time within which they count.", key="window"),
    quiet_ms=Setting(Period(minimum=SECOND), "The alert ends so long after the last event.", key="quiet"),
    floor=Setting(Choice.of(SecuritySeverity), "The least severity of the finding.", key="severity"),
)


@dataclass(frozen=True, slots=True)
class SecuritySettings:
    """Detection of attacks. ``thresholds`` holds an entry for each of the ten types."""

    enabled: Annotated[bool, Setting(Flag(), "Whether attacks are looked for.")] = True
    thresholds: Annotated[
        Mapping[SecurityEventType, Threshold],
        Setting(ByName(SecurityEventType, Threshold), "Thresholds of each type.", key="windows"),
    ] = field(default_factory=lambda: dict(DEFAULTS))
    evidence_limit: Annotated[int, Setting(Whole(1, 1_000), "Events kept with a finding.")] = 50

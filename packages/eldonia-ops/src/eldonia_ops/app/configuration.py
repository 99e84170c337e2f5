"""Everything that people write, read and checked, as one value that does not change."""

from dataclasses import dataclass

from eldonia_ops.alerting.routing import Routing
from eldonia_ops.dashboards.provided import NO_DASHBOARDS, ProvidedDashboards
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.rules import RuleGroup
from eldonia_ops.settings import Settings
from eldonia_ops.settings.managed import EntryPlace
from eldonia_ops.slo.objectives import Objective
from eldonia_ops.template import TemplateSet


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the platform runs by, with ``rules.speed`` applied to rules, routing and incident policy.

    ``routing_text`` is the routing as YAML for people to read, without secrets. ``files`` are the paths that were
    read. ``warnings`` are diagnostics that keep nothing from starting, without secrets. ``places`` are where entries
    that can be managed are written; ``taken`` says what a prometheus.yml brought.
    """

    settings: Settings
    rule_groups: tuple[RuleGroup, ...]
    routing: Routing
    templates: TemplateSet
    routing_text: str
    policy: Policy
    objectives: tuple[Objective, ...]
    files: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    dashboards: ProvidedDashboards = NO_DASHBOARDS
    places: tuple[EntryPlace, ...] = ()
    taken: tuple[str, ...] = ()

    @property
    def speed(self) -> float:
        """What durations of rules, routes, incidents and recovery have been divided by."""
        return self.settings.rules.speed

    @property
    def external_url(self) -> str:
        """The address by which people reach the pages."""
        return self.settings.address

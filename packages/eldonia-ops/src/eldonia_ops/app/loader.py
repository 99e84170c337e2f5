"""From files to a :class:`Configuration`: the one loader of a start, of a check and of a reload."""

import functools
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from eldonia_ops.alerting.causes import Outages, services_of
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.routing import faster
from eldonia_ops.dashboards.provided import Provided, ProvidedDashboards
from eldonia_ops.lint.check import all_diagnostics
from eldonia_ops.lint.places import place_of
from eldonia_ops.lint.sources import Override, Sources, dashboard_paths
from eldonia_ops.lint.workspace import SHIPPED
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.places import FILE_NAME
from eldonia_ops.notifiers.registry import installed
from eldonia_ops.protocols.alertmanager.config_text import configuration_text
from eldonia_ops.protocols.dashboard_file import in_folder
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.protocols.shipped_dashboards import shipped_dashboards
from eldonia_ops.rules import AlertingRule, RuleGroup
from eldonia_ops.services.rules.groups import running_groups
from eldonia_ops.settings import Settings
from eldonia_ops.settings.managed import RECEIVERS, EntryPlace
from eldonia_ops.slo.generate import generate_all


def load_configuration(
    file: Path | None,
    environment: Mapping[str, str],
    *,
    override: Override = lambda settings: settings,
    managed: str | None = None,
    prometheus: Path | None = None,
) -> Configuration:
    """Read the settings and every file that they name (``file`` None: the defaults, and what is shipped).

    ``managed`` is taken as the text of the managed file, whatever that holds. ``prometheus`` is a prometheus.yml that
    is read along.

    Raises:
        ConfigError: with every fault found in any of the files, each with its place, by file and line; without what
            came from the environment.
    """
    sources = Sources(environment, kinds=installed(), managed=managed, prometheus=prometheus)
    name = None if file is None else os.path.abspath(file)
    settings = sources.examine(name, override)
    if settings is None:
        raise ConfigError(all_diagnostics(sources))
    return _assembled(sources, name or FILE_NAME, settings)


def configuration_of(settings: Settings, environment: Mapping[str, str]) -> Configuration:
    """The configuration of settings that have been read already.

    Raises:
        ConfigError: with every fault found in the files that they name.
    """
    return _assembled(Sources(environment, kinds=installed()), str(settings.file or FILE_NAME), settings)


def _assembled(sources: Sources, name: str, settings: Settings) -> Configuration:
    sources.follow(name, settings)
    sources.add_shipped()
    found = all_diagnostics(sources)
    if any(item.level is Level.ERROR for item in found):
        raise ConfigError(found)
    speed = settings.rules.speed
    objectives = tuple(item.objective() for item in settings.objectives)
    try:
        generated = generate_all(objectives, speed=speed, language=settings.language)
    except ValueError as error:  # a window that the speed makes too short
        raise ConfigError(settings.concealed.cleaned([Diagnostic(str(error), name)])) from None
    routing_file = settings.alertmanager.file
    routing = sources.routings[SHIPPED if routing_file is None else sources.name_of(routing_file)]
    runbook_file = settings.incidents.runbook
    runbook = _default_runbook() if runbook_file is None else sources.runbooks[sources.name_of(runbook_file)]
    policy = settings.incidents.policy(runbook)
    notified = routing.routing if speed == 1 else faster(routing.routing, speed)
    if settings.incidents.join_outages:
        notified = replace(notified, outages=_outages(settings, notified.route.group_wait))
    return Configuration(
        settings=settings,
        rule_groups=tuple(
            running_groups(
                _groups(sources, settings),
                defaults=settings.rules.defaults,
                objectives=generated,
                interval_ms=settings.rules.evaluation_interval,
                speed=speed,
                language=settings.language,
            )
        ),
        routing=notified,
        templates=routing.templates,
        routing_text=configuration_text(routing),
        policy=policy if speed == 1 else policy.faster(speed),
        objectives=objectives,
        files=tuple(sources.files.texts),
        taken=settings.parts.taken,
        places=(*settings.parts.places, *_receivers(sources, settings)),
        warnings=tuple(found),
        dashboards=_dashboards(sources, settings, found),
    )


def _outages(settings: Settings, wait: int) -> Outages:
    return Outages(
        services_of({one.name: one.depends_on for one in settings.services}),
        wait,
        frozenset(one.service for one in settings.objectives),
    )


def _dashboards(sources: Sources, settings: Settings, found: Sequence[Diagnostic]) -> ProvidedDashboards:
    """Dashboards of files, in folders by where they lie, then the shipped ones; the first of a uid counts."""
    made: dict[str, Provided] = {}
    paths: set[str] = set()
    for pattern in settings.dashboards.files:
        for path in dashboard_paths(pattern):
            name = sources.name_of(path)
            paths.add(name)
            read = sources.workspace.dashboards.get(name)
            if read is not None:
                folder = os.path.relpath(os.path.dirname(path), pattern) if os.path.isdir(pattern) else "."
                dashboard = in_folder(read.dashboard, "" if folder == "." else folder)
                made.setdefault(dashboard.uid, Provided(dashboard, "file", path))
    if settings.dashboards.defaults:
        for one in shipped_dashboards():
            made.setdefault(one.dashboard.uid, one)
    return ProvidedDashboards(tuple(made.values()), tuple(one for one in found if one.file in paths))


def _receivers(sources: Sources, settings: Settings) -> Iterator[EntryPlace]:
    """Where the receivers of the routing that people wrote are."""
    if settings.alertmanager.file is None:
        return
    file = sources.name_of(settings.alertmanager.file)
    managed = {one.name for one in settings.parts.places if one.section == RECEIVERS and one.holds}
    names = [name for name in sources.routings[file].routing.receivers if name not in managed]
    for index, name in enumerate(names):
        line, _ = place_of(sources.files.texts.get(file, ""), file, "receivers", index)
        yield EntryPlace(RECEIVERS, name, file, line, managed=False)


_default_runbook = functools.cache(default_runbook)


def _labelled(labels: Labels, group: RuleGroup) -> RuleGroup:
    rules = (
        replace(rule, labels=labels.merged(rule.labels)) if isinstance(rule, AlertingRule) else rule
        for rule in group.rules
    )
    return replace(group, rules=tuple(rules))


def _groups(sources: Sources, settings: Settings):
    """The groups of all rule files, in the order in which the settings name them, each file once; then those that are
    managed. Alerts of files have the labels that the settings give them."""
    labels = settings.rules.labels
    paths = (path for pattern in settings.rules.files for path in sorted(glob.glob(pattern, recursive=True)))
    for path in dict.fromkeys([*(sources.name_of(path) for path in paths), settings.parts.file]):
        groups = sources.workspace.rules.get(path, ())
        yield from map(partial(_labelled, labels), groups) if labels else groups

"""``alertmanager.yml`` and the template files that it names, checked as a whole.

Source: https://prometheus.io/docs/alerting/latest/configuration/
"""

import posixpath
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import resources

from eldonia_ops.alerting.additions import with_receivers
from eldonia_ops.alerting.inhibition import InhibitRule
from eldonia_ops.alerting.receivers import Receiver
from eldonia_ops.alerting.route import Route, spell_matchers
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.alerting.routing_lint import lint_inhibition, lint_routes
from eldonia_ops.alerting.time_interval import Interval, TimeInterval, parse_minute, parse_range
from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level, nearest
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.protocols.alertmanager.additions import NOTHING_ADDED, Added, read_added
from eldonia_ops.protocols.alertmanager.group_labels import lint_group_labels
from eldonia_ops.protocols.alertmanager.matcher_syntax import parse_matchers
from eldonia_ops.protocols.alertmanager.receivers import ReceiverReader
from eldonia_ops.protocols.integration_kinds import IntegrationKinds
from eldonia_ops.protocols.prometheus.rules import is_name
from eldonia_ops.protocols.secret_keys import conceal_values
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode, load
from eldonia_ops.template import TemplateError, TemplateSet

MAX_ROUTES = 10_000
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True)
class AlertmanagerConfig:
    """A configuration. ``warnings`` are diagnostics that do not keep it from being used; ``concealed`` is what messages
    about it may not show."""

    routing: Routing
    templates: TemplateSet
    template_globs: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = field(default=())
    concealed: Concealed = field(default_factory=Concealed, compare=False, repr=False)


def _no_files(_: str) -> Mapping[str, str]:
    return {}


def base_templates(kinds: IntegrationKinds) -> TemplateSet:
    """The templates that receivers use when their own settings name none, under Alertmanager's names."""
    templates = TemplateSet()
    folder = resources.files("eldonia_ops").joinpath("defaults", "templates")
    templates.add(folder.joinpath("default.tmpl").read_text("utf-8"), "default.tmpl")
    for kind in kinds.kinds:
        templates.add(kind.templates, f"{kind.name}.tmpl")
    return templates


def parse_alertmanager_config(
    text: str,
    file: str = "alertmanager.yml",
    *,
    kinds: IntegrationKinds,
    read_templates: Callable[[str], Mapping[str, str]] = _no_files,
    environment: Mapping[str, str] | None = None,
    known_alerts: Sequence[Mapping[str, str]] | None = None,
) -> AlertmanagerConfig:
    """Parse and check a configuration.

    ``kinds`` are the kinds of integrations that receivers may have; what is wrong with plug-ins is among the
    warnings.

    ``read_templates`` is given each pattern of ``templates`` (made relative to the file) and returns
    the matching files' texts by path. ``environment`` fills in ``${NAME}`` in addresses and secrets
    (None: they stay as written). ``known_alerts`` are the static labels of every alert rule, when
    they are known: inhibit rules are then checked against them.

    Raises:
        ConfigError: with every fault found, each with its place.
    """
    config, diagnostics = examine_alertmanager_config(
        text, file, kinds=kinds, read_templates=read_templates, environment=environment, known_alerts=known_alerts
    )
    if any(item.level is Level.ERROR for item in diagnostics):
        raise ConfigError(diagnostics)
    return config


def examine_alertmanager_config(
    text: str,
    file: str = "alertmanager.yml",
    *,
    kinds: IntegrationKinds,
    read_templates: Callable[[str], Mapping[str, str]] = _no_files,
    environment: Mapping[str, str] | None = None,
    known_alerts: Sequence[Mapping[str, str]] | None = None,
    added: Added = NOTHING_ADDED,
) -> tuple[AlertmanagerConfig, list[Diagnostic]]:
    """Like :func:`parse_alertmanager_config`, but gives what could be read beside every fault, by their places.

    ``added`` are receivers of the managed file, each with the alerts that it wants.

    Raises:
        ConfigError: the text is not YAML, or empty.
    """
    problems = Problems(file)
    document = load(text, file, problems)
    if document is None:
        raise ConfigError(Diagnostic("the file is empty", file, hint="it needs at least route and receivers"))
    conceal_values(document, problems.concealed)
    reader = MappingReader(document, problems, "the configuration")
    folder = posixpath.dirname(file)

    def relative(path: str) -> str:
        return posixpath.join(folder, path)

    globs = tuple(relative(pattern) for pattern in reader.text_list("templates"))
    templates = _templates(globs, reader, read_templates, problems, base_templates(kinds))
    receiver_reader = ReceiverReader(problems, templates, environment, relative, kinds)
    resolve_timeout = receiver_reader.globals(reader.get("global"))
    receivers = receiver_reader.receivers(reader.elements("receivers", required=True))
    intervals = _time_intervals([*reader.elements("time_intervals"), *reader.elements("mute_time_intervals")], problems)
    more = read_added(added, receiver_reader, receivers, problems)
    rules = tuple(_inhibit_rule(node, problems) for node in reader.elements("inhibit_rules"))
    route_node = reader.get("route", required=True)
    route = Route("{}", "{}", "")
    if route_node is not None:
        route = _RouteReader(problems, receivers, intervals).root(route_node)
    tracing = reader.get("tracing")
    if tracing is not None:
        problems.add(tracing, "tracing is not used", level=Level.WARNING)
    reader.done()
    problems.diagnostics += [*kinds.faults, *lint_routes(route, file), *lint_inhibition(rules, file, known_alerts)]
    receiver_reader.values.note_unfilled(document)
    routing = Routing(route, receivers, rules, intervals, resolve_timeout)
    routing = with_receivers(routing, more, in_place=added.in_place)
    lint_group_labels(routing.route, receiver_reader.values.uses, templates, problems)
    diagnostics = problems.cleaned()
    warnings = tuple(item for item in diagnostics if item.level is not Level.ERROR)
    return AlertmanagerConfig(routing, templates, globs, warnings, problems.concealed), diagnostics


def _templates(
    globs: Iterable[str],
    reader: MappingReader,
    read: Callable[[str], Mapping[str, str]],
    problems: Problems,
    templates: TemplateSet,
) -> TemplateSet:
    nodes = reader.get("templates")
    places = [] if nodes is None else (nodes.elements() or [nodes])
    for glob, place in zip(globs, places, strict=False):
        files = read(glob)
        if not files:
            problems.add(place, f"no template file matches {glob}", level=Level.WARNING)
        for path, content in sorted(files.items()):
            try:
                templates.add(content, path)
            except TemplateError as error:
                problems.diagnostics.append(Diagnostic(error.message, path, error.line, error.column))
    problems.diagnostics.extend(templates.diagnostics())
    return templates


# --- matchers


def _classic_matchers(reader: MappingReader, key: str, op: MatchOp, problems: Problems) -> list[Matcher]:
    found: list[Matcher] = []
    node = reader.get(key)
    places = {label.text: item for label, item in node.items()} if node else {}
    for name, value in reader.string_map(key).items():
        place = places.get(name, node)
        if not is_name(name):
            problems.add(place, f"{name!r} is not a label name")
            continue
        if op is MatchOp.REGEX and place is not None and place.is_null:
            problems.add(place, f"{key} of {name} needs a regular expression", "write '' for a label that is missing")
            continue
        try:
            found.append(Matcher(name, op, value))
        except ValueError as error:
            problems.add(place, str(error))
    return found


def _matchers(reader: MappingReader, prefix: str, problems: Problems) -> tuple[Matcher, ...]:
    """``match``, ``match_re`` and ``matchers`` of a route, or their source_/target_ kin."""
    classic, regular, modern = f"{prefix}match", f"{prefix}match_re", f"{prefix}matchers"
    found = _classic_matchers(reader, classic, MatchOp.EQUAL, problems)
    found += _classic_matchers(reader, regular, MatchOp.REGEX, problems)
    node = reader.get(modern)
    if node is not None and not node.is_sequence:
        problems.add(node, f"{modern} must be a list of texts", 'write - severity="critical"')
    elif node is not None:
        for element in node.elements():
            if not element.is_scalar:
                problems.add(
                    element, f"{modern} must hold texts, not {element.describe()}", 'write - severity="critical"'
                )
                continue
            try:
                found += parse_matchers(element.text)
            except ValueError as error:
                problems.add(element, str(error))
    return tuple(found)


# --- inhibition


def _inhibit_rule(node: YamlNode, problems: Problems) -> InhibitRule:
    reader = MappingReader(node, problems, "an inhibit rule")
    source = _matchers(reader, "source_", problems)
    target = _matchers(reader, "target_", problems)
    for side, matchers in (("source", source), ("target", target)):
        if not matchers:
            problems.add(node, f"an inhibit rule needs {side}_matchers")
    equal = reader.text_list("equal")
    name = reader.string("name")
    sources = reader.get("sources")
    if sources is not None:
        problems.add(sources, "sources of an inhibit rule is not supported yet", "write one rule for each source")
    reader.done()
    return InhibitRule(source, target, equal, name, node.line)


# --- time intervals


def _time_intervals(nodes: Iterable[YamlNode], problems: Problems) -> dict[str, TimeInterval]:
    found: dict[str, TimeInterval] = {}
    for node in nodes:
        reader = MappingReader(node, problems, "a time interval")
        name = reader.string("name", required=True)
        if name in found:
            problems.add(reader.get("name"), f"time interval {name!r} is defined twice")
        intervals = tuple(_interval(item, problems) for item in reader.elements("time_intervals"))
        reader.done()
        found[name] = TimeInterval(name, intervals)
    return found


def _interval(node: YamlNode, problems: Problems) -> Interval:
    reader = MappingReader(node, problems, "an interval")

    def ranges(key: str) -> tuple[tuple[int, int], ...]:
        values: list[tuple[int, int]] = []
        listed = reader.get(key)
        for element in [] if listed is None else ([listed] if listed.is_scalar else listed.elements()):
            try:
                values.append(parse_range(element.text, key))
            except ValueError as error:
                problems.add(element, f"{key}: {error}")
        return tuple(values)

    times: list[tuple[int, int]] = []
    for element in reader.elements("times"):
        inner = MappingReader(element, problems, "times")
        start, end = inner.string("start_time", required=True), inner.string("end_time", required=True)
        inner.done()
        try:
            first, last = parse_minute(start), parse_minute(end)
            if first >= last:
                raise ValueError(f"{start} is not before {end} (write two intervals to pass midnight)")
            times.append((first, last))
        except ValueError as error:
            problems.add(element, f"times: {error}")
    location = reader.string("location", "UTC")
    try:
        zoneinfo.ZoneInfo(location)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = nearest(location, zoneinfo.available_timezones())
        problems.add(reader.get("location"), f"unknown time zone {location!r}", hint)
        location = "UTC"
    interval = Interval(
        tuple(times), ranges("weekdays"), ranges("days_of_month"), ranges("months"), ranges("years"), location
    )
    reader.done()
    return interval


# --- routes


class _RouteReader:
    def __init__(
        self, problems: Problems, receivers: Mapping[str, Receiver], intervals: Mapping[str, TimeInterval]
    ) -> None:
        self.problems = problems
        self.receivers = receivers
        self.intervals = intervals
        self.count = 0

    def root(self, node: YamlNode) -> Route:
        route = self.route(node, Route("", "", ""), 0, 0)
        reader = MappingReader(node, Problems(""), "route")
        if not reader.has("receiver"):
            self.problems.add(node, "the root route needs receiver")
        if route.matchers:
            self.problems.add(node, "the root route must not have matchers: it takes every alert")
        if route.continues:
            self.problems.add(node, "the root route cannot continue")
        if route.mute_time_intervals or route.active_time_intervals:
            self.problems.add(node, "the root route cannot have mute or active time intervals")
        return route

    def route(self, node: YamlNode, parent: Route, index: int, depth: int) -> Route:
        problems = self.problems
        reader = MappingReader(node, problems, "route" if depth == 0 else "a route")
        self.count += 1
        if depth > _MAX_DEPTH or self.count > MAX_ROUTES:
            if self.count <= MAX_ROUTES + 1:  # once is enough
                problems.add(node, f"more than {MAX_ROUTES:,} routes, or nested deeper than {_MAX_DEPTH} levels")
            return parent
        matchers = _matchers(reader, "", problems)
        spelled = spell_matchers(matchers)
        receiver = reader.string("receiver", parent.receiver)
        if reader.has("receiver") and receiver not in self.receivers:
            names = ", ".join(self.receivers)
            known = nearest(receiver, self.receivers) or (f"known: {names}" if names else "")
            problems.add(reader.get("receiver"), f"receiver {receiver!r} is not defined", known)
        group_by, group_by_all = self.group_by(reader, parent)
        durations = {}
        for key in ("group_wait", "group_interval", "repeat_interval"):
            durations[key] = reader.duration(key, getattr(parent, key))
            if key != "group_wait" and durations[key] == 0 and reader.has(key):
                problems.add(reader.get(key), f"{key} cannot be zero")
        route = Route(
            id=f"{parent.id}/{spelled}/{index}" if depth else spelled,
            key=f"{parent.key}/{spelled}" if depth else spelled,
            receiver=receiver,
            matchers=matchers,
            continues=reader.boolean("continue"),
            group_by=group_by,
            group_by_all=group_by_all,
            mute_time_intervals=self.interval_names(reader, "mute_time_intervals"),
            active_time_intervals=self.interval_names(reader, "active_time_intervals"),
            line=node.line,
            **durations,
        )
        labels = reader.get("labels")
        if labels is not None:
            problems.add(labels, "labels of a route is not used", "notifications go out without them", Level.WARNING)
        children = tuple(
            self.route(child, route, place, depth + 1) for place, child in enumerate(reader.elements("routes"))
        )
        reader.done()
        return replace(route, routes=children)

    def group_by(self, reader: MappingReader, parent: Route) -> tuple[tuple[str, ...], bool]:
        node = reader.get("group_by")
        names = reader.text_list("group_by")
        if node is None:
            return parent.group_by, parent.group_by_all
        if len(set(names)) < len(names):
            self.problems.add(node, "group_by names a label twice")
        if "..." in names and len(names) > 1:
            self.problems.add(node, "group_by: '...' (every label) cannot be combined with other names")
        for name in names:
            if name != "..." and not is_name(name):
                self.problems.add(node, f"group_by: {name!r} is not a label name")
        return (() if "..." in names else names), "..." in names

    def interval_names(self, reader: MappingReader, key: str) -> tuple[str, ...]:
        names = reader.text_list(key)
        for name in names:
            if name not in self.intervals:
                known = nearest(name, self.intervals) or "define it under time_intervals"
                self.problems.add(reader.get(key), f"time interval {name!r} is not defined", known)
        return tuple(name for name in names if name in self.intervals)

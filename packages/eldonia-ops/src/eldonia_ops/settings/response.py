"""Reading what is noticed and what is done about it: rules, objectives, security, incidents, recovery."""

import re
from collections.abc import Mapping

from eldonia_ops.incidents.policy import MINUTE, OPENS, RESPONSE_TARGETS, TIERS, Tier
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import Diagnostic, nearest
from eldonia_ops.model.incidents import Severity
from eldonia_ops.model.secret import Secret
from eldonia_ops.model.security import SecurityEventType, SecuritySeverity
from eldonia_ops.promql.errors import ParseError
from eldonia_ops.promql.parser import parse
from eldonia_ops.protocols.prometheus_rules import locate
from eldonia_ops.protocols.yaml_document import YamlNode
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.security.thresholds import DEFAULTS, Threshold
from eldonia_ops.settings.maintenance import MaintenanceWindow, parse_maintenance
from eldonia_ops.settings.reader import SettingsReader, is_url, unique
from eldonia_ops.settings.sections import (
    DAY,
    HOUR,
    SECOND,
    AlertmanagerSettings,
    CommandAction,
    DockerAction,
    IncidentSettings,
    ObjectiveSettings,
    ProbeSettings,
    ProcessAction,
    RecoveryAction,
    RecoverySettings,
    RuleSettings,
    SecuritySettings,
    SystemdAction,
    WebhookAction,
)
from eldonia_ops.slo.objectives import WINDOW_PLACEHOLDER

_SEVERITIES = tuple(severity.value for severity in Severity)
_ACTIONS = ("process", "systemd", "command", "docker", "webhook")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


def read_rules(root: SettingsReader) -> RuleSettings:
    """``rules``: rule files and how they run."""
    reader = root.section("rules")
    if reader is None:
        return RuleSettings()
    speed = reader.number("speed", 1.0)
    if not 0 < speed <= 1000:
        reader.fault("speed", "speed must be above 0 and at most 1000")
        speed = 1.0
    found = RuleSettings(
        reader.globs("files"),
        reader.boolean("defaults", True),
        reader.period("evaluation_interval", 15 * SECOND),
        speed,
    )
    reader.done()
    return found


def read_alertmanager(root: SettingsReader) -> AlertmanagerSettings:
    """``alertmanager``: where the routing configuration is."""
    reader = root.section("alertmanager")
    if reader is None:
        return AlertmanagerSettings()
    found = AlertmanagerSettings(reader.absolute("file"))
    reader.done()
    return found


def read_objectives(root: SettingsReader, probes: tuple[ProbeSettings, ...]) -> tuple[ObjectiveSettings, ...]:
    """``objectives``: what was promised about services."""
    names = {probe.name for probe in probes}
    found: list[ObjectiveSettings] = []
    readers = root.list_of("objectives")
    for reader in readers:
        probe, good, total = reader.string("probe"), reader.string("good"), reader.string("total")
        if probe and (good or total):
            reader.fault("probe", f"{reader.what} has a probe besides good and total", "keep one of the two ways")
        elif not probe and not (good and total):
            reader.problems.add(reader.node, f"{reader.what} needs good and total, or a probe")
        if probe and probe not in names:
            reader.fault("probe", f"there is no probe {probe!r}", nearest(probe, names))
        for key, query in (("good", good), ("total", total)):
            _check_query(reader, key, query)
        target = reader.number("target", 99.9)
        if not 0 < target < 100:
            reader.fault("target", "target is a percentage between 0 and 100, both excluded")
            target = 99.9
        found.append(
            ObjectiveSettings(
                name=reader.string("name", required=True),
                service=reader.string("service", required=True),
                target=target,
                window=reader.period("window", 30 * DAY, minimum=HOUR),
                probe=probe,
                good=good,
                total=total,
                description=reader.string("description"),
            )
        )
        reader.done()
    unique([(reader, one.name) for reader, one in zip(readers, found, strict=True)], "name", "objectives")
    return tuple(found)


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
            (node.line, node.column) if node.is_expanded else locate(reader.around.lines, node, error.position)
        )
        message = f"{key} is not PromQL: {error.message}"
        reader.problems.diagnostics.append(Diagnostic(message, reader.problems.file, line, column))


def read_security(root: SettingsReader) -> SecuritySettings:
    """``security``: thresholds of the detection."""
    reader = root.section("security")
    if reader is None:
        return SecuritySettings()
    thresholds = dict(DEFAULTS)
    windows = reader.section("windows")
    if windows is not None:
        for type_ in SecurityEventType:
            one = windows.section(type_.value)
            if one is not None:
                thresholds[type_] = _threshold(one, DEFAULTS[type_])
        windows.done()
    found = SecuritySettings(
        reader.boolean("enabled", True), thresholds, reader.integer("evidence_limit", 50, minimum=1)
    )
    reader.done()
    return found


def _threshold(reader: SettingsReader, default: Threshold) -> Threshold:
    count = reader.integer("threshold", default.count, minimum=1)
    if count > 1000:
        reader.fault("threshold", "threshold can be at most 1000")
        count = default.count
    found = Threshold(
        count,
        reader.period("window", default.window_ms, minimum=SECOND),
        reader.period("quiet", default.quiet_ms, minimum=SECOND),
        SecuritySeverity(
            reader.choice("severity", tuple(severity.value for severity in SecuritySeverity), default.floor.value)
        ),
    )
    reader.done()
    return found


def read_incidents(root: SettingsReader) -> IncidentSettings:
    """``incidents``: what opens one, response targets, escalation."""
    reader = root.section("incidents")
    if reader is None:
        return IncidentSettings()
    found = IncidentSettings(
        opens=_opens(reader),
        response_targets=_response_targets(reader),
        escalation=_escalation(reader),
        reopen_within=reader.duration("reopen_within", 30 * MINUTE),
        runbook=reader.absolute("runbook"),
    )
    reader.done()
    return found


def _opens(reader: SettingsReader) -> Mapping[str, Severity]:
    """Either a list of the alert severities that open incidents, or a mapping to the incident's severity."""
    node = reader.get("opens")
    if node is None:
        return dict(OPENS)
    pairs: dict[str, Severity] = {}
    if node.is_mapping:
        for name, value in node.items():
            severity = _severity(reader, value)
            if severity is not None:
                pairs[name.text.lower()] = severity
        return pairs
    for text in reader.strings("opens"):
        word = text.lower()
        severity = OPENS.get(word) or (Severity(word) if word in _SEVERITIES else None)
        if severity is None:
            hint = (
                nearest(word, [*OPENS, *_SEVERITIES]) or "for a word of your own write a mapping, like {sev1: critical}"
            )
            reader.fault("opens", f"what severity an incident has that {text!r} opens is not known", hint)
        else:
            pairs[word] = severity
    return pairs


def _severity(reader: SettingsReader, node: YamlNode) -> Severity | None:
    try:
        return Severity(node.text)
    except ValueError:
        hint = nearest(node.text, _SEVERITIES) or f"one of {', '.join(_SEVERITIES)}"
        reader.problems.add(node, f"an incident's severity cannot be {node.describe()}", hint)
        return None


def _response_targets(reader: SettingsReader) -> Mapping[Severity, int]:
    node = reader.get("response_targets")
    return dict(RESPONSE_TARGETS) if node is None else _by_severity(reader, node, "response_targets")


def _by_severity(reader: SettingsReader, node: YamlNode, what: str) -> dict[Severity, int]:
    inner = reader.at(node, what)
    found = {severity: inner.duration(severity.value) for severity in Severity if inner.get(severity.value) is not None}
    inner.done()
    return found


def _escalation(reader: SettingsReader) -> tuple[Tier, ...]:
    if reader.get("escalation") is None:
        return TIERS
    tiers: list[Tier] = []
    known = {tier.name: tier for tier in TIERS}
    readers = reader.list_of("escalation")
    for one in readers:
        name = one.string("tier", required=True)
        default = known.get(name, Tier(name))
        after = default.after
        node = one.get("after")
        if node is not None and node.is_mapping:
            after = _by_severity(one, node, "after")
        elif node is not None:
            after = _same_for_all(one, node)
        tiers.append(Tier(name, one.string("receiver"), after))
        one.done()
    unique([(one, tier.name) for one, tier in zip(readers, tiers, strict=True)], "tier", "tiers")
    for before, (one, tier) in zip(tiers, list(zip(readers, tiers, strict=True))[1:], strict=False):
        for severity, after_ms in tier.after.items():
            if after_ms < before.after.get(severity, 0):
                one.fault(
                    "after", f"{tier.name} would be told before {before.name} ({severity})", "tiers stand in order"
                )
    return tuple(tiers)


def _same_for_all(reader: SettingsReader, node: YamlNode) -> dict[Severity, int]:
    try:
        period = parse_duration(node.text)
    except ValueError:
        reader.problems.add(
            node,
            f"after must be a duration or a mapping from severities to durations, not {node.describe()}",
            "write 15m, or {critical: 15m, high: 1h}",
        )
        return {}
    # Whoever stands first is told by the alert's own route: "after 0s" asks for nothing more.
    return dict.fromkeys(RESPONSE_TARGETS, period) if period else {}


def read_recovery(root: SettingsReader, probes: tuple[ProbeSettings, ...]) -> tuple[RecoverySettings, ...]:
    """``recovery``: what may be restarted, and when."""
    names = {probe.name for probe in probes}
    found: list[RecoverySettings] = []
    readers = root.list_of("recovery")
    for reader in readers:
        probe = reader.string("probe", required=True)
        if probe and probe not in names:
            reader.fault("probe", f"there is no probe {probe!r}", nearest(probe, names) or "define it under probes")
        found.append(
            RecoverySettings(
                service=reader.string("service", required=True),
                probe=probe,
                action=_action(reader),
                policy=_recovery_policy(reader),
                maintenance=_maintenance(reader),
            )
        )
        reader.done()
    unique([(reader, one.service) for reader, one in zip(readers, found, strict=True)], "service", "recovery policies")
    return tuple(found)


def _recovery_policy(reader: SettingsReader) -> RecoveryPolicy:
    default = RecoveryPolicy()
    return RecoveryPolicy(
        failures=reader.integer("failures", default.failures, minimum=1),
        successes=reader.integer("successes", default.successes, minimum=1),
        max_attempts=reader.integer("max_attempts", default.max_attempts, minimum=0),
        delay_ms=reader.period("delay", default.delay_ms),
        restart_timeout_ms=reader.period("action_timeout", default.restart_timeout_ms),
        stable_ms=reader.period("stable", default.stable_ms),
        labels=reader.labels(),
    )


def _maintenance(reader: SettingsReader) -> tuple[MaintenanceWindow, ...]:
    found: list[MaintenanceWindow] = []
    for text in reader.strings("maintenance"):
        try:
            found.append(parse_maintenance(text))
        except ValueError as error:
            reader.fault("maintenance", f"{text!r} is not a time of the week", str(error))
    return tuple(found)


def _action(reader: SettingsReader) -> RecoveryAction:
    nothing = CommandAction(())
    action = reader.section("action")
    if action is None:
        reader.problems.add(reader.node, f"{reader.what} needs action", f"one of {', '.join(_ACTIONS)}")
        return nothing
    kinds = [kind for kind in _ACTIONS if action.get(kind) is not None]
    if len(kinds) != 1:
        reader.fault("action", f"action must name exactly one of {', '.join(_ACTIONS)}, not {len(kinds)}")
    environment = action.string_map("environment") if kinds == ["command"] else {}
    action.done()
    match kinds[:1]:
        case ["process"]:
            return _process(action)
        case ["systemd"]:
            return SystemdAction(_unit(action))
        case ["docker"]:
            return DockerAction(_container(action))
        case ["command"]:
            return CommandAction(_command(action, "command"), environment)
        case ["webhook"]:
            return _webhook(action)
    return nothing


def _unit(action: SettingsReader) -> str:
    unit = action.string("systemd")
    if not re.fullmatch(r"[A-Za-z0-9:_.\\@-]+", unit) or unit.startswith("-"):
        action.fault("systemd", f"{unit!r} is not the name of a unit")
    return unit


def _container(action: SettingsReader) -> str:
    name = action.string("docker")
    if not _CONTAINER.fullmatch(name):
        action.fault("docker", f"{name!r} is not the name of a container")
    return name


def _webhook(action: SettingsReader) -> WebhookAction:
    reader = action.section("webhook")
    if reader is None:
        return WebhookAction(Secret(""))
    url = reader.secret("url", required=True)
    if url.reveal() and not is_url(url.reveal()):
        # The value is half a secret, so it is not repeated.
        reader.fault("url", "url is not a URL of the kind http://host or https://host")
    found = WebhookAction(
        url, reader.choice("method", ("POST", "PUT", "PATCH"), "POST"), reader.headers(), reader.plain_map("body")
    )
    reader.done()
    return found


def _command(reader: SettingsReader, key: str) -> tuple[str, ...]:
    node = reader.get(key, required=True)
    if node is not None and node.is_scalar:
        reader.fault(key, f"{key} must be a list of words", "no shell takes part: write [systemctl, restart, shop]")
        return ()
    words = reader.strings(key)
    if node is not None and not words:
        reader.fault(key, f"{key} is empty")
    return words


def _process(action: SettingsReader) -> ProcessAction:
    reader = action.section("process")
    if reader is None:
        return ProcessAction(())
    found = ProcessAction(
        command=_command(reader, "command"),
        directory=reader.absolute("directory"),
        environment=reader.string_map("environment"),
        pid_file=reader.absolute("pid_file"),
        log=reader.absolute("log"),
        stop_timeout=reader.period("stop_timeout", 10 * SECOND),
    )
    reader.done()
    return found

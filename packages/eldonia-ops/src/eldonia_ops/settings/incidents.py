"""What opens an incident, how fast to respond, whom to notify next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from eldonia_ops.incidents.policy import OPENS, RESPONSE_TARGETS, TIERS, Policy, Tier
from eldonia_ops.incidents.runbook import Runbook
from eldonia_ops.model.durations import format_duration, parse_duration
from eldonia_ops.model.errors import nearest
from eldonia_ops.model.incidents import Severity
from eldonia_ops.protocols.yaml_document import YamlNode
from eldonia_ops.settings.declaration import Setting, adopt
from eldonia_ops.settings.kinds import DURATION, NULL, Clean, Flag, Kind, Period, any_of
from eldonia_ops.settings.objects import object_schema, plain_section, read_fields
from eldonia_ops.settings.reader import SettingsReader, unique
from eldonia_ops.settings.texts import FilePath, Text
from eldonia_ops.settings.units import MINUTE

_SEVERITIES: Final = tuple(severity.value for severity in Severity)
_DURATION: Final = any_of({"type": "string", "pattern": DURATION, "minLength": 1}, {"const": 0})
_BY_SEVERITY: Final = {
    "type": "object",
    "properties": dict.fromkeys(_SEVERITIES, _DURATION),
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Opens(Kind):
    """Either a list of the alert severities that open incidents, or a mapping to the incident's severity."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping or list of severities"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Incident severities by alert severity."""
        node = reader.get(key)
        if node is None:
            return default
        pairs: dict[str, Severity] = {}
        if node.is_mapping:
            for name, value in node.items():
                severity = _severity(reader, value)
                if severity is not None:
                    pairs[name.text.lower()] = severity
            return pairs
        for text in reader.strings(key):
            word = text.lower()
            severity = OPENS.get(word) or (Severity(word) if word in _SEVERITIES else None)
            if severity is None:
                known = nearest(word, [*OPENS, *_SEVERITIES])
                hint = known or "for a word of your own write a mapping, like {sev1: critical}"
                reader.fault(key, f"what severity an incident has that {text!r} opens is not known", hint)
            else:
                pairs[word] = severity
        return pairs

    def schema(self) -> dict[str, Any]:
        """A mapping to severities, or an array."""
        text = {"type": ["string", "number", "boolean"]}
        return any_of(
            {"type": "object", "additionalProperties": {"enum": list(_SEVERITIES)}},
            {"type": "array", "items": text},
            text,
        )

    def plain(self, value: Any, clean: Clean) -> Any:
        """The mapping."""
        return {name: severity.value for name, severity in value.items()}


def _severity(reader: SettingsReader, node: YamlNode) -> Severity | None:
    try:
        return Severity(node.text)
    except ValueError:
        hint = nearest(node.text, _SEVERITIES) or f"one of {', '.join(_SEVERITIES)}"
        reader.problems.add(node, f"an incident's severity cannot be {node.describe()}", hint)
        return None


@dataclass(frozen=True, slots=True)
class BySeverity(Kind):
    """A duration for each severity of incidents, in ms. ``same``: or one for all that have a response target."""

    same: bool = False

    @property
    def words(self) -> str:
        """The kind in words."""
        return "duration, or one for each severity" if self.same else "durations by severity"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Durations by severity."""
        node = reader.get(key)
        if node is None:
            return default
        if self.same and not node.is_mapping:
            return _same_for_all(reader, node)
        inner = reader.at(node, key)
        found = {one: inner.duration(one.value) for one in Severity if inner.get(one.value) is not None}
        inner.done()
        return found

    def schema(self) -> dict[str, Any]:
        """A mapping, or a duration where one is enough."""
        return {"anyOf": [_BY_SEVERITY, *([_DURATION] if self.same else []), NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """The mapping."""
        return {severity.value: format_duration(ms) for severity, ms in value.items()}


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
    # The first tier is notified by the alert's own route: "after 0s" asks for nothing more.
    return dict.fromkeys(RESPONSE_TARGETS, period) if period else {}


adopt(
    Tier,
    name=Setting(Text(), "Its name.", key="tier"),
    receiver=Setting(Text(), "A receiver of the routing; without one its default receiver."),
    after=Setting(
        BySeverity(same=True),
        "Time from the opening until the tier is notified. Without it a tier named above has its own, another none.",
        required=False,
        default="",
    ),
)


@dataclass(frozen=True, slots=True)
class Escalation(Kind):
    """Tiers in the order in which they are notified."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "list of tiers, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The tiers. One with a name of a default tier has that one's times."""
        if reader.get(key) is None:
            return default
        known = {tier.name: tier for tier in TIERS}
        readers = reader.list_of(key)
        tiers: list[Tier] = []
        for one in readers:
            node = one.get("tier")
            name = node.text if node is not None and node.is_scalar else ""
            start = Tier("", "", known[name].after if name in known else {})
            tiers.append(Tier(**read_fields(one, Tier, start)))
            one.done()
        unique([(one, tier.name) for one, tier in zip(readers, tiers, strict=True)], "tier", "tiers")
        for before, (one, tier) in zip(tiers, list(zip(readers, tiers, strict=True))[1:], strict=False):
            for severity, after_ms in tier.after.items():
                if after_ms < before.after.get(severity, 0):
                    message = f"{tier.name} would be notified before {before.name} ({severity})"
                    one.fault("after", message, "write the tiers in the order of their times")
        return tuple(tiers)

    def schema(self) -> dict[str, Any]:
        """An array of tiers."""
        return {"anyOf": [{"type": "array", "items": object_schema(Tier)}, NULL]}

    def plain(self, value: Any, clean: Clean) -> Any:
        """A list of mappings."""
        return [plain_section(tier, clean) for tier in value]


@dataclass(frozen=True, slots=True)
class IncidentSettings:
    """What opens an incident, how fast to respond and whom to notify next.

    ``opens`` maps an alert's ``severity`` label to the incident's severity. ``runbook`` is a file with
    checklists, None for the one that the platform ships.
    """

    opens: Annotated[
        Mapping[str, Severity],
        Setting(
            Opens(),
            "Incident severity by the alert's `severity` label: `critical` and `page` open a critical one, `high` and "
            "`error` a high one, `warning`, `medium` and `ticket` a medium one. A list names just those that open one.",
        ),
    ] = field(default_factory=lambda: dict(OPENS))
    response_targets: Annotated[
        Mapping[Severity, int],
        Setting(
            BySeverity(), "The time within which a person must acknowledge: `critical` 15m, `high` 1h, `medium` 4h."
        ),
    ] = field(default_factory=lambda: dict(RESPONSE_TARGETS))
    escalation: Annotated[
        tuple[Tier, ...],
        Setting(
            Escalation(),
            "Default: development at once by the alert's route, infrastructure after 15m/1h/4h, vendor after "
            "30m/2h/8h, management after 45m/4h/never.",
        ),
    ] = TIERS
    reopen_within: Annotated[
        int, Setting(Period(minimum=0), "An alert that comes back so soon reopens its incident.")
    ] = 30 * MINUTE
    join_outages: Annotated[
        bool,
        Setting(
            Flag(),
            "Alerts of one outage are one incident, and one of them is sent: those of services that depend on one that "
            "is down (`services`), those at an address where nothing answers, those of objectives that burn because "
            "of a known alert.",
        ),
    ] = True
    runbook: Annotated[
        Path | None,
        Setting(
            FilePath(),
            "A file of your own in the form of [the shipped one](defaults/runbook.yml).",
        ),
    ] = None

    def policy(self, runbook: Runbook) -> Policy:
        """The same as the incident rules take it."""
        return Policy(
            opens=self.opens,
            response_targets=self.response_targets,
            tiers=self.escalation,
            reopen_within=self.reopen_within,
            runbook=runbook,
        )

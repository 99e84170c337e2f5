"""What may be restarted, and when."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.model.secret import Secret
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.settings.containers import AnyMap, Headers, LabelSet, TextMap, Texts
from eldonia_ops.settings.declaration import Setting, adopt
from eldonia_ops.settings.kinds import Choice, Clean, Kind, Period, Whole
from eldonia_ops.settings.maintenance import MaintenanceWindow, parse_maintenance, written
from eldonia_ops.settings.objects import Inline, object_schema, plain_section, read_section
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import FilePath, SecretUrl, Text
from eldonia_ops.settings.units import SECOND

_UNIT: Final = re.compile(r"(?!-)[A-Za-z0-9:_.\\@-]+")
_CONTAINER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


@dataclass(frozen=True, slots=True)
class Command(Texts):
    """A program with its arguments. No shell takes part, so it is a list."""

    sensitive: bool = True
    what: str = "list of words"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The words, at least one."""
        node = reader.get(key, required=True)
        if node is not None and node.is_scalar:
            reader.fault(key, f"{key} must be a list of words", "no shell takes part: write [systemctl, restart, shop]")
            return ()
        words = reader.strings(key)
        if node is not None and not words:
            reader.fault(key, f"{key} is empty")
        return words

    def schema(self) -> dict[str, Any]:
        """An array with at least one text."""
        return {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1}


@dataclass(frozen=True, slots=True)
class ProcessAction:
    """Restart a process that the platform starts itself.

    ``command`` is run without a shell in ``directory``; ``environment`` is added to the platform's own.
    ``stop_timeout`` is how long it may take to stop before it is killed; ``log`` takes its output.
    """

    command: Annotated[tuple[str, ...], Setting(Command(), "The program with its arguments.")]
    directory: Annotated[Path | None, Setting(FilePath(), "Where it runs.")] = None
    environment: Annotated[
        Mapping[str, str], Setting(TextMap(sensitive=True), "Variables beside those that it inherits.")
    ] = field(default_factory=dict)
    pid_file: Annotated[Path | None, Setting(FilePath(), "Its process id; without it a file below `data`.")] = None
    log: Annotated[Path | None, Setting(FilePath(), "Takes what it writes; without it a file below `data`.")] = None
    stop_timeout: Annotated[int, Setting(Period(), "Time to stop before it is killed.")] = 10 * SECOND


@dataclass(frozen=True, slots=True)
class SystemdAction:
    """Restart a systemd unit."""

    unit: str


@dataclass(frozen=True, slots=True)
class CommandAction:
    """Run a command, without a shell. ``environment`` is added to the little that it inherits."""

    command: Annotated[tuple[str, ...], Setting(Command(), "The program with its arguments.")]
    environment: Annotated[
        Mapping[str, str], Setting(TextMap(sensitive=True), "Variables beside those that it inherits.")
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DockerAction:
    """Restart a container."""

    container: str


@dataclass(frozen=True, slots=True)
class WebhookAction:
    """Ask another system to restart: an HTTP request with ``body`` as JSON (None: which service it is about)."""

    url: Annotated[Secret, Setting(SecretUrl(), "Where the request goes.")]
    method: Annotated[str, Setting(Choice(("POST", "PUT", "PATCH")))] = "POST"
    headers: Annotated[Mapping[str, Secret], Setting(Headers(), "Values are never shown.")] = field(
        default_factory=dict
    )
    body: Annotated[
        Mapping[str, Any] | None, Setting(AnyMap(), "Sent as JSON; without it which service it is about.")
    ] = field(default=None, repr=False)


RecoveryAction = ProcessAction | SystemdAction | CommandAction | DockerAction | WebhookAction
_ACTIONS: Final = ("process", "systemd", "command", "docker", "webhook")


@dataclass(frozen=True, slots=True)
class Action(Kind):
    """Exactly one way of restarting."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The action; a command without words where it is missing or wrong."""
        nothing = CommandAction(())
        action = reader.section(key)
        if action is None:
            reader.problems.add(reader.node, f"{reader.what} needs {key}", f"one of {', '.join(_ACTIONS)}")
            return nothing
        kinds = [kind for kind in _ACTIONS if action.get(kind) is not None]
        if len(kinds) != 1:
            action.fault("action", f"{key} must name exactly one of {', '.join(_ACTIONS)}, not {len(kinds)}")
        if kinds == ["command"]:
            return read_section(action, CommandAction)
        action.done()
        match kinds[:1]:
            case ["process"]:
                inner = action.section("process")
                return ProcessAction(()) if inner is None else read_section(inner, ProcessAction)
            case ["systemd"]:
                return SystemdAction(_name(action, "systemd", _UNIT.fullmatch, "unit"))
            case ["docker"]:
                return DockerAction(_name(action, "docker", _CONTAINER.fullmatch, "container"))
            case ["webhook"]:
                inner = action.section("webhook")
                return WebhookAction(Secret("")) if inner is None else read_section(inner, WebhookAction)
        return nothing

    def schema(self) -> dict[str, Any]:
        """One of the five."""
        names = {"systemd": _name_schema(_UNIT), "docker": _name_schema(_CONTAINER)}
        sections = {"process": object_schema(ProcessAction), "webhook": object_schema(WebhookAction)}
        command = object_schema(CommandAction)
        alone = [
            {"type": "object", "properties": {kind: one}, "required": [kind], "additionalProperties": False}
            for kind, one in (names | sections).items()
        ]
        return {"anyOf": [*alone, command]}

    def plain(self, value: RecoveryAction, clean: Clean) -> Any:
        """The mapping with its one key."""
        match value:
            case SystemdAction():
                return {"systemd": value.unit}
            case DockerAction():
                return {"docker": value.container}
            case CommandAction():
                return plain_section(value, clean)
            case ProcessAction():
                return {"process": plain_section(value, clean)}
            case WebhookAction():
                return {"webhook": plain_section(value, clean)}


def _name(action: SettingsReader, key: str, fits: Callable[[str], object], what: str) -> str:
    name = action.string(key)
    if not fits(name):
        action.fault(key, f"{name!r} is not the name of a {what}")
    return name


def _name_schema(pattern: re.Pattern[str]) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "string", "pattern": f"^{pattern.pattern}$"},
            {"$ref": "#/definitions/reference"},
            {"type": ["number", "boolean"]},
        ]
    }


@dataclass(frozen=True, slots=True)
class Maintenance(Texts):
    """Times of the week."""

    what: str = "list of weekly times (UTC)"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The windows."""
        found: list[MaintenanceWindow] = []
        for text in reader.strings(key):
            try:
                found.append(parse_maintenance(text))
            except ValueError as error:
                reader.fault(key, f"{text!r} is not a time of the week", str(error))
        return tuple(found)

    def plain(self, value: Any, clean: Clean) -> Any:
        """Their texts."""
        return [text for window in value for text in written(window)]


adopt(
    RecoveryPolicy,
    failures=Setting(Whole(1, 1_000), "Failed looks in a row until it counts as down."),
    successes=Setting(Whole(1, 1_000), "Good looks in a row until it counts as recovered."),
    max_attempts=Setting(Whole(0, 1_000), "Then `RecoveryFailed` calls people."),
    delay_ms=Setting(Period(), "Between attempts, and to come up after one.", key="delay"),
    restart_timeout_ms=Setting(Period(), "The longest time of one run of the action.", key="action_timeout"),
    stable_ms=Setting(Period(), "Unbroken health that gives the attempts back.", key="stable"),
    labels=Setting(LabelSet(), "On its alerts."),
)


@dataclass(frozen=True, slots=True)
class RecoverySettings:
    """How a failing service is brought back: ``policy`` judges by the results of ``probe`` and runs ``action``.

    Nothing is done during ``maintenance``.
    """

    service: Annotated[str, Setting(Text(), "The service that may be restarted.")]
    probe: Annotated[str, Setting(Text(), "The probe that judges its health.")]
    action: Annotated[RecoveryAction, Setting(Action(), "One of `process`, `systemd`, `docker`, `command`, `webhook`.")]
    policy: Annotated[RecoveryPolicy, Setting(Inline(RecoveryPolicy))] = field(default_factory=RecoveryPolicy)
    maintenance: Annotated[tuple[MaintenanceWindow, ...], Setting(Maintenance(), "Nothing is done then.")] = ()

    def in_maintenance(self, at: int) -> bool:
        """Whether an instant lies in one of the maintenance windows."""
        return any(window.covers(at) for window in self.maintenance)


def check_recovery(reader: SettingsReader, item: RecoverySettings) -> None:
    """Note a probe that there is not."""
    names = {probe.name for probe in reader.around.read["collectors"].get("probes", ())}
    if item.probe and item.probe not in names:
        hint = nearest(item.probe, names) or "define it under probes"
        reader.fault("probe", f"there is no probe {item.probe!r}", hint)

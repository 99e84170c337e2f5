"""Reading a runbook from YAML: the format of ``defaults/runbook.yml``.

::

    phases:    [{key, title: {en, ja}}]
    steps:     [{key, phase, severities, teams, page, action, text: {en, ja}, hint: {en, ja}}]
    playbooks: [{key, title: {en, ja}, alertnames, services, steps: [...]}]

``phases`` may be left out where the titles of the shipped file will do.
"""

from importlib import resources

from eldonia_ops.incidents.runbook import GENERAL, NO_TEXT, PHASES, Playbook, Runbook, RunbookPhase, Step, Text
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.incidents import Severity
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode, load

MAX_STEPS = 1000


def default_runbook() -> Runbook:
    """The runbook that is shipped with the package."""
    text = resources.files("eldonia_ops").joinpath("defaults", "runbook.yml").read_text(encoding="utf-8")
    return parse_runbook(text, "defaults/runbook.yml")


def parse_runbook(text: str, file: str) -> Runbook:
    """Read a runbook.

    Raises:
        ConfigError: with every fault found, each with its line and column.
    """
    root = load(text, file)
    if root is None:
        raise ConfigError(Diagnostic("the runbook is empty", file, hint="it needs steps"))
    problems = Problems(file)
    reader = MappingReader(root, problems, "the runbook")
    phases = tuple(_phase(node, problems) for node in reader.elements("phases"))
    seen: dict[str, YamlNode] = {}
    steps = tuple(_step(node, problems, seen) for node in reader.elements("steps", required=True))
    playbooks = tuple(_playbook(node, problems, seen) for node in reader.elements("playbooks"))
    reader.done()
    keys: set[str] = set()
    for playbook, node in zip(playbooks, reader.elements("playbooks"), strict=True):
        if playbook.key in keys or playbook.key == GENERAL:
            problems.add(node, f"the playbook {playbook.key!r} occurs twice", f"{GENERAL!r} is taken")
        keys.add(playbook.key)
    if len(seen) > MAX_STEPS:
        problems.add(root, f"more than {MAX_STEPS} steps")
    problems.raise_if_any()
    if not phases:
        phases = default_runbook().phases
    return Runbook(phases, steps, playbooks)


def _text(reader: MappingReader, key: str, *, required: bool = False) -> Text:
    node = reader.get(key, required=required)
    if node is None:
        return NO_TEXT
    if node.is_scalar:  # one language for all readers
        return Text(node.text, node.text)
    inner = MappingReader(node, reader.problems, key)
    english, japanese = inner.string("en"), inner.string("ja")
    inner.done()
    if not english and not japanese:
        reader.problems.add(node, f"{key} needs a text in en or ja")
    return Text(english or japanese, japanese or english)


def _phase(node: YamlNode, problems: Problems) -> RunbookPhase:
    reader = MappingReader(node, problems, "a phase")
    phase = RunbookPhase(
        reader.choice("key", PHASES, PHASES[0], required=True),
        _text(reader, "title", required=True),
    )
    reader.done()
    return phase


def _step(node: YamlNode, problems: Problems, seen: dict[str, YamlNode]) -> Step:
    reader = MappingReader(node, problems, "a step")
    key = reader.string("key", required=True)
    if key in seen:
        problems.add(reader.get("key"), f"the step {key!r} occurs twice", f"first on line {seen[key].line}")
    elif key:
        seen[key] = node
    names = reader.strings("severities", tuple(Severity))
    severities: list[Severity] = []
    for name in names:
        if name in tuple(Severity):
            severities.append(Severity(name))
        else:
            problems.add(reader.get("severities"), f"no such severity: {name!r}", f"one of {', '.join(Severity)}")
    step = Step(
        key=key,
        phase=reader.choice("phase", PHASES, PHASES[0], required=True),
        text=_text(reader, "text", required=True),
        severities=tuple(severities),
        teams=reader.strings("teams"),
        hint=_text(reader, "hint"),
        page=reader.string("page"),
        action=reader.string("action"),
    )
    reader.done()
    return step


def _playbook(node: YamlNode, problems: Problems, seen: dict[str, YamlNode]) -> Playbook:
    reader = MappingReader(node, problems, "a playbook")
    playbook = Playbook(
        key=reader.string("key", required=True),
        title=_text(reader, "title", required=True),
        alertnames=reader.strings("alertnames"),
        services=reader.strings("services"),
        steps=tuple(_step(item, problems, seen) for item in reader.elements("steps")),
    )
    if node.is_mapping and not playbook.alertnames and not playbook.services:
        problems.add(node, "this playbook never applies", "give it alertnames or services")
    reader.done()
    return playbook

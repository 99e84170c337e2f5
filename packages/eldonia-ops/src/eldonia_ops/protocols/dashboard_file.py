"""Files of dashboards: our YAML, our JSON and Grafana's JSON, with the line and column of what is wrong."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import yaml
from msgspec.structs import replace

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.document import Dashboard
from eldonia_ops.dashboards.faults import DashboardError, Fault, Path
from eldonia_ops.dashboards.reading import Written, read_dashboard, to_plain
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.foreign import MAX_DEPTH, nesting
from eldonia_ops.protocols.grafana import Note, NotGrafanaError, from_grafana, is_grafana
from eldonia_ops.protocols.grafana.importing import slug
from eldonia_ops.protocols.prometheus.rules import locate
from eldonia_ops.protocols.yaml_document import YamlNode, load

_UID: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A dashboard of a file; ``notes`` say what of Grafana's JSON is not in it."""

    dashboard: Dashboard
    grafana: bool = False
    notes: tuple[Note, ...] = ()


def examine_dashboard(text: str, file: str, *, language: str = "en") -> tuple[ReadFile | None, list[Diagnostic]]:
    """The dashboard of a file, None when it has errors; and everything that is wrong or doubtful, each with its place.

    A uid that is not written is the name of the file.
    """
    try:
        return _examined(text, file, language)
    except ConfigError as error:
        return None, list(error.diagnostics)


def _examined(text: str, file: str, language: str) -> tuple[ReadFile | None, list[Diagnostic]]:
    text = text.removeprefix("\ufeff")
    if text.lstrip()[:1] == "{":
        data = _json(text, file)
        if is_grafana(data):
            return _grafana(data, text, file)
    diagnostics: list[Diagnostic] = []
    node = load(text, file)
    if node is None:
        return None, [Diagnostic("the file is empty: a dashboard has a title and panels", file)]
    lines = text.splitlines()
    try:
        found = read_dashboard(written(node), uid_of(file))
    except DashboardError as error:
        return None, [_diagnostic(fault, node, lines, file) for fault in error.faults]
    diagnostics += [_diagnostic(fault, node, lines, file) for fault in doubts(found, language)]
    return ReadFile(found), diagnostics


def _grafana(data: Any, text: str, file: str) -> tuple[ReadFile | None, list[Diagnostic]]:
    try:
        found = from_grafana(data)
    except NotGrafanaError as error:
        return None, [Diagnostic(str(error), file, 1, 1)]
    diagnostics: list[Diagnostic] = []
    dropped = [note for note in found.notes if note.level == "dropped"]
    if dropped:
        message = f"{len(dropped)} things of Grafana's dashboard could not be taken"
        hint = f"eldonia-ops dashboards check {file} names them"
        diagnostics.append(Diagnostic(message, file, 1, 1, hint, Level.WARNING))
    return ReadFile(found.dashboard, True, found.notes), diagnostics


def _json(text: str, file: str) -> Any:
    if nesting(text.encode("utf-8", "replace")) > MAX_DEPTH:
        raise ConfigError(Diagnostic(f"nested deeper than {MAX_DEPTH} levels", file))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if file.endswith(".json"):
            raise ConfigError(Diagnostic(f"not JSON: {error.msg}", file, error.lineno, error.colno)) from None
        return None  # YAML in braces
    except (ValueError, RecursionError):
        raise ConfigError(Diagnostic("not JSON that can be read", file)) from None


def uid_of(file: str) -> str:
    """The uid of a dashboard by its file."""
    stem = PurePath(file).stem
    return stem if _UID.fullmatch(stem) else slug(stem)


def written(node: YamlNode) -> Any:
    """Plain data of a YAML value, in which numbers and booleans know how they were written."""
    if node.is_mapping:
        return {key.text: written(value) for key, value in node.items()}
    if node.is_sequence:
        return [written(one) for one in node.elements()]
    if node.is_null:
        return None
    value = node.scalar()
    return value if isinstance(value, str) else Written(value, node.text)


def _diagnostic(fault: Fault, node: YamlNode, lines: list[str], file: str) -> Diagnostic:
    found, exact = _at(node, fault.path, of_key=fault.message.startswith("unknown key"))
    line, column = found.line, found.column
    if exact and fault.position >= 0 and found.is_scalar:
        line, column = locate(lines, found, fault.position)
    where = f"{fault.place}: " if fault.path else ""
    return Diagnostic(f"{where}{fault.message}", file, line, column, fault.hint, fault.level)


def _at(node: YamlNode, path: Path, *, of_key: bool) -> tuple[YamlNode, bool]:
    """The value (or its key) that a path leads to, or the last thing on the way."""
    for index, step in enumerate(path):
        if isinstance(step, int):
            elements = node.elements()
            if step >= len(elements):
                return node, False
            node = elements[step]
            continue
        pair = next(((key, value) for key, value in node.items() if key.text == step), None)
        if pair is None:
            return node, False
        node = pair[0] if of_key and index == len(path) - 1 else pair[1]
    return node, True


class _Dumper(yaml.SafeDumper):
    """Block style, with short mappings in one line and expressions of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is written as an alias."""
        return True


class _Inline(dict[str, Any]):
    """A mapping in one line."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value and not any(line != line.rstrip() for line in value.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _inline(dumper: yaml.SafeDumper, value: _Inline) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Inline, _inline)


def to_yaml(dashboard: Dashboard) -> str:
    """The document as YAML that reads back to the same."""
    plain = _styled(to_plain(dashboard))
    return yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False)


def to_json(dashboard: Dashboard) -> str:
    """The document as JSON."""
    return json.dumps(to_plain(dashboard), ensure_ascii=False, indent=2) + "\n"


def _styled(value: Any) -> Any:
    if isinstance(value, dict):
        made = {key: _styled(item) for key, item in value.items()}
        return _Inline(made) if _short(made) else made
    if isinstance(value, list):
        return [_styled(item) for item in value]
    return value


def _short(value: dict[str, Any]) -> bool:
    plain = all(not isinstance(item, list | dict) or isinstance(item, _Inline) for item in value.values())
    return plain and len(str(value)) < 80 and "\n" not in str(value).replace("\\n", "\n") and bool(value)


def in_folder(dashboard: Dashboard, folder: str) -> Dashboard:
    """The dashboard in a folder, unless it names one."""
    return dashboard if dashboard.folder or not folder else replace(dashboard, folder=folder[:200])


def without_repetition(
    found: Iterable[tuple[str, ReadFile]],
) -> tuple[list[tuple[str, ReadFile]], list[Diagnostic]]:
    """Files with a uid of their own; a uid that two files have is a fault of the later one."""
    seen: dict[str, str] = {}
    kept: list[tuple[str, ReadFile]] = []
    faults: list[Diagnostic] = []
    for file, read in found:
        uid = read.dashboard.uid
        if uid in seen:
            message = f"the uid {uid} is that of {seen[uid]} too: this file is left out"
            faults.append(Diagnostic(message, file, 1, 1, "give one of them another uid", Level.WARNING))
        else:
            seen[uid] = file
            kept.append((file, read))
    return kept, faults

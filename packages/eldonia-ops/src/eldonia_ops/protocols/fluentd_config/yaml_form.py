"""Fluentd's configuration as YAML, to the same sections as ``fluent.conf``.

https://docs.fluentd.org/configuration/config-file-yaml: ``system`` and ``config``; ``$type``, ``$label``, ``$id``,
``$log_level``, ``$tag``, ``$name``, ``$arg``; ``!include``, ``!fluent/json`` and ``!fluent/s``.
"""

import json
import posixpath
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.pipeline.section import Parameter, Place, Section
from eldonia_ops.protocols.fluentd_config.cursor import Cursor
from eldonia_ops.protocols.fluentd_config.embedded import UseDefault
from eldonia_ops.protocols.fluentd_config.faults import ConfigSyntaxError
from eldonia_ops.protocols.fluentd_config.literals import Literals
from eldonia_ops.protocols.fluentd_config.surroundings import Surroundings
from eldonia_ops.protocols.yaml_document import load
from eldonia_ops.protocols.yaml_nodes import YamlNode

MAX_DEPTH: Final = 20
_RESERVED: Final = {"$type": "@type", "$label": "@label", "$id": "@id", "$log_level": "@log_level"}
_BY_TAG: Final = ("filter", "match")
_DIRECTIVES: Final = ("source", "filter", "match", "label", "worker", "system")


def read_fluent_yaml(data: bytes, file: str, surroundings: Surroundings, problems: list[Diagnostic]) -> Section:
    """The sections of a configuration in YAML, in one section named ``ROOT``; see
    :func:`~eldonia_ops.protocols.fluentd_config.reader.read_fluent_conf`."""
    reader = YamlForm(surroundings, problems)
    node = reader.load(data, file)
    sections: list[Section] = []
    if node is not None:
        if not node.is_mapping:
            reader.note(node, file, "a mapping with config: is expected here")
        for key, value in node.items():
            if key.text == "system":
                sections.append(reader.section("system", value, file))
            elif key.text == "config":
                sections += reader.directives(value, (file,))
            else:
                reader.note(key, file, f"there is no {key.text}", hint="write config: or system:", level=Level.WARNING)
    return Section("ROOT", "", {}, tuple(sections), Place(file, 1))


@dataclass(slots=True)
class YamlForm:
    """Turns YAML into sections."""

    surroundings: Surroundings
    problems: list[Diagnostic]

    def load(self, data: bytes, file: str) -> YamlNode | None:
        """A document; None when it is empty or no YAML, which is noted."""
        try:
            return load(data.decode("utf-8-sig"), file)
        except UnicodeDecodeError as error:
            self.problems.append(Diagnostic("not UTF-8", file, data[: error.start].count(b"\n") + 1))
        except ConfigError as error:
            self.problems.extend(error.diagnostics)
        return None

    def note(self, node: YamlNode, file: str, message: str, *, hint: str = "", level: Level = Level.ERROR) -> None:
        """Note what is wrong at a node."""
        self.problems.append(Diagnostic(message, node.file or file, node.line, node.column, hint=hint, level=level))

    def directives(self, node: YamlNode, within: tuple[str, ...]) -> list[Section]:
        """The elements of a ``config`` list."""
        found: list[Section] = []
        file = within[-1]
        if node.tag == "!include":
            return self._included(node, within)
        if not node.is_sequence:
            self.note(node, file, f"config must be a list, not {node.describe()}", hint="write - source: and so on")
        for element in node.elements():
            if element.tag == "!include":
                found += self._included(element, within)
                continue
            if not element.is_mapping:
                self.note(element, file, f"- source:, - filter: and so on is expected, not {element.describe()}")
            for key, value in element.items():
                if key.text in _DIRECTIVES:
                    found.append(self._directive(key.text, value, within))
                else:
                    self.note(key, file, f"there is no {key.text}", hint=f"one of {', '.join(_DIRECTIVES)}")
        return found

    def _directive(self, name: str, node: YamlNode, within: tuple[str, ...]) -> Section:
        file = within[-1]
        if name not in ("label", "worker"):
            return self.section(name, node, file)
        argument, inside = "", []
        for key, value in node.items():
            if key.text in ("$name", "$arg"):
                argument = value.text
            elif key.text == "config":
                inside = self.directives(value, within)
            else:
                self.note(key, file, f"a {name} has no {key.text}", hint="$name and config" if name == "label" else "")
        return Section(name, argument, {}, tuple(inside), Place(file, node.line))

    def section(self, name: str, node: YamlNode, file: str) -> Section:
        """A mapping as a section: mappings and lists of mappings in it are sections, all else parameters."""
        parameters: dict[str, Parameter] = {}
        sections: list[Section] = []
        argument = ""
        if not node.is_mapping and not node.is_null:
            self.note(node, file, f"{name} must be a mapping, not {node.describe()}")
        for key, value in node.items():
            place = Place(key.file or file, key.line)
            if key.text == "$arg" or (key.text == "$tag" and name in _BY_TAG):
                argument = self._argument(value, " " if key.text == "$tag" else ",")
            elif value.is_mapping and not value.tag:
                sections.append(self.section(key.text, value, file))
            elif value.is_sequence and value.elements() and all(one.is_mapping for one in value.elements()):
                sections += [self.section(key.text, one, file) for one in value.elements()]
            else:
                written = _RESERVED.get(key.text, key.text)
                found = self._value(value, file, place)
                if not isinstance(found, UseDefault):
                    parameters[written] = Parameter(written, found, place)
        return Section(name, argument, parameters, tuple(sections), Place(node.file or file, node.line))

    def _argument(self, node: YamlNode, between: str) -> str:
        return between.join(str(one.text) for one in node.elements()) if node.is_sequence else node.text

    def _value(self, node: YamlNode, file: str, place: Place) -> Any:
        if node.tag == "!fluent/json":
            return (
                json.dumps(node.plain(), ensure_ascii=False, separators=(",", ":")) if not node.is_scalar else node.text
            )
        if node.tag == "!fluent/s":
            try:
                escaped = node.text.replace('"', '\\"')
                return Literals(Cursor(f'"{escaped}"', file), self.surroundings).value()
            except ConfigSyntaxError as fault:
                self.problems.append(Diagnostic(fault.args[0], file, place.line, hint=fault.diagnostic.hint))
                return None
        if node.tag:
            self.note(node, file, f"there is no {node.tag} here", hint="!fluent/s, !fluent/json or !include")
        if node.is_scalar and "#{" in node.text:
            message = "#{…} is taken as it is written"
            self.note(node, file, message, hint="write !fluent/s before the text", level=Level.WARNING)
        return node.plain()

    def _included(self, node: YamlNode, within: tuple[str, ...]) -> list[Section]:
        file = within[-1]
        files = self.surroundings.files
        pattern = posixpath.normpath(posixpath.join(posixpath.dirname(file), node.text))
        found: list[Section] = []
        paths = files.matching(pattern)
        if not paths:
            self.note(node, file, f"!include {node.text}: there is no such file", level=Level.WARNING)
        for path in paths:
            if path in within or len(within) > MAX_DEPTH:
                self.note(node, file, f"!include {node.text}: {path} includes itself")
                continue
            try:
                document = self.load(files.read(path), path)
            except OSError as error:
                self.note(node, file, f"!include {path}: cannot be read: {error.strerror or error}")
                continue
            if document is not None:
                found += self.directives(document, (*within, path))
        return found

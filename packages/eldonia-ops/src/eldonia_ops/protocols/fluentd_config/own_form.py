"""Our own ``pipeline:`` keys to the same sections as ``fluent.conf``.

::

    pipeline:
      sources: [{type: tail, path: /var/log/app/*.log, tag: "app.*", parse: {type: json}}]
      filters: [{match: "app.**", type: record_transformer, record: {environment: production}}]
      outputs: [{match: "app.**", type: eldonia}]
      labels:  {"@ERROR": {outputs: [{match: "**", type: eldonia}]}}

A mapping is a section, ``type``, ``id`` and ``label`` are Fluentd's ``@type``, ``@id`` and ``@label``. Filters come
before outputs, whatever the order of the keys.
"""

from typing import Final

from eldonia_ops.model.errors import Diagnostic, nearest
from eldonia_ops.pipeline.section import Parameter, Place, Section
from eldonia_ops.protocols.yaml_nodes import YamlNode

KEYS: Final = ("sources", "filters", "outputs", "labels")
_PARTS: Final = {"sources": "source", "filters": "filter", "outputs": "match"}
_RESERVED: Final = {"type": "@type", "id": "@id", "label": "@label"}
# Sections whose keys are names of fields, so that none is reserved.
_FIELDS: Final = frozenset(("record", "headers"))
# What a section's argument is called.
_ARGUMENTS: Final = {"filter": "match", "match": "match", "buffer": "keys", "store": "mode"}


def read_own_part(key: str, node: YamlNode, file: str, problems: list[Diagnostic]) -> tuple[Section, ...]:
    """The sections of one key (of :data:`KEYS`) of the ``pipeline`` mapping of our settings."""
    return _Reader(file, problems).part(key, node)


class _Reader:
    def __init__(self, file: str, problems: list[Diagnostic]) -> None:
        self._file = file
        self._problems = problems

    def part(self, key: str, node: YamlNode) -> tuple[Section, ...]:
        if key == "labels":
            return tuple(self._label(name, inside) for name, inside in node.items())
        if not node.is_sequence and not node.is_null:
            self._note(node, f"{key} must be a list, not {node.describe()}")
        return tuple(self.section(_PARTS[key], one) for one in node.elements())

    def _label(self, name: YamlNode, node: YamlNode) -> Section:
        found: dict[str, tuple[Section, ...]] = {"filters": (), "outputs": ()}
        for key, value in node.items():
            if key.text in found:
                found[key.text] = self.part(key.text, value)
            else:
                self._note(key, f"a label has no {key.text}", nearest(key.text, found) or "filters and outputs")
        return Section("label", name.text, {}, (*found["filters"], *found["outputs"]), self._place(name))

    def section(self, name: str, node: YamlNode) -> Section:
        parameters: dict[str, Parameter] = {}
        sections: list[Section] = []
        argument = ""
        if not node.is_mapping and not node.is_null:
            self._note(node, f"{name} must be a mapping, not {node.describe()}")
        for key, value in node.items():
            if key.text == _ARGUMENTS.get(name):
                between = "," if name == "buffer" else " "
                argument = between.join(one.text for one in value.elements()) if value.is_sequence else value.text
            elif value.is_mapping and name not in _FIELDS:
                sections.append(self.section(key.text, value))
            elif value.is_sequence and value.elements() and all(one.is_mapping for one in value.elements()):
                sections += [self.section(key.text, one) for one in value.elements()]
            else:
                written = key.text if name in _FIELDS else _RESERVED.get(key.text, key.text)
                parameters[written] = Parameter(written, value.plain(), self._place(key))
        return Section(name, argument, parameters, tuple(sections), self._place(node))

    def _place(self, node: YamlNode) -> Place:
        return Place(node.file or self._file, node.line)

    def _note(self, node: YamlNode, message: str, hint: str = "") -> None:
        self._problems.append(Diagnostic(message, node.file or self._file, node.line, node.column, hint=hint))

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


def read_own_pipeline(node: YamlNode, file: str, problems: list[Diagnostic]) -> Section:
    """The sections that the ``pipeline`` mapping of our settings describes, in one section named ``ROOT``."""
    reader = _Reader(file, problems)
    return Section("ROOT", "", {}, reader.parts(node, KEYS), Place(file, node.line))


class _Reader:
    def __init__(self, file: str, problems: list[Diagnostic]) -> None:
        self._file = file
        self._problems = problems

    def parts(self, node: YamlNode, keys: tuple[str, ...]) -> tuple[Section, ...]:
        found: dict[str, list[Section]] = {key: [] for key in keys}
        for key, value in node.items():
            if key.text not in keys:
                self._note(key, f"there is no {key.text}", nearest(key.text, keys) or f"one of {', '.join(keys)}")
            elif key.text == "labels":
                for name, inside in value.items():
                    sections = self.parts(inside, ("filters", "outputs"))
                    found["labels"].append(Section("label", name.text, {}, sections, self._place(name)))
            else:
                if not value.is_sequence:
                    self._note(value, f"{key.text} must be a list, not {value.describe()}")
                found[key.text] += [self.section(_PARTS[key.text], one) for one in value.elements()]
        return tuple(section for sections in found.values() for section in sections)

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

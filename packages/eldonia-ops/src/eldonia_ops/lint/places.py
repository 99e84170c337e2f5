"""The place of a value in a YAML file, for faults that show only when several files are seen together."""

from functools import lru_cache

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.protocols.yaml_document import YamlNode, load


@lru_cache(maxsize=8)
def _document(text: str, file: str) -> YamlNode | None:
    try:
        return load(text, file)
    except ConfigError:
        return None


def place_of(text: str, file: str, *steps: str | int) -> tuple[int, int]:
    """Line and column of the value that ``steps`` (keys and list indices) lead to.

    Where the way ends early, it is the place of the last thing found; (0, 0) for a text that is not YAML.
    """
    node = _document(text, file)
    place = (0, 0)
    for step in steps:
        node = None if node is None else _below(node, step)
        if node is None:
            break
        place = (node.line, node.column)
    return place


def _below(node: YamlNode, step: str | int) -> YamlNode | None:
    if isinstance(step, int):
        elements = node.elements() or [node]  # one text may be used for a list of one
        return elements[step] if step < len(elements) else None
    return next((value for key, value in node.items() if key.text == step), None)

"""Functions that rule templates and notification templates share."""

from collections.abc import Mapping, Sequence

from eldonia_ops.template.functions import Function
from eldonia_ops.template.regex import replace_all, search


def title(text: str) -> str:
    """Each word with a capital first letter, the rest as it stands (Go's strings.Title)."""
    out: list[str] = []
    fresh = True
    for character in text:
        out.append(character.title() if fresh else character)
        fresh = not (character.isalnum() or character == "_") and (ord(character) < 128 or character.isspace())
    return "".join(out)


def join(separator: str, items: Sequence[str]) -> str:
    """Texts with a separator between.

    Raises:
        ValueError: an element is not a text.
    """
    if not all(isinstance(item, str) for item in items):
        raise ValueError("join takes a list of texts")
    return separator.join(items)


TEXT_FUNCTIONS: Mapping[str, Function] = {
    "toUpper": Function(str.upper, ("string",)),
    "toLower": Function(str.lower, ("string",)),
    "title": Function(title, ("string",)),
    "match": Function(search, ("string", "string")),
    "reReplaceAll": Function(replace_all, ("string", "string", "string")),
    # In a text template safeHtml changes nothing; what goes into HTML is escaped by the renderer.
    "safeHtml": Function(lambda text: text, ("string",)),
}

"""Functions that rule templates and notification templates share."""

from collections.abc import Mapping, Sequence

from eldonia_ops.template.functions import Function
from eldonia_ops.template.regex import replace_all, search
from eldonia_ops.template.text_limit import MAX_TEXT, TextTooLongError


def join(separator: str, items: Sequence[str]) -> str:
    """Texts with a separator between.

    Raises:
        ValueError: an element is not a text, or the text would be too long.
    """
    if not all(isinstance(item, str) for item in items):
        raise ValueError("join takes a list of texts")
    if sum(map(len, items)) + len(separator) * (len(items) - 1) > MAX_TEXT:
        raise TextTooLongError
    return separator.join(items)


TEXT_FUNCTIONS: Mapping[str, Function] = {
    "toUpper": Function(str.upper, ("string",)),
    "toLower": Function(str.lower, ("string",)),
    "match": Function(search, ("string", "string")),
    "reReplaceAll": Function(replace_all, ("string", "string", "string")),
    # In a text template safeHtml changes nothing; what goes into HTML is escaped by the renderer.
    "safeHtml": Function(lambda text: text, ("string",)),
}

"""``highlight``: the parts of a text at which a search found it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Final

import re2

from eldonia_ops.model.conditions import ConditionOp
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.patterns import word_pattern
from eldonia_ops.protocols.elasticsearch.query.shapes import listed, object_of, whole
from eldonia_ops.search.message_text import quoted_pattern, text_test
from eldonia_ops.search.tree import Comparison, Node, OneOf, Text, leaves

_WORD: Final = re.compile(r"[^\W_]+")
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class HighlightField:
    """One entry of ``fields``: a pattern of names, and how its fragments are made."""

    pattern: str
    before: str = "<em>"
    after: str = "</em>"
    fragments: int = 5
    size: int = 100
    no_match: int = 0
    node: Node | None = None


def read_highlight(value: Any, read: Any) -> tuple[HighlightField, ...]:
    """``{"fields": {"message": {}}, "pre_tags": ["<b>"], "post_tags": ["</b>"]}``; ``read`` reads a query.

    Raises:
        DslError: it is something else.
    """
    if value is None:
        return ()
    options = object_of(value, "highlight")
    fields = options.get("fields", {})
    if isinstance(fields, list):
        fields = {name: given for one in fields for name, given in object_of(one, "fields").items()}
    if not isinstance(fields, dict):
        raise parsing("[highlight] fields: expected an object or a list", "fields")
    found: list[HighlightField] = []
    for name, given in fields.items():
        own = {**options, **object_of(given, name)}
        if own.get("type", "unified") not in ("unified", "plain", "fvh"):
            raise illegal(f"unknown highlighter type [{own['type']}] for the field [{name}]")
        query = own.get("highlight_query")
        found.append(
            HighlightField(
                name,
                str(listed(own.get("pre_tags", "<em>"))[0]),
                str(listed(own.get("post_tags", "</em>"))[0]),
                whole(own.get("number_of_fragments", 5), "number_of_fragments"),
                whole(own.get("fragment_size", 100), "fragment_size", high=2**31),
                whole(own.get("no_match_size", 0), "no_match_size"),
                read(query) if query is not None else None,
            )
        )
    return tuple(found)


def highlighted(
    wanted: tuple[HighlightField, ...], node: Node, fields: Iterable[tuple[str, list[Any]]]
) -> dict[str, list[str]]:
    """The fragments of a document's fields, which are given by their dotted names with their values."""
    found: dict[str, list[str]] = {}
    for name, values in fields:
        one = next((one for one in wanted if fnmatchcase(name, one.pattern.removesuffix(".keyword"))), None)
        if one is None:
            continue
        patterns = patterns_of(one.node or node, name)
        fragments = [part for value in values if isinstance(value, str) for part in _fragments(value, patterns, one)]
        if fragments:
            key = one.pattern if "*" not in one.pattern else name
            found[key] = fragments[: one.fragments] if one.fragments else fragments
    return found


@lru_cache(maxsize=256)
def patterns_of(node: Node, name: str) -> tuple[str, ...]:
    """Expressions of RE2 that find in a field what a tree asks of it."""
    found: list[str] = []
    for leaf, positive in leaves(node):
        if not positive:
            continue
        match leaf:
            case Text() if name == "message":
                last = len(leaf.pieces) - 1
                if leaf.pieces[last] == "" and last == 1:
                    found.append(f"(?i)(?:^|[^0-9A-Za-z]){quoted_pattern(leaf.pieces[0])}[\\pL\\pN]*")
                else:
                    found.append(text_test(leaf.pieces).pattern or word_pattern("".join(leaf.pieces)))
            case Comparison() if leaf.condition.op is ConditionOp.MATCHES and leaf.condition.name.name == name:
                found.append(leaf.condition.value)
            case OneOf() if leaf.name.name == name:
                found += [f"^{quoted_pattern(value)}$" for value in leaf.values[:100]]
            case _:
                pass
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


def _spans(text: str, patterns: tuple[str, ...]) -> list[tuple[int, int]]:
    """The words that were found, in their order."""
    found: set[tuple[int, int]] = set()
    for pattern in patterns:
        place = 0
        while len(found) < _MOST and (match := _compiled(pattern).search(text, place)):
            begin, end = match.span()
            found.update((word.start(), word.end()) for word in _WORD.finditer(text, begin, end))
            # The character behind a word may be the one before the next.
            place = max(end - 1, begin + 1)
    return sorted(found)


def _fragments(text: str, patterns: tuple[str, ...], one: HighlightField) -> list[str]:
    spans = _spans(text, patterns) if patterns else []
    if not spans:
        return [text[: one.no_match]] if one.no_match else []
    if not one.fragments or len(text) <= one.size:
        return [_tagged(text, 0, len(text), spans, one)]
    found: list[str] = []
    end = 0
    for begin, _ in spans:
        if begin < end or len(found) >= one.fragments:
            continue
        start = max(end, begin - one.size // 4)
        start = text.rfind(" ", end, start) + 1 or start if start > end else end
        end = min(len(text), start + one.size)
        if end < len(text):
            space = text.rfind(" ", begin + 1, end)
            end = space if space > begin else end
        end = max(end, next(stop for first, stop in spans if first == begin))
        found.append(_tagged(text, start, end, spans, one))
    return found


def _tagged(text: str, start: int, end: int, spans: list[tuple[int, int]], one: HighlightField) -> str:
    parts: list[str] = []
    place = start
    for begin, stop in spans:
        if begin < place or stop > end:
            continue
        parts += (text[place:begin], one.before, text[begin:stop], one.after)
        place = stop
    parts.append(text[place:end])
    return "".join(parts)

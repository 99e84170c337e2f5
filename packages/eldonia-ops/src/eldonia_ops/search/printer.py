"""A tree becomes the text of a search; :func:`~eldonia_ops.search.parser.parse_search` reads it again."""

import re
from typing import Final

from eldonia_ops.model.condition_text import format_field, quoted
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.search.scanner import ESCAPABLE
from eldonia_ops.search.tree import All, And, Comparison, LevelTest, Node, Not, Or, Text, Wildcard

_PLAIN: Final = re.compile(r"(?!(?:and|or|not)\Z)[^\W\d][\w\-./@]*+(?<![.:/])", re.IGNORECASE)
"""A word that means itself wherever it is written."""

_SIMPLE: Final = re.compile(r"/?[\w@](?>(?:[\w\-@/]|\.(?!\.))*)(?<!/)")
"""A value that means itself after a colon."""

_NEEDS_ESCAPE: Final = ESCAPABLE - frozenset("-./:@=")


def format_search(node: Node) -> str:
    """The text of a tree; '' for every record."""
    return "" if isinstance(node, All) else _written(node)


def _written(node: Node) -> str:
    match node:
        case All():
            return "*"
        case And():
            return " ".join(f"({_written(part)})" if isinstance(part, Or) else _written(part) for part in node.parts)
        case Or():
            return " or ".join(_written(part) for part in node.parts)
        case Not():
            inner = _written(node.part)
            return f"-({inner})" if isinstance(node.part, And | Or) else f"-{inner}"
        case Text():
            return _text(node.pieces)
        case Wildcard():
            return f"{format_field(node.name)}:{_pattern(node.pieces)}"
        case LevelTest():
            return f"level{':' if node.op is ConditionOp.EQUAL else node.op.value}{node.level.value}"
        case Comparison():
            return _condition(node.condition)
        case _:
            raise ValueError(f"a {type(node).__name__} has no form in the language of searches")


def _text(pieces: tuple[str, ...]) -> str:
    if len(pieces) == 1:
        return pieces[0] if _PLAIN.fullmatch(pieces[0]) else quoted(pieces[0])
    return f"message:{_pattern(pieces)}"


def _condition(condition: Condition) -> str:
    name = format_field(condition.name)
    match condition.op:
        case ConditionOp.EXISTS | ConditionOp.NOT_EXISTS:
            sign = "-" if condition.op is ConditionOp.NOT_EXISTS else ""
            return f"{sign}{name}:*" if _takes_colon(condition.name) else f"{sign}exists({name})"
        case ConditionOp.EQUAL if not condition.quoted:
            # After a colon some values mean more than themselves: ranges, patterns, words of the message.
            simple = _SIMPLE.fullmatch(condition.value) and name not in ("message", "level")
            simple = simple and _takes_colon(condition.name)
            return f"{name}{':' if simple else '='}{_bare(condition.value)}"
        case ConditionOp.NOT_EQUAL if not condition.quoted:
            return f"{name}!={_bare(condition.value)}"
        case ConditionOp.EQUAL | ConditionOp.NOT_EQUAL | ConditionOp.MATCHES | ConditionOp.NOT_MATCHES:
            return f"{name}{condition.op.value}{quoted(condition.value)}"
        case ConditionOp.CONTAINS:
            return f"{name}{condition.op.value}{quoted(condition.value)}"
        case _:
            return f"{name}{condition.op.value}{condition.value}"


def _takes_colon(name: FieldName) -> bool:
    """Whether a name is read as one before a colon: ``12:30`` is a word."""
    return name.exact or name.name[0].isalpha() or name.name[0] in "_@"


def _bare(text: str) -> str:
    """A value without quotes: what would end it, or mean something, is escaped."""
    written = "".join(f"\\{one}" if one in _NEEDS_ESCAPE or one.isspace() else one for one in text)
    return f"\\{written}" if written[:1] == "=" else written


def _pattern(pieces: tuple[str, ...]) -> str:
    written = "*".join(map(_bare, pieces))
    # Between slashes it would be a regular expression, and :// is not behind the name of a field.
    return f"\\{written}" if written[0] == written[-1] == "/" or written.startswith("//") else written

"""Reads one term of a search: a word, a phrase, or a test of a field."""

import difflib
import re
from abc import ABC, abstractmethod
from typing import Final

from eldonia_ops.model.condition_text import QUOTED
from eldonia_ops.model.conditions import ORDERINGS, PATTERNS, Condition, ConditionOp, FieldName
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel, source_name
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.scanner import Scanner, Value
from eldonia_ops.search.tree import (
    SEVERITY,
    All,
    And,
    Comparison,
    LevelTest,
    Node,
    Not,
    Span,
    Text,
    Wildcard,
    conjunction,
)

MAX_TERMS: Final = 50
"""Words and conditions of a search."""

MESSAGE: Final = FieldName(("message",))
_LEVEL: Final = FieldName(("level",))
_SOURCE: Final = FieldName(("source",))
_EQUALITIES: Final = (ConditionOp.EQUAL, ConditionOp.NOT_EQUAL)
_EXISTS: Final = re.compile(r"exists\s*+\(\s*+", re.IGNORECASE)
_DOTTED_RANGE: Final = re.compile(r"([^.\s]*+(?:\.\d++)?)\.\.([^\s]*+)")
_LONGEST_RANGE: Final = 200
_LEVEL_NAMES: Final = (*SEVERITY, "warning", "critical", "fatal", "trace")


class TermReader(ABC):
    """Reads terms of a text, one after another, and counts them.

    What is in parentheses behind a field is read by ``group``, which reads terms in its turn.
    """

    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._text = text
        self._terms = 0

    @abstractmethod
    def group(self, field: FieldName | None, *, deeper: bool = True) -> Node:
        """What is in the parentheses that begin here: values of a field, or terms."""

    def term(self) -> Node:
        """The term that begins here.

        Raises:
            SearchError: it cannot be read.
        """
        scanner = self._scanner
        start = scanner.at
        if scanner.take(_EXISTS.match):
            name = scanner.field_name()
            scanner.skip_space()
            if not scanner.next_is(")"):
                raise SearchError("exists_open", scanner.at)
            scanner.at += 1
            return self._leaf(Comparison(Condition(name, ConditionOp.EXISTS), self._since(start)))
        if scanner.next_is("_exists_:"):
            scanner.at += len("_exists_:")
            name = scanner.field_name()
            return self._leaf(Comparison(Condition(name, ConditionOp.EXISTS), self._since(start)))
        if found := self._field():
            name, operator = found
            if operator is None:
                return self.test(name, start)
            scanner.skip_space()
            return self._comparison(name, ConditionOp(operator), start)
        return self._of_message(start)

    def _field(self) -> tuple[FieldName, str | None] | None:
        """The name of a field and the operator behind it, None for a colon; nothing when a word or phrase is here."""
        scanner = self._scanner
        start = scanner.at
        in_quotes = QUOTED.match(self._text, start)
        if in_quotes and self._text[in_quotes.end() : in_quotes.end() + 1] not in tuple(":.=!<>*"):
            return None
        first = scanner.peek()
        if not (in_quotes or first.isalnum() or first in ("_", "@", "'", '"')):
            return None
        try:
            name = scanner.field_name()
        except SearchError as error:
            if error.code == "quote_open":
                raise
            scanner.at = start
            return None
        if scanner.next_is(":"):
            if not scanner.next_is("://") and not self._text[start].isdigit():
                scanner.at += 1
                return name, None
        else:
            if not in_quotes:
                scanner.skip_space()
            if operator := scanner.comparison():
                return name, operator
        scanner.at = start
        return None

    def _of_message(self, start: int) -> Node:
        scanner = self._scanner
        if scanner.peek() in ("'", '"'):
            value = scanner.quoted()
        elif slashed := scanner.slashed():
            return self._leaf(self._condition(MESSAGE, ConditionOp.MATCHES, slashed, start))
        else:
            value = scanner.bare()
        return self._leaf(self._words(value, start))

    def _words(self, value: Value, start: int) -> Node:
        if value.pieces == ("", ""):
            return All(self._since(start))
        if not any(piece.strip() for piece in value.pieces):
            raise SearchError("phrase_empty", value.start, value.end)
        pieces = (value.pieces[0].strip(),) if len(value.pieces) == 1 else value.pieces
        return Text(pieces, self._since(start))

    def test(self, name: FieldName, start: int) -> Node:
        """What follows a colon, or is in the parentheses behind it; the term begins at ``start``.

        Raises:
            SearchError: it cannot be read.
        """
        scanner = self._scanner
        if scanner.next_is("("):
            return self.group(name)
        if scanner.peek() in ("[", "{") and scanner.peek():
            return self._leaf(self._bracketed(name, start))
        if scanner.peek() in ("<", ">") and (operator := scanner.comparison()):
            scanner.skip_space()
            return self._comparison(name, ConditionOp(operator), start)
        if scanner.peek() in ("'", '"') and scanner.peek():
            return self._leaf(self._equal(name, scanner.quoted(), start))
        if slashed := scanner.slashed():
            return self._leaf(self._condition(name, ConditionOp.MATCHES, slashed, start))
        value = scanner.bare()
        if value.start == value.end:
            raise self._value_missing(start)
        return self._leaf(self._equal(name, value, start))

    def _value_missing(self, start: int) -> SearchError:
        scanner = self._scanner
        written = self._text[start : scanner.at].rstrip()
        return SearchError("value_missing", start, scanner.at, field=written.rstrip(": =<>!~"), text=written)

    def _comparison(self, name: FieldName, op: ConditionOp, start: int) -> Node:
        scanner = self._scanner
        if scanner.peek() in ("'", '"') and scanner.peek():
            value = scanner.quoted()
        else:
            value = scanner.pattern() if op in PATTERNS else scanner.bare(wildcards=False)
            if value.start == value.end:
                raise self._value_missing(start)
        if name == _LEVEL and (op in ORDERINGS or op in (ConditionOp.EQUAL, ConditionOp.NOT_EQUAL)):
            negative = op is ConditionOp.NOT_EQUAL
            test = LevelTest(
                ConditionOp.EQUAL if negative else op, self._level(value.text, value, op.value), self._since(start)
            )
            return self._leaf(Not(test, test.span) if negative else test)
        return self._leaf(self._condition(name, op, value, start))

    def _equal(self, name: FieldName, value: Value, start: int) -> Node:
        span = self._since(start)
        if len(value.pieces) > 1:
            if not any(value.pieces):
                return Comparison(Condition(name, ConditionOp.EXISTS), span)
            return self._words(value, start) if name == MESSAGE else Wildcard(name, value.pieces, span)
        if not value.quoted and (found := _DOTTED_RANGE.fullmatch(value.text)) and self._is_range(name, found):
            return self._range(name, (found[1] or "*", True), (found[2] or "*", True), (value.start, value.end), start)
        if name == MESSAGE:
            return self._words(value, start)
        if name == _LEVEL:
            return LevelTest(ConditionOp.EQUAL, self._level(value.text, value, ":"), span)
        return self._condition(name, ConditionOp.EQUAL, value, start)

    def _condition(self, name: FieldName, op: ConditionOp, value: Value, start: int) -> Node:
        # Quotes mean that only texts are meant, where that makes a difference.
        quoted = value.quoted and op not in PATTERNS and op is not ConditionOp.CONTAINS
        # Searches that were saved when a source was `path#device:inode:fingerprint` find the file by its name.
        text = source_name(value.text) if name == _SOURCE and op in _EQUALITIES else value.text
        try:
            condition = Condition(name, op, text, quoted)
        except ValueError as error:
            if op in PATTERNS:
                reason = str(error).partition(": ")[2]
                raise SearchError("pattern", value.start, value.end, reason=reason) from None
            written = self._text[start : value.end]
            raise SearchError(
                "not_a_number", value.start, value.end, op=op.value, value=value.text, text=written.replace('"', "'")
            ) from None
        return Comparison(condition, self._since(start))

    def _level(self, text: str, value: Value, op: str) -> LogLevel:
        found = fold_level(text)
        if found is None:
            near = difflib.get_close_matches(text.lower()[:32], _LEVEL_NAMES, 1, 0.3) or [LogLevel.ERROR.value]
            raise SearchError("level_unknown", value.start, value.end, value=text, near=str(near[0]), op=op)
        return found

    def _is_range(self, name: FieldName, found: re.Match[str]) -> bool:
        ends = [end for end in found.groups() if end]
        return bool(ends) and all(_bound(name, end) is not None for end in ends)

    def _bracketed(self, name: FieldName, start: int) -> Node:
        scanner, text = self._scanner, self._text
        begin = scanner.at
        end = min(
            (place for mark in "]}" if (place := text.find(mark, begin, begin + _LONGEST_RANGE)) >= 0),
            default=-1,
        )
        words = text[begin + 1 : max(end, begin + 1)].split()
        if len(words) != 3 or words[1].upper() != "TO":
            stop = end + 1 if end >= 0 else min(len(text), begin + _LONGEST_RANGE)
            raise SearchError("range_form", begin, stop, text=text[start:stop].replace('"', "'"))
        scanner.at = end + 1
        low, high = (words[0], text[begin] == "["), (words[2], text[end] == "]")
        return self._range(name, low, high, (begin, end + 1), start)

    def _range(self, name: FieldName, low: tuple[str, bool], high: tuple[str, bool], place: Span, start: int) -> Node:
        """What lies between two ends, each with whether it belongs to the range; an asterisk leaves one open."""
        span = self._since(start)
        parts: list[Node] = []
        bounds: list[float] = []
        for (text, included), inner, outer in (
            (low, ConditionOp.GREATER_OR_EQUAL, ConditionOp.GREATER),
            (high, ConditionOp.LESS_OR_EQUAL, ConditionOp.LESS),
        ):
            if text == "*":
                continue
            bound = _bound(name, text)
            if bound is None:
                written = self._text[start : place[1]].replace('"', "'")
                raise SearchError("range_form", *place, text=written)
            op = inner if included else outer
            if isinstance(bound, LogLevel):
                parts.append(LevelTest(op, bound, span))
                bounds.append(SEVERITY.index(bound))
            else:
                parts.append(Comparison(bound_condition := Condition(name, op, text), span))
                bounds.append(bound_condition.number or 0.0)
        if len(bounds) == 2 and bounds[0] > bounds[1]:
            raise SearchError("range_order", *place, low=low[0], high=high[0])
        return conjunction(parts) if parts else Comparison(Condition(name, ConditionOp.EXISTS), span)

    def _leaf(self, node: Node) -> Node:
        self._terms += len(node.parts) if isinstance(node, And) else 1
        if self._terms > MAX_TERMS:
            raise SearchError("too_many_terms", node.span[0], node.span[1], limit=MAX_TERMS)
        return node

    def _since(self, start: int) -> Span:
        return start, self._scanner.at


def _bound(name: FieldName, text: str) -> LogLevel | float | None:
    """The end of a range: a level of the field for levels, else a number; None for neither."""
    if name == _LEVEL:
        return fold_level(text)
    try:
        return Condition(name, ConditionOp.GREATER, text).number
    except ValueError:
        return None

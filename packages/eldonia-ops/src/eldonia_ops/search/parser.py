"""The text of a search becomes a tree.

::

    search   = [ any ]
    any      = every { "or" every }
    every    = negated { [ "and" ] negated }
    negated  = ( "-" | "!" | "not" ) negated | "(" any ")" | term
    term     = word | quoted | pattern | field ":" test | field operator value
             | "exists" "(" field ")" | "_exists_:" field
    test     = value | quoted | pattern | range | ordering value | "(" any ")"  (values of the same field)
    range    = ( "[" | "{" ) low "TO" high ( "]" | "}" ) | low ".." high
    pattern  = "/" characters but space "/"
    operator = "=" | "!=" | "=~" | "!~" | "*=" | ordering
    ordering = ">" | ">=" | "<" | "<="

Names and quotes are those of conditions (:mod:`eldonia_ops.model.condition_text`). In words and values ``*`` is any
text, and a backslash makes the next character plain. ``and``, ``or`` and ``not`` are read in any case. The time taken
grows with the length of the text.
"""

import difflib
import re
from typing import Final

from eldonia_ops.model.condition_text import QUOTED
from eldonia_ops.model.conditions import ORDERINGS, PATTERNS, Condition, ConditionOp, FieldName
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.scanner import Scanner, Value
from eldonia_ops.search.tree import (
    EVERYTHING,
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
    disjunction,
)

MAX_SEARCH: Final = 4_000
"""Characters of a search."""

MAX_TERMS: Final = 50
"""Words and conditions of a search."""

MAX_DEPTH: Final = 20
"""How deep parentheses and negations may be nested."""

MESSAGE: Final = FieldName(("message",))
_LEVEL: Final = FieldName(("level",))
_KEYWORD: Final = re.compile(r"(?:and|or|not)(?![^\s()])", re.IGNORECASE)
_EXISTS: Final = re.compile(r"exists\s*+\(\s*+", re.IGNORECASE)
_DOTTED_RANGE: Final = re.compile(r"([^.\s]*+(?:\.\d++)?)\.\.([^\s]*+)")
_BEGIN_TERMS: Final = frozenset("\"'(/_*@!-[{\\")
_LONGEST_RANGE: Final = 200
_LEVEL_NAMES: Final = (*SEVERITY, "warning", "critical", "fatal", "trace")


def parse_search(text: str) -> Node:
    """The tree of a search; :data:`~eldonia_ops.search.tree.EVERYTHING` for a blank text.

    Raises:
        SearchError: it cannot be read; it says where and why.
    """
    if len(text) > MAX_SEARCH:
        raise SearchError("too_long", MAX_SEARCH, len(text), limit=MAX_SEARCH)
    # A lone surrogate is in no record, and cannot be sent to a store.
    return _Parser(text.encode("utf-8", "replace").decode()).search()


class _Parser:
    def __init__(self, text: str) -> None:
        self._scanner = Scanner(text)
        self._text = text
        self._terms = 0
        self._depth = 0

    def search(self) -> Node:
        self._scanner.skip_space()
        if self._scanner.at_end():
            return EVERYTHING
        found = self._any(None)
        self._closed(found_closing=self._scanner.next_is(")"))
        return found

    def _closed(self, *, found_closing: bool) -> None:
        if found_closing:
            raise SearchError("group_extra", self._scanner.at)
        if not self._scanner.at_end():
            self._refuse_pipe()

    def _any(self, field: FieldName | None) -> Node:
        parts = [self._every(field)]
        while self._keyword("or"):
            parts.append(self._every(field))
        return disjunction(parts)

    def _every(self, field: FieldName | None) -> Node:
        parts = [self._negated(field)]
        while True:
            joined = self._keyword("and")
            self._scanner.skip_space()
            self._refuse_pipe()
            if not joined and (self._scanner.at_end() or self._scanner.next_is(")") or self._at_keyword("or")):
                return conjunction(parts)
            parts.append(self._negated(field))

    def _negated(self, field: FieldName | None, *, after_sign: bool = False) -> Node:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.at
        if self._keyword("not") or self._sign():
            self._deeper(start)
            part = self._negated(field, after_sign=True)
            self._depth -= 1
            return Not(part, (start, scanner.at))
        self._refuse_pipe()
        if scanner.at_end() or scanner.next_is(")") or self._at_keyword("and") or self._at_keyword("or"):
            raise self._missing(start)
        if scanner.next_is("("):
            return self._group(field, deeper=not after_sign)
        return self._term() if field is None else self._test(field, start)

    def _missing(self, at: int) -> SearchError:
        if found := _KEYWORD.match(self._text, at):
            return SearchError("term_missing", at, found.end(), word=f'"{found[0]}"')
        before = self._text[:at].split()
        word = before[-1] if before else ""
        return SearchError("term_missing", at, word=f'"{word}"')

    def _group(self, field: FieldName | None, *, deeper: bool = True) -> Node:
        """What is in parentheses. Those behind a negation are no level of their own."""
        scanner = self._scanner
        start = scanner.at
        if deeper:
            self._deeper(start)
        scanner.at += 1
        scanner.skip_space()
        if scanner.next_is(")"):
            raise SearchError("group_empty", start, scanner.at + 1)
        found = self._any(field)
        if not scanner.next_is(")"):
            raise SearchError("group_open", start)
        scanner.at += 1
        self._depth -= deeper
        return found

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SearchError("too_deep", at, limit=MAX_DEPTH)

    def _sign(self) -> bool:
        """A minus or exclamation mark with a term behind it: an arrow is a word."""
        scanner = self._scanner
        following = self._text[scanner.at + 1 : scanner.at + 2]
        if scanner.peek() not in ("-", "!") or not (following.isalnum() or following in _BEGIN_TERMS) or not following:
            return False
        scanner.at += 1
        return True

    def _at_keyword(self, word: str) -> bool:
        found = _KEYWORD.match(self._text, self._scanner.at)
        return found is not None and found[0].lower() == word

    def _keyword(self, word: str) -> bool:
        self._scanner.skip_space()
        if not self._at_keyword(word):
            return False
        self._scanner.at += len(word)
        return True

    def _refuse_pipe(self) -> None:
        if self._scanner.next_is("|"):
            raise SearchError("pipe", self._scanner.at)

    def _term(self) -> Node:
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
                return self._test(name, start)
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

    def _test(self, name: FieldName, start: int) -> Node:
        """What follows a colon, or is in the parentheses behind it."""
        scanner = self._scanner
        if scanner.next_is("("):
            return self._group(name)
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
            self._refuse_pipe()
            raise self._value_missing(start)
        return self._leaf(self._equal(name, value, start))

    def _value_missing(self, start: int) -> SearchError:
        scanner = self._scanner
        written = self._text[start : scanner.at].rstrip()
        return SearchError("value_missing", start, scanner.at, field=written.rstrip(":"), text=written)

    def _comparison(self, name: FieldName, op: ConditionOp, start: int) -> Node:
        scanner = self._scanner
        if scanner.peek() in ("'", '"') and scanner.peek():
            value = scanner.quoted()
        else:
            value = scanner.pattern() if op in PATTERNS else scanner.bare(wildcards=False)
            if value.start == value.end:
                self._refuse_pipe()
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
        try:
            condition = Condition(name, op, value.text, quoted)
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

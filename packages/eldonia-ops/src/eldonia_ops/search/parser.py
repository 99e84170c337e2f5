"""The text of a search becomes a tree.

::

    search   = [ any ]                              (what may follow, "|", is read by pipes/parser.py)
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

import re
from typing import Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.terms import TermReader
from eldonia_ops.search.tree import EVERYTHING, Node, Not, conjunction, disjunction

MAX_SEARCH: Final = 4_000
"""Characters of a search."""

MAX_DEPTH: Final = 20
"""How deep parentheses and negations may be nested."""

_KEYWORD: Final = re.compile(r"(?:and|or|not)(?![^\s()])", re.IGNORECASE)
_BEGIN_TERMS: Final = frozenset("\"'(/_*@!-[{\\")


def parse_search(text: str) -> Node:
    """The tree of a search; :data:`~eldonia_ops.search.tree.EVERYTHING` for a blank text.

    Raises:
        SearchError: it cannot be read; it says where and why.
    """
    if len(text) > MAX_SEARCH:
        raise SearchError("too_long", MAX_SEARCH, len(text), limit=MAX_SEARCH)
    # A lone surrogate is in no record, and cannot be sent to a store.
    parser = SearchParser(text.encode("utf-8", "replace").decode())
    found = parser.search()
    parser.refuse_pipe()
    return found


class SearchParser(TermReader):
    """Reads a search out of a text, up to its end or a pipe."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._groups = 0

    def search(self) -> Node:
        """The search that begins here.

        Raises:
            SearchError: it cannot be read.
        """
        self._scanner.skip_space()
        if self._scanner.at_end() or self._scanner.next_is("|"):
            return EVERYTHING
        found = self._any(None)
        if self._scanner.next_is(")"):
            raise SearchError("group_extra", self._scanner.at)
        return found

    def refuse_pipe(self) -> None:
        """Nothing, unless a pipe begins here.

        Raises:
            SearchError: one does.
        """
        if self._scanner.next_is("|"):
            raise SearchError("pipe", self._scanner.at)

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
            if self._groups and self._scanner.next_is("|"):
                raise SearchError("pipe_in_group", self._scanner.at)
            if not joined and (self._at_boundary() or self._at_keyword("or")):
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
        if self._at_boundary() or self._at_keyword("and") or self._at_keyword("or"):
            raise self._missing(start)
        if scanner.next_is("("):
            return self.group(field, deeper=not after_sign)
        return self.term() if field is None else self.test(field, start)

    def _at_boundary(self) -> bool:
        return self._scanner.at_end() or self._scanner.next_is(")") or self._scanner.next_is("|")

    def _missing(self, at: int) -> SearchError:
        if found := _KEYWORD.match(self._text, at):
            return SearchError("term_missing", at, found.end(), word=f'"{found[0]}"')
        before = self._text[:at].split()
        word = before[-1] if before else ""
        return SearchError("term_missing", at, word=f'"{word}"')

    def group(self, field: FieldName | None, *, deeper: bool = True) -> Node:
        """What is in parentheses. Those behind a negation are no level of their own."""
        scanner = self._scanner
        start = scanner.at
        if deeper:
            self._deeper(start)
        scanner.at += 1
        scanner.skip_space()
        if scanner.next_is(")"):
            raise SearchError("group_empty", start, scanner.at + 1)
        self._groups += 1
        found = self._any(field)
        self._groups -= 1
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

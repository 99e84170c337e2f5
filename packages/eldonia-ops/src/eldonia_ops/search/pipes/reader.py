"""Reads what the stages of pipelines are made of: words, names, counts."""

import re
from typing import Final

from eldonia_ops.model.conditions import MAX_VALUE, FieldName
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.parser import SearchParser
from eldonia_ops.search.pipes.columns import Columns
from eldonia_ops.search.tree import Span

_WORD: Final = re.compile(r"[^\s|(),]++")
_LISTED_NAME: Final = re.compile(r"[^\s=!<>~*\"'().:|\\\[\]{},]++")
_COUNT: Final = re.compile(r"[0-9]++(?![^\s|,])")
_REST: Final = re.compile(r"[^\s|]++")


class PipeReader(SearchParser):
    """Reads pieces of stages; names are checked against the columns that there are."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._columns = Columns()
        self._begin = 0

    def _unfit(self, code: str, **values: str) -> SearchError:
        at = self._scanner.at
        found = _REST.match(self._text, at)
        text = found[0] if found else self._text[at : at + 1] or "the end"
        return SearchError(code, at, found.end() if found else at + 1, text=text, **values)

    def _mark(self, mark: str) -> bool:
        self._scanner.skip_space()
        if not self._scanner.next_is(mark):
            return False
        self._scanner.at += len(mark)
        return True

    def _next_word(self) -> re.Match[str] | None:
        """The word that is next; it is not read."""
        self._scanner.skip_space()
        return _WORD.match(self._text, self._scanner.at)

    def _word_is(self, *words: str) -> bool:
        """Whether one of some words is next; it is read."""
        found = self._next_word()
        if found is None or found[0].lower() not in words:
            return False
        self._scanner.at = found.end()
        return True

    def _name(self) -> tuple[FieldName, Span]:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.at
        return scanner.field_name(_LISTED_NAME.match), (start, scanner.at)

    def _known_name(self) -> FieldName:
        name, span = self._name()
        self._columns.check(name, span)
        return name

    def _known_names(self) -> tuple[FieldName, ...]:
        names = [self._known_name()]
        while self._mark(","):
            names.append(self._known_name())
        return tuple(dict.fromkeys(names))

    def _count(self, default: int, limit: int) -> int:
        scanner = self._scanner
        scanner.skip_space()
        found = _COUNT.match(self._text, scanner.at)
        if found is None:
            return default
        if not 1 <= int(found[0][:12]) <= limit:
            raise SearchError("count_expected", *found.span(), limit=limit)
        scanner.at = found.end()
        return int(found[0])

    def _span(self) -> Span:
        return self._begin, self._scanner.at

    def _slashed(self) -> str:
        """A regular expression between slashes, which may hold spaces."""
        scanner, text = self._scanner, self._text
        begin = scanner.at
        at = begin + 1
        while at < len(text) and text[at] != "/":
            at += 2 if text[at] == "\\" else 1
        if at >= len(text):
            raise SearchError("slash_open", begin, len(text))
        if at - begin > MAX_VALUE:
            raise SearchError("value_long", begin, at, limit=MAX_VALUE)
        scanner.at = at + 1
        return text[begin + 1 : at].replace("\\/", "/")

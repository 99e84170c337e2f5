"""Reads arithmetic of pipelines."""

import re
from typing import Final

from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.pipes.functions import ARITHMETIC
from eldonia_ops.search.pipes.pipeline import Expression, Number, Operation
from eldonia_ops.search.pipes.reader import PipeReader

_OPERAND: Final = re.compile(r"[^\W\d]\w*+")
_OPERAND_PART: Final = re.compile(r"\w++")
_NUMBER: Final = re.compile(r"(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?")
_DEEPEST: Final = 50
_MOST: Final = 200
"""Operations of one pipeline: ``1*1*1*…`` is as deep as it is long, and is walked through again and again."""


class SumReader(PipeReader):
    """Reads ``(a + b) / 1000``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nested = 0
        self._operations = 0

    def _sum(self) -> Expression:
        self._nested += 1
        if self._nested > _DEEPEST:
            raise SearchError("expression_deep", self._scanner.at)
        found = self._product()
        while True:
            operator = "+" if self._mark("+") else "-" if self._mark("-") else ""
            if not operator:
                self._nested -= 1
                return found
            self._one_more()
            found = Operation(operator, (found, self._product()))

    def _product(self) -> Expression:
        found = self._factor()
        while True:
            operator = "*" if self._mark("*") else "/" if self._mark("/") else ""
            if not operator:
                return found
            self._one_more()
            found = Operation(operator, (found, self._factor()))

    def _one_more(self) -> None:
        self._operations += 1
        if self._operations > _MOST:
            raise SearchError("expression_deep", self._scanner.at)

    def _factor(self) -> Expression:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.at
        if self._mark("-"):
            self._nested += 1
            if self._nested > _DEEPEST:
                raise SearchError("expression_deep", start)
            found = Operation("-", (Number(0.0), self._factor()))
            self._nested -= 1
            return found
        if self._mark("("):
            found = self._sum()
            if not self._mark(")"):
                raise SearchError("expression_open", start)
            return found
        if number := scanner.take(_NUMBER.match):
            return Number(float(number[0]))
        if function := _OPERAND.match(self._text, start):
            after = function.end()
            if function[0].lower() in ARITHMETIC and self._text[after : after + 1] == "(":
                scanner.at = after + 1
                found = Operation(function[0].lower(), (self._sum(),))
                if not self._mark(")"):
                    raise SearchError("expression_open", after)
                return found
        elif not (scanner.peek() and scanner.peek() in "\"'"):
            raise SearchError("expression", start)
        name = scanner.field_name(_OPERAND_PART.match)
        self._columns.check(name, (start, scanner.at))
        return name

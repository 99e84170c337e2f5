"""Reads metrics of pipelines, and what they are counted by."""

import difflib
import re
from typing import Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.search.aggregates import Metric, MetricFunction
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.pipes.functions import FUNCTIONS, PERCENTILE, SHOWN_FUNCTIONS, SYNONYMS, UNITS, default_name
from eldonia_ops.search.pipes.pipeline import COUNT_COLUMN
from eldonia_ops.search.pipes.reader import PipeReader
from eldonia_ops.search.time_steps import TimeUnit
from eldonia_ops.search.tree import NOWHERE, Node, Span

_FUNCTION: Final = re.compile(r"[A-Za-z_]\w*+(?:\.[0-9]++)?")
_NS: Final = 1_000_000
_LONGEST_WIDTH_MS: Final = 3_660 * 86_400_000


class MetricReader(PipeReader):
    """Reads ``5m count(), p95(duration) as p by service``."""

    def _width(self) -> int | TimeUnit | None:
        scanner = self._scanner
        found = self._next_word()
        if found is None or self._text[found.end() : found.end() + 1] == "(":
            return None
        word = found[0].lower()
        if word in UNITS:
            scanner.at = found.end()
            return UNITS[word]
        if not word[0].isdigit():
            return None
        try:
            ms = parse_duration(found[0]) if word.isascii() else 0
        except ValueError:
            ms = 0
        if not 1 <= ms <= _LONGEST_WIDTH_MS:
            raise SearchError("duration_bounds", *found.span(), text=found[0])
        scanner.at = found.end()
        return ms * _NS

    def _by_is_next(self) -> bool:
        at = self._scanner.at
        found = self._word_is("by")
        self._scanner.at = at
        return found

    def _by(self) -> list[tuple[FieldName, Span]]:
        found: list[tuple[FieldName, Span]] = []
        if self._word_is("by"):
            while not found or self._mark(","):
                name, span = self._name()
                self._columns.check(name, span)
                found.append((name, span))
        return found

    def _metrics(self) -> tuple[tuple[tuple[str, Metric], ...], list[tuple[str, Span]]]:
        """Metrics by their names, and where those were written; a count when there is none."""
        self._scanner.skip_space()
        if self._scanner.at_end() or self._scanner.next_is("|") or self._by_is_next():
            return ((COUNT_COLUMN, Metric(MetricFunction.COUNT)),), [(COUNT_COLUMN, NOWHERE)]
        metrics: list[tuple[str, Metric]] = []
        spans: list[tuple[str, Span]] = []
        while not metrics or self._mark(","):
            self._scanner.skip_space()
            start = self._scanner.at
            metric = self._metric()
            name = self._name()[0].name if self._word_is("as") else default_name(metric)
            metrics.append((name, metric))
            spans.append((name, (start, self._scanner.at)))
        return tuple(metrics), spans

    def _metric(self) -> Metric:
        scanner = self._scanner
        start = scanner.at
        found = scanner.take(_FUNCTION.match)
        if found is None:
            raise self._unfit("stage_rest", expected=f"a function, such as count() or p95(duration) ({_functions()})")
        function, argument = self._function(found)
        name = None
        if self._mark("("):
            if not self._mark(")") and not self._mark("*)"):
                name = self._known_name()
                if not self._mark(")"):
                    raise SearchError("function_open", scanner.at, text=")", word=found[0])
        elif function is not MetricFunction.COUNT:
            raise SearchError("function_open", scanner.at, text="(", word=found[0])
        if name is None and function is not MetricFunction.COUNT:
            raise SearchError("function_field", start, scanner.at, word=found[0])
        return Metric(function, name, argument, self._only())

    def _function(self, found: re.Match[str]) -> tuple[MetricFunction, float]:
        word = found[0].lower()
        if percent := PERCENTILE.fullmatch(word):
            if float(percent[1]) > 100:
                raise SearchError("percentile_bounds", *found.span())
            return MetricFunction.PERCENTILE, float(percent[1])
        if word == "median":
            return MetricFunction.PERCENTILE, 50.0
        function = FUNCTIONS.get(SYNONYMS.get(word, word))
        if function is None:
            options = (*SHOWN_FUNCTIONS, *SYNONYMS)
            near = (difflib.get_close_matches(word[:32], options, 1, 0.3) or ["count"])[0]
            raise SearchError("function_unknown", *found.span(), word=found[0], near=near, functions=_functions())
        return function, 0.0

    def _only(self) -> Node | None:
        at = self._scanner.at
        if not self._word_is("if"):
            return None
        self._scanner.skip_space()
        if not self._scanner.next_is("("):
            raise SearchError("function_open", at, self._scanner.at, text="(", word="if")
        search = self.group(None)
        self._columns.check_search(search)
        return search


def _functions() -> str:
    return ", ".join(SHOWN_FUNCTIONS)

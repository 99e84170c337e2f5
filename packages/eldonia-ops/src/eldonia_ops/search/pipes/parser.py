"""The text of a search with pipes becomes a pipeline.

::

    pipeline  = search { "|" stage }
    stage     = "stats" metrics [ by ] | "timechart" [ width ] [ metrics ] [ by ] | ( "top" | "rare" ) [ count ] names
              | "where" search | "sort" [ "by" ] key { "," key } | ( "head" | "limit" ) [ count ] | "dedup" names
              | "extract" ( quoted | "/" pattern "/" ) [ "from" name ] | "fields" names
              | "rename" name "as" name { "," … } | "eval" name "=" sum
    metrics   = metric { "," metric }
    metric    = function [ "(" [ name ] ")" ] [ "if" "(" search ")" ] [ "as" name ]
    by        = "by" names
    key       = [ "-" | "+" ] name [ "asc" | "desc" ]
    sum       = product { ( "+" | "-" ) product };  product = factor { ( "*" | "/" ) factor }
    factor    = number | name | "-" factor | function "(" sum ")" | "(" sum ")"

Names are checked against the columns that there are at their place (:mod:`eldonia_ops.search.pipes.columns`).
"""

import difflib
from collections.abc import Callable, Mapping

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.parser import MAX_SEARCH
from eldonia_ops.search.pipes.functions import (
    COMMANDS,
)
from eldonia_ops.search.pipes.metrics import MetricReader
from eldonia_ops.search.pipes.pipeline import (
    COUNT_COLUMN,
    DEFAULT_HEAD,
    MAX_HEAD,
    MAX_STAGES,
    MESSAGE,
    PERCENT_COLUMN,
    TIME_COLUMN,
    Dedup,
    Eval,
    Extract,
    Fields,
    Head,
    Pipeline,
    Rename,
    Sort,
    Stage,
    Stats,
    Timechart,
    Top,
    Where,
)
from eldonia_ops.search.pipes.sums import SumReader
from eldonia_ops.search.templates import TemplateError, pattern_holes, template_holes
from eldonia_ops.search.tree import NOWHERE, Span


def parse_pipeline(text: str) -> Pipeline:
    """The pipeline of a text: a search with or without pipes.

    Raises:
        SearchError: it cannot be read; it says where and why.
    """
    if len(text) > MAX_SEARCH:
        raise SearchError("too_long", MAX_SEARCH, len(text), limit=MAX_SEARCH)
    return _PipelineParser(text.encode("utf-8", "replace").decode()).pipeline()


class _PipelineParser(MetricReader, SumReader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._readers: Mapping[str, Callable[[], Stage]] = {
            "stats": self._stats,
            "timechart": self._timechart,
            "top": self._top,
            "rare": lambda: self._top(rare=True),
            "where": self._where,
            "sort": self._sort,
            "head": self._head,
            "limit": self._head,
            "dedup": self._dedup,
            "extract": self._extract,
            "fields": self._fields,
            "rename": self._rename,
            "eval": self._eval,
        }

    def pipeline(self) -> Pipeline:
        search = self.search()
        stages: list[Stage] = []
        while self._mark("|"):
            if len(stages) == MAX_STAGES:
                raise SearchError("too_many_stages", self._scanner.at - 1, limit=MAX_STAGES)
            stages.append(self._stage(self._scanner.at - 1))
        return Pipeline(search, tuple(stages))

    def _stage(self, pipe: int) -> Stage:
        scanner = self._scanner
        found = self._next_word()
        self._begin = scanner.at
        commands = ", ".join(COMMANDS)
        if found is None:
            raise SearchError("stage_missing", pipe, pipe + 1, commands=commands)
        reader = self._readers.get(found[0].lower())
        if reader is None:
            near = (difflib.get_close_matches(found[0].lower()[:32], self._readers, 1, 0.3) or ["where"])[0]
            raise SearchError("stage_unknown", *found.span(), word=found[0], near=near, commands=commands)
        scanner.at = found.end()
        stage = reader()
        scanner.skip_space()
        if not scanner.at_end() and not scanner.next_is("|"):
            raise self._unfit("stage_rest", expected=self._expected(stage))
        return stage

    def _expected(self, stage: Stage) -> str:
        match stage:
            case Stats() | Timechart():
                return '"," and another function, "as" and a name, "by" and fields, or "|"'
            case Sort() | Fields() | Dedup() | Top() | Rename():
                return '"," between names, or "|"'
            case Extract():
                return '"from" and a field, or "|"'
            case _:
                return '"|" and another command'

    def _where(self) -> Where:
        start = self._scanner.at
        self._scanner.skip_space()
        if self._scanner.at_end() or self._scanner.next_is("|"):
            raise SearchError("term_missing", start, word="where")
        search = self.search()
        self._columns.check_search(search)
        return Where(search, self._span())

    def _head(self) -> Head:
        count = self._count(DEFAULT_HEAD, MAX_HEAD)
        self._scanner.skip_space()
        if not self._scanner.at_end() and not self._scanner.next_is("|"):
            raise self._unfit("count_expected", limit=str(MAX_HEAD))
        return Head(count, self._span())

    def _dedup(self) -> Dedup:
        return Dedup(self._known_names(), self._span())

    def _fields(self) -> Fields:
        found: list[tuple[FieldName, Span]] = []
        while not found or self._mark(","):
            name, span = self._name()
            self._columns.check(name, span)
            found.append((name, span))
        self._columns.only([(name.name, span) for name, span in found])
        return Fields(tuple(name for name, _ in found), self._span())

    def _sort(self) -> Sort:
        self._word_is("by")
        keys: list[tuple[FieldName, bool]] = []
        while not keys or self._mark(","):
            descending = self._mark("-")
            if not descending:
                self._mark("+")
            name = self._known_name()
            if self._word_is("desc"):
                descending = True
            else:
                self._word_is("asc")
            keys.append((name, descending))
        return Sort(tuple(keys), self._span())

    def _rename(self) -> Rename:
        names: list[tuple[FieldName, str]] = []
        while not names or self._mark(","):
            old, span = self._name()
            if not self._word_is("as"):
                self._scanner.skip_space()
                raise self._unfit("stage_rest", expected=f'"as" and a name: rename {old.name} as other')
            new, new_span = self._name()
            self._columns.check(old, span)
            self._columns.rename(old, new.name, new_span)
            names.append((old, new.name))
        return Rename(tuple(names), self._span())

    def _top(self, *, rare: bool = False) -> Top:
        count = self._count(DEFAULT_HEAD, MAX_HEAD)
        start = self._scanner.at
        names = self._known_names()
        span = (start, self._scanner.at)
        made = [*(name.name for name in names), COUNT_COLUMN, PERCENT_COLUMN]
        self._columns.only([(name, span) for name in made], rows=True)
        return Top(count, names, rare, self._span())

    def _stats(self) -> Stats:
        metrics, spans = self._metrics()
        by = self._by()
        self._columns.only([*((name.name, span) for name, span in by), *spans], rows=True)
        return Stats(metrics, tuple(name for name, _ in by), self._span())

    def _timechart(self) -> Timechart:
        if self._columns.rows:
            raise SearchError("timechart_rows", self._begin, self._scanner.at)
        width = self._width()
        metrics, spans = self._metrics()
        by = self._by()
        made = [(TIME_COLUMN, NOWHERE), *((name.name, span) for name, span in by), *spans]
        self._columns.only(made, rows=True)
        return Timechart(width, metrics, tuple(name for name, _ in by), self._span())

    def _extract(self) -> Extract:
        scanner = self._scanner
        scanner.skip_space()
        start = scanner.at
        is_pattern = scanner.next_is("/")
        if is_pattern:
            text = self._slashed()
        elif scanner.peek() and scanner.peek() in "\"'":
            text = scanner.quoted().text
        else:
            raise self._unfit("template_expected")
        written = (start, scanner.at)
        try:
            holes = pattern_holes(text) if is_pattern else template_holes(text)
        except TemplateError as error:
            raise SearchError(
                error.code, *written, detail=error.detail, name=error.detail, reason=error.detail
            ) from None
        source, span = MESSAGE, written
        if self._word_is("from"):
            source, span = self._name()
        self._columns.check(source, span)
        for name, _ in holes.names:
            self._columns.add(name, written)
        return Extract(text, is_pattern, holes.pattern, holes.names, source, self._span())

    def _eval(self) -> Eval:
        name, span = self._name()
        if not self._mark("="):
            self._scanner.skip_space()
            raise self._unfit("stage_rest", expected='"=" and arithmetic: eval seconds = duration / 1000')
        expression = self._sum()
        self._columns.add(name.name, span)
        return Eval(name.name, expression, self._span())

"""SQL for a search: which rows of the table of logs its tree wants.

Words and texts are parameters of the statement. What a tree means is said by :mod:`eldonia_ops.search.evaluate`; tests
compare the two.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from eldonia_ops.search.evaluate import wildcard_condition
from eldonia_ops.search.message_text import TextTest, text_test, words_in
from eldonia_ops.search.tree import (
    All,
    And,
    AtLeast,
    AtPlaces,
    LevelTest,
    Node,
    Not,
    OneOf,
    Or,
    StoredUntil,
    Text,
    TextRange,
    TimeRange,
    Wildcard,
    conjunction,
)
from eldonia_ops.storage.clickhouse.attributes.cells import Cell, computed_condition_sql
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, condition_sql, one_of_sql, text_range_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.rows import bounded_ns
from eldonia_ops.storage.clickhouse.schema import ASCII_TEXT, NON_ASCII_TEXT

MAX_PLAIN_TEXT: Final = 1_000
"""Characters of a text without syntax; what is behind them is left out."""

MAX_PLAIN_WORDS: Final = 50
_MOST_TOKENS: Final = 60


class SearchSql:
    """Writes the conditions of one statement; ``parameters`` are filled as it goes, by names with ``prefix``.

    ``computed`` are values that pipes made. Without ``indexed`` the rows do not come from the table at once, so that
    its indexes cannot be asked.
    """

    def __init__(
        self,
        parameters: dict[str, Parameter],
        prefix: str = "",
        *,
        computed: Mapping[str, Cell] = MappingProxyType({}),
        indexed: bool = True,
    ) -> None:
        self._parameters = parameters
        self._prefix = prefix
        self._computed = computed
        self._indexed = indexed
        self._leaves = 0

    def written(self, node: Node) -> str:
        """SQL that is 1 for the rows that a tree wants, else 0."""
        match node:
            case All():
                return "1"
            case And():
                return f"({' AND '.join(self.conjuncts(node))})"
            case Or():
                return f"({' OR '.join(map(self.written, node.parts))})"
            case Not():
                return f"NOT {self.written(node.part)}"
            case Text():
                return f"({' AND '.join(self._texts([text_test(node.pieces)]))})"
            case AtLeast():
                return f"(({' + '.join(f'({self.written(part)})' for part in node.parts)}) >= {int(node.count)})"
            case OneOf():
                return one_of_sql(node, LOG_COLUMNS, self._parameters, self._next("s"))
            case TextRange():
                return text_range_sql(node, LOG_COLUMNS, self._parameters, self._next("s"))
            case TimeRange():
                return self._time(node)
            case StoredUntil():
                return f"(id <= {{{self._parameter('i', node.last_id)}:UInt64}})"
            case AtPlaces():
                return self._places(node)
            case LevelTest():
                name = self._parameter("l", [level.value for level in node.levels])
                return f"level IN {{{name}:Array(String)}}"
            case _:
                condition = wildcard_condition(node) if isinstance(node, Wildcard) else node.condition
                if cell := self._computed.get(condition.name.name):
                    return computed_condition_sql(condition, cell, self._parameters, self._next("s"))
                return condition_sql(condition, LOG_COLUMNS, self._parameters, self._next("s"))

    def conjuncts(self, node: Node) -> list[str]:
        """SQL of the parts that must all hold. All words together are one question to the index."""
        parts = node.parts if isinstance(node, And) else (node,)
        texts = [text_test(part.pieces) for part in parts if isinstance(part, Text)]
        return [*self._texts(texts), *[self.written(part) for part in parts if not isinstance(part, Text | All)]]

    def _time(self, node: TimeRange) -> str:
        parts = [
            f"timestamp {op} fromUnixTimestamp64Nano({{{self._parameter('t', bounded_ns(bound))}:Int64}})"
            for op, bound in ((">=", node.since_ns), ("<", node.until_ns))
            if bound is not None
        ]
        return f"({' AND '.join(parts) or '1'})"

    def _places(self, node: AtPlaces) -> str:
        parts: list[str] = []
        if node.offsets:
            source = self._parameter("p", clean(node.source))
            offsets = self._parameter("p", list(node.offsets))
            parts.append(f"(source = {{{source}:String}} AND offset IN {{{offsets}:Array(Int64)}})")
        if node.records:
            times = self._parameter("p", [bounded_ns(ns) for ns, _ in node.records])
            ids = self._parameter("p", [id for _, id in node.records])
            # The times alone are what the sorting key can be searched by.
            parts.append(
                f"(timestamp IN (SELECT fromUnixTimestamp64Nano(arrayJoin({{{times}:Array(Int64)}}))) "
                f"AND id IN {{{ids}:Array(UInt64)}})"
            )
        return f"({' OR '.join(parts) or '0'})"

    def _texts(self, tests: list[TextTest]) -> list[str]:
        found: list[str] = []
        # Those that only narrow down may be left out.
        needed = [word for test in tests if test.certain for word in test.words]
        others = [word for test in tests if not test.certain for word in test.words]
        if words := _first(needed, others):
            found.append(f"hasAllTokens({ASCII_TEXT}, {{{self._parameter('w', words)}:Array(String)}})")
        if self._indexed and (pairs := _first([], [pair for test in tests for pair in test.pairs])):
            found.append(f"hasAllTokens({NON_ASCII_TEXT}, {{{self._parameter('g', pairs)}:Array(String)}})")
        for test in tests:
            if test.part:
                found.append(f"position(message, {{{self._parameter('t', clean(test.part))}:String}}) > 0")
            if test.pattern:
                found.append(f"match(message, {{{self._parameter('t', clean(test.pattern))}:String}})")
        return found

    def _parameter(self, kind: str, value: Parameter) -> str:
        name = self._next(kind)
        self._parameters[name] = value
        return name

    def _next(self, kind: str) -> str:
        self._leaves += 1
        return f"{self._prefix}{kind}{self._leaves}"


def plain_text(text: str) -> Node:
    """The tree of a text without syntax: all its words. Only its beginning is looked at."""
    return conjunction(Text(pieces) for pieces in words_in(clean(text[:MAX_PLAIN_TEXT]))[:MAX_PLAIN_WORDS])


def _first(needed: Iterable[str], others: Iterable[str]) -> list[str]:
    needed = list(dict.fromkeys(needed))
    return [*needed, *[one for one in dict.fromkeys(others) if one not in needed][: max(0, _MOST_TOKENS - len(needed))]]

"""``query_string``: Lucene's query syntax, as its classic parser reads it.

Source: Lucene's ``queryparser/classic`` (the grammar, and how AND and OR bind in ``addClause``).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.clauses import (
    ALL,
    NONE,
    Clause,
    Reading,
    boosted,
    combined,
    fixed,
    minimum_of,
)
from eldonia_ops.protocols.elasticsearch.query.date_math import zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time, text_fields
from eldonia_ops.protocols.elasticsearch.query.lucene_scanner import LuceneScanner, is_wild, unescaped
from eldonia_ops.protocols.elasticsearch.query.shapes import boost_of, flag, known_keys, listed, object_of, text_value
from eldonia_ops.protocols.elasticsearch.query.term_queries import (
    exists_node,
    prefix_node,
    regexp_node,
    time_range,
    value_range,
    wildcard_node,
)
from eldonia_ops.protocols.elasticsearch.query.text_queries import best, phrase_node, words_clause
from eldonia_ops.search.tree import EVERYTHING

_KNOWN: Final = frozenset({
    *("query", "default_field", "fields", "default_operator", "analyzer", "quote_analyzer", "allow_leading_wildcard"),
    *("analyze_wildcard", "lenient", "minimum_should_match", "time_zone", "type", "tie_breaker", "escape", "fuzziness"),
    *("auto_generate_synonyms_phrase_query", "enable_position_increments", "phrase_slop", "max_determinized_states"),
    *("fuzzy_max_expansions", "fuzzy_prefix_length", "fuzzy_transpositions", "rewrite", "quote_field_suffix"),
})  # fmt: skip
_LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Options:
    """What is the same for all terms of a query."""

    fields: tuple[tuple[str, float], ...]
    all_required: bool = False
    slop: int = 0
    minimum: Any = None


def query_string(given: Any, reading: Reading) -> Clause:
    """``{"query_string": {"query": "level:error AND timeout*", "default_field": "message"}}``."""
    options = object_of(given, "query_string")
    known_keys(options, "query_string", _KNOWN)
    if options.get("query") is None:
        raise illegal("query text missing")
    text = text_value(options["query"], "query")
    if options.get("time_zone"):
        reading.zone = zone_of(str(options["time_zone"]))
    asked = (
        [str(one) for one in listed(options["fields"])]
        if "fields" in options
        else [str(options.get("default_field") or "*")]
    )
    operator = str(options.get("default_operator", "or")).lower()
    if operator not in ("or", "and"):
        raise illegal(f"No enum constant org.elasticsearch.index.query.Operator.{operator.upper()}")
    if flag(options.get("escape", False), "escape"):
        text = re.sub(r"([\\+\-!():^\[\]\"{}~*?|&/])", r"\\\1", text)
    fields = tuple(text_fields(asked))
    found = read_lucene(text, reading, Options(fields, operator == "and", minimum=options.get("minimum_should_match")))
    return boosted(found, boost_of(options))


def read_lucene(text: str, reading: Reading, options: Options) -> Clause:
    """What a text in Lucene's syntax finds.

    Raises:
        DslError: it cannot be read; the cause says at which place.
    """
    if len(text) > _LONGEST:
        raise illegal(f"a query of more than {_LONGEST} characters")
    if not text.strip():
        return NONE
    if text.strip() == "*":
        return ALL
    return _Parser(text, reading, options).whole()


class _Parser:
    def __init__(self, text: str, reading: Reading, options: Options) -> None:
        self._scanner = LuceneScanner(text)
        self._reading = reading
        self._options = options
        self._depth = 0

    def whole(self) -> Clause:
        found = self._clauses(None, self._options.minimum)
        if not self._scanner.over:
            raise self._scanner.fault()
        return found

    def _clauses(self, field: str | None, minimum: Any = None) -> Clause:
        """Clauses up to a closing parenthesis. What AND, OR, +, - and NOT mean is as Lucene has it: AND makes its
        neighbours required, and a clause between two ORs is optional."""
        scanner = self._scanner
        clauses: list[tuple[str, Clause]] = []
        conjunction = ""
        while True:
            scanner.space()
            if scanner.over or scanner.is_here(")"):
                if conjunction or not clauses:
                    raise scanner.fault()
                break
            if clauses and (word := scanner.conjunction()):
                conjunction = word
                scanner.space()
            modifier = scanner.modifier()
            clause = self._clause(field)
            both = conjunction == "AND"
            if clauses and both and clauses[-1][0] == "should":
                clauses[-1] = ("must", clauses[-1][1])
            if clauses and self._options.all_required and conjunction == "OR" and clauses[-1][0] == "must":
                clauses[-1] = ("should", clauses[-1][1])
            if modifier == "-":
                kind = "must_not"
            elif modifier == "+" or both or (self._options.all_required and conjunction != "OR"):
                kind = "must"
            else:
                kind = "should"
            clauses.append((kind, clause))
            conjunction = ""
        return self._joined(clauses, minimum)

    def _joined(self, clauses: list[tuple[str, Clause]], minimum: Any) -> Clause:
        if len(clauses) == 1 and clauses[0][0] != "must_not":
            return clauses[0][1]
        must, should, must_not = (
            [one for kind, one in clauses if kind == name] for name in ("must", "should", "must_not")
        )
        needed = 0 if must or not should else 1
        if minimum is not None:
            needed = minimum_of(minimum, len(should))
        return combined(must, (), should, must_not, needed)

    def _clause(self, field: str | None) -> Clause:
        scanner = self._scanner
        if scanner.over:
            raise scanner.fault()
        if scanner.take("*:*"):
            return self._suffixed(ALL)
        if (name := scanner.field()) is not None:
            field = name
            scanner.space()
        if scanner.over:
            raise scanner.fault()
        if scanner.is_here("("):
            self._depth += 1
            if self._depth > 30:
                raise scanner.fault()
            scanner.take("(")
            inner = self._clauses(field)
            if not scanner.take(")"):
                raise scanner.fault()
            self._depth -= 1
            return self._suffixed(inner)
        self._reading.count(1)
        return self._term(field)

    def _term(self, field: str | None) -> Clause:
        scanner = self._scanner
        if sign := scanner.comparison():
            start = scanner.at
            value = scanner.bound()
            if field is None:
                raise scanner.fault(start)
            low, high = (value, None) if ">" in sign else (None, value)
            return self._suffixed(self._range(field, low, high, "=" in sign, "=" in sign))
        if scanner.is_here("[") or scanner.is_here("{"):
            return self._suffixed(self._bracketed(field))
        if scanner.is_here('"'):
            phrase = unescaped(scanner.enclosed('"'))
            given = scanner.slop()
            slop = self._options.slop if given is None else given
            return self._suffixed(self._each(field, lambda name: self._phrase(name, phrase, slop)))
        if scanner.is_here("/"):
            pattern = scanner.enclosed("/").replace("\\/", "/")
            return self._suffixed(self._each(field, lambda name: fixed(regexp_node(name, pattern))))
        word = scanner.word()
        return self._suffixed(self._word(field, word), fuzzy=word)

    def _word(self, field: str | None, word: str) -> Clause:
        if field == "_exists_":
            return fixed(exists_node(unescaped(word)))
        if word == "*":
            return fixed(EVERYTHING) if field is None else fixed(exists_node(field))
        if is_wild(word):
            if word.endswith("*") and not is_wild(word[:-1]):
                plain = unescaped(word[:-1])
                return self._each(field, lambda name: fixed(prefix_node(name, plain)))
            return self._each(field, lambda name: fixed(wildcard_node(name, word)))
        plain = unescaped(word)
        operator = {"operator": "and"} if self._options.all_required else {}
        return self._each(field, lambda name: words_clause(name, plain, operator, self._reading))

    def _phrase(self, name: str, phrase: str, slop: int) -> Clause:
        if name == "_exists_":
            return fixed(exists_node(phrase))
        return fixed(phrase_node(name, phrase, self._reading, slop=slop))

    def _each(self, field: str | None, make: Any) -> Clause:
        fields = self._options.fields if field is None else tuple(text_fields([field]))
        clauses = [boosted(make(name), boost) for name, boost in fields]
        return best(clauses) if clauses else NONE

    def _bracketed(self, field: str | None) -> Clause:
        scanner = self._scanner
        low_in = scanner.is_here("[")
        scanner.at += 1
        bounds: list[str] = []
        for place in range(2):
            scanner.space()
            bounds.append(scanner.bound())
            scanner.space()
            if place == 0:
                if not scanner.is_here("TO") or not scanner.ends_word(scanner.at + 2):
                    raise scanner.fault()
                scanner.take("TO")
        high_in = scanner.take("]")
        if not high_in and not scanner.take("}"):
            raise scanner.fault()
        low, high = (None if one == "*" else one for one in bounds)
        if field is None:
            field = self._options.fields[0][0] if self._options.fields else "message"
        return self._range(field, low, high, low_in, high_in)

    def _range(self, field: str, low: str | None, high: str | None, low_in: bool, high_in: bool) -> Clause:
        reading = self._reading
        if is_time(field):
            return fixed(time_range(low, high, low_in, high_in, reading.now_ns, reading.zone, ""))
        return fixed(value_range(field_name(field), low, high, low_in, high_in, reading))

    def _suffixed(self, clause: Clause, fuzzy: str = "") -> Clause:
        while True:
            if (boost := self._scanner.boost()) is not None:
                clause = boosted(clause, boost)
                continue
            if self._scanner.is_here("~"):
                if fuzzy:
                    raise illegal(
                        f"[query_string] with a fuzzy word [{fuzzy}~] is not supported: words are found as they are "
                        "written"
                    )
                raise self._scanner.fault()
            return clause

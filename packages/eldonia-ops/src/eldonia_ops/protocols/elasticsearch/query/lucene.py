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
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time, text_fields
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
_SPACE: Final = re.compile(r"[\s\u3000]*+")
_FIELD: Final = re.compile(r"((?:[^\s\u3000+\-!():^\[\]\"{}~*?\\/&|<>=]|\\.)(?:[^\s\u3000!():^\[\]\"{}~?\\/]|\\.)*+):")
_WORD: Final = re.compile(r"(?:[^\s\u3000!():^\[\]\"{}~\\/]|\\.)(?:[^\s\u3000():^\[\]\"{}~\\]|\\.)*+")
_SUFFIX: Final = re.compile(r"\^([0-9]++(?:\.[0-9]++)?+)|~([0-9]*+(?:\.[0-9]++)?+)")
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BOUND: Final = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|((?:[^\s\]}\\]|\\.)++)")
_COMPARE: Final = re.compile(r"(>=|<=|>|<)[\s\u3000]*+")


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
        self._text = text
        self._at = 0
        self._reading = reading
        self._options = options
        self._depth = 0

    def whole(self) -> Clause:
        found = self._clauses(None, self._options.minimum)
        if self._at < len(self._text):
            raise self._fault()
        return found

    def _clauses(self, field: str | None, minimum: Any = None) -> Clause:
        """Clauses up to a closing parenthesis. What AND, OR, +, - and NOT mean is as Lucene has it: AND makes its
        neighbours required, and a clause between two ORs is optional."""
        clauses: list[tuple[str, Clause]] = []
        conjunction = ""
        while True:
            self._space()
            if self._at >= len(self._text) or self._text[self._at] == ")":
                if conjunction or not clauses:
                    raise self._fault()
                break
            if clauses and (word := self._conjunction()):
                conjunction = word
                self._space()
            modifier = self._modifier()
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

    def _conjunction(self) -> str:
        for word, meaning in (("AND", "AND"), ("&&", "AND"), ("OR", "OR"), ("||", "OR")):
            end = self._at + len(word)
            if self._text.startswith(word, self._at) and (not word.isalpha() or self._ends_word(end)):
                self._at = end
                return meaning
        return ""

    def _modifier(self) -> str:
        text = self._text
        if text[self._at : self._at + 1] in ("+", "-", "!"):
            one = text[self._at]
            self._at += 1
            self._space()
            return "+" if one == "+" else "-"
        if text.startswith("NOT", self._at) and self._ends_word(self._at + 3):
            self._at += 3
            self._space()
            return "-"
        return ""

    def _clause(self, field: str | None) -> Clause:
        text = self._text
        if self._at >= len(text):
            raise self._fault()
        if text.startswith("*:*", self._at):
            self._at += 3
            return self._suffixed(ALL)
        if found := _FIELD.match(text, self._at):
            field = _unescaped(found[1])
            self._at = found.end()
            self._space()
        if self._at >= len(text):
            raise self._fault()
        if text[self._at] == "(":
            self._depth += 1
            if self._depth > 30:
                raise self._fault()
            self._at += 1
            inner = self._clauses(field)
            if not text.startswith(")", self._at):
                raise self._fault()
            self._at += 1
            self._depth -= 1
            return self._suffixed(inner)
        self._reading.count(1)
        return self._term(field)

    def _term(self, field: str | None) -> Clause:
        text = self._text
        if found := _COMPARE.match(text, self._at):
            self._at = found.end()
            bound = _BOUND.match(text, self._at)
            if not bound or field is None:
                raise self._fault()
            self._at = bound.end()
            value = _unescaped(bound[1] if bound[1] is not None else bound[2])
            low, high = (value, None) if ">" in found[1] else (None, value)
            return self._suffixed(self._range(field, low, high, "=" in found[1], "=" in found[1]))
        one = text[self._at]
        if one in "[{":
            return self._suffixed(self._bracketed(field))
        if one == '"':
            end = self._at + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise self._fault(self._at)
            phrase = _unescaped(text[self._at + 1 : end])
            self._at = end + 1
            slop = self._options.slop
            if (found := _SUFFIX.match(text, self._at)) and found[2] is not None:
                slop = int(float(found[2] or 0))
                self._at = found.end()
            return self._suffixed(self._each(field, lambda name: self._phrase(name, phrase, slop)))
        if one == "/":
            end = self._at + 1
            while end < len(text) and text[end] != "/":
                end += 2 if text[end] == "\\" else 1
            if end >= len(text):
                raise self._fault(self._at)
            pattern = text[self._at + 1 : end].replace("\\/", "/")
            self._at = end + 1
            return self._suffixed(self._each(field, lambda name: fixed(regexp_node(name, pattern))))
        found = _WORD.match(text, self._at)
        if not found:
            raise self._fault()
        self._at = found.end()
        return self._suffixed(self._word(field, found[0]), fuzzy=found[0])

    def _word(self, field: str | None, word: str) -> Clause:
        if field == "_exists_":
            return fixed(exists_node(_unescaped(word)))
        if word == "*":
            return fixed(EVERYTHING) if field is None else fixed(exists_node(field))
        if _is_wild(word):
            if word.endswith("*") and not _is_wild(word[:-1]):
                plain = _unescaped(word[:-1])
                return self._each(field, lambda name: fixed(prefix_node(name, plain)))
            return self._each(field, lambda name: fixed(wildcard_node(name, word)))
        plain = _unescaped(word)
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
        text, start = self._text, self._at
        low_in = text[start] == "["
        self._at += 1
        bounds: list[str] = []
        for place in range(2):
            self._space()
            found = _BOUND.match(text, self._at)
            if not found:
                raise self._fault()
            self._at = found.end()
            bounds.append(_unescaped(found[1] if found[1] is not None else found[2]))
            self._space()
            if place == 0:
                if not text.startswith("TO", self._at) or not self._ends_word(self._at + 2):
                    raise self._fault()
                self._at += 2
        if self._at >= len(text) or text[self._at] not in "]}":
            raise self._fault()
        high_in = text[self._at] == "]"
        self._at += 1
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
        while found := _SUFFIX.match(self._text, self._at):
            if found[2] is not None:
                if fuzzy:
                    raise illegal(
                        f"[query_string] with a fuzzy word [{fuzzy}~] is not supported: words are found as they are "
                        "written"
                    )
                raise self._fault()
            self._at = found.end()
            clause = boosted(clause, float(found[1]))
        return clause

    def _space(self) -> None:
        self._at = _SPACE.match(self._text, self._at).end()  # pyright: ignore[reportOptionalMemberAccess]

    def _ends_word(self, end: int) -> bool:
        return end >= len(self._text) or self._text[end].isspace() or self._text[end] in '("'

    def _fault(self, at: int | None = None) -> DslError:
        at = self._at if at is None else at
        seen = f'"{self._text[at : at + 20]}"' if at < len(self._text) else '"<EOF>"'
        before = self._text[:at]
        line, column = before.count("\n") + 1, at - (before.rfind("\n") + 1)
        reason = f"Cannot parse '{self._text}': Encountered {seen} at line {line}, column {column}."
        cause = {"type": "parse_exception", "reason": reason}
        return DslError(
            "query_shard_exception",
            f"Failed to parse query [{self._text}]",
            details={"caused_by": cause},
            of_phase=True,
        )


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda one: chr(int(one[1], 16)) if one[1] else one[2], text)


def _is_wild(word: str) -> bool:
    """Whether a word has an asterisk or a question mark that is not escaped."""
    plain = _ESCAPE.sub("", word)
    return "*" in plain or "?" in plain

"""``simple_query_string``: a search box's syntax. It never fails: what makes no sense is left out.

``+`` and, ``|`` or, ``-`` not, ``"phrase"``, ``word*``, ``( )``, ``"phrase"~N``. Source: Elasticsearch's reference,
"Simple query string query".
"""

import re
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
from eldonia_ops.protocols.elasticsearch.query.errors import illegal
from eldonia_ops.protocols.elasticsearch.query.fields import text_fields
from eldonia_ops.protocols.elasticsearch.query.shapes import boost_of, known_keys, listed, object_of, text_value
from eldonia_ops.protocols.elasticsearch.query.term_queries import prefix_node
from eldonia_ops.protocols.elasticsearch.query.text_queries import best, phrase_node, words_clause

_KNOWN: Final = frozenset({
    *("query", "fields", "default_operator", "flags", "analyzer", "lenient", "minimum_should_match"),
    *("analyze_wildcard",),
    *("quote_field_suffix", "auto_generate_synonyms_phrase_query", "fuzzy_prefix_length", "fuzzy_max_expansions"),
    "fuzzy_transpositions",
})  # fmt: skip
_TOKEN: Final = re.compile(r'(?:([()|+\-])|"((?:[^"\\]|\\.)*+)("(?:~([0-9]{1,4}))?+)?+|((?:[^\s()|+"\\]|\\.)++))')
_DEPTH: Final = 20


def simple_query_string(given: Any, reading: Reading) -> Clause:
    """``{"simple_query_string": {"query": "\\"reset by peer\\" +timeout -cache", "fields": ["message"]}}``."""
    options = object_of(given, "simple_query_string")
    known_keys(options, "simple_query_string", _KNOWN)
    if options.get("query") is None:
        raise illegal("[simple_query_string] query text missing")
    fields = text_fields([str(one) for one in listed(options.get("fields") or ["*"])])
    required = str(options.get("default_operator", "or")).lower() == "and"
    text = text_value(options["query"], "query")[:10_000]
    if text.strip() == "*":
        return boosted(ALL, boost_of(options))
    found = _Simple(text, fields, reading, required).whole(options.get("minimum_should_match"))
    return boosted(found, boost_of(options))


class _Simple:
    def __init__(self, text: str, fields: list[tuple[str, float]], reading: Reading, required: bool) -> None:
        self._tokens = list(_TOKEN.finditer(text))
        self._place = 0
        self._fields = fields
        self._reading = reading
        self._required = required

    def whole(self, minimum: Any) -> Clause:
        found: list[Clause] = []
        while self._place < len(self._tokens):
            clause = self._group(0, minimum)
            if clause is not None:
                found.append(clause)
            self._place += 1  # a parenthesis that nothing opened
        if not found:
            return NONE
        return found[0] if len(found) == 1 else combined(found)

    def _group(self, depth: int, minimum: Any = None) -> Clause | None:
        """Clauses up to a closing parenthesis, joined from left to right: where the operator changes, what was joined
        so far becomes one clause."""
        joined: list[Clause] = []
        kind = operator = ""
        negative = False
        while self._place < len(self._tokens):
            token = self._tokens[self._place]
            sign = token[1]
            if sign == ")":
                break
            self._place += 1
            if sign in ("+", "|"):
                operator = operator or sign
                continue
            if sign == "-":
                negative = not negative
                continue
            if sign == "(":
                clause = self._group(depth + 1) if depth < _DEPTH else None
                self._place += 1
            else:
                clause = self._leaf(token)
            if clause is not None:
                if negative:
                    clause = combined((), (), (), [clause])
                own = (operator or ("+" if self._required else "|")) if joined else ""
                if kind and own != kind:
                    joined = [_joined(joined, kind)]
                kind = own
                joined.append(clause)
            operator, negative = "", False
        if not joined:
            return None
        if minimum is not None and kind == "|":
            return combined(should=joined, minimum=max(1, minimum_of(minimum, len(joined))))
        return _joined(joined, kind)

    def _leaf(self, token: re.Match[str]) -> Clause | None:
        self._reading.count(1)
        if token[3]:
            phrase, slop = re.sub(r"\\(.)", r"\1", token[2]), int(token[4] or 0)
            return self._each(lambda name: fixed(phrase_node(name, phrase, self._reading, slop=slop)))
        word = token[5] if token[5] is not None else token[2]  # of a quote that nothing closes, the words
        plain = re.sub(r"\\(.)", r"\1", word)
        if re.search(r"~[0-9]*$", word) and not word.startswith("~"):
            raise illegal(f"[simple_query_string] with a fuzzy word [{word}] is not supported")
        if word.endswith("*") and not word.endswith("\\*") and len(word) > 1:
            return self._each(lambda name: fixed(prefix_node(name, plain[:-1])))
        operator = {"operator": "and"} if self._required else {}
        found = self._each(lambda name: words_clause(name, plain, operator, self._reading))
        return None if found.node == NONE.node else found

    def _each(self, make: Any) -> Clause:
        clauses = [boosted(make(name), boost) for name, boost in self._fields]
        return best(clauses) if clauses else NONE


def _joined(clauses: list[Clause], kind: str) -> Clause:
    if len(clauses) == 1:
        return clauses[0]
    return combined(clauses) if kind == "+" else combined(should=clauses, minimum=1)

"""Queries for words: match, match_phrase, match_phrase_prefix, match_bool_prefix, multi_match.

A word is a run of letters and digits of any script, in any case; a run of Chinese or Japanese is looked for as a
phrase, since there are no spaces between its words.
"""

from collections.abc import Callable
from typing import Any

from eldonia_ops.model.conditions import Condition, ConditionOp
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
from eldonia_ops.protocols.elasticsearch.query.errors import illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time, text_fields
from eldonia_ops.protocols.elasticsearch.query.patterns import phrase_pattern, words
from eldonia_ops.protocols.elasticsearch.query.shapes import (
    boost_of,
    flag,
    known_keys,
    listed,
    number,
    object_of,
    one_field,
    text_value,
    whole,
)
from eldonia_ops.protocols.elasticsearch.query.term_queries import value_node, word_node
from eldonia_ops.search.score import Greatest
from eldonia_ops.search.tree import Comparison, Node, OneOf, Text, conjunction, disjunction

_MATCH = frozenset({
    *("query", "operator", "minimum_should_match", "analyzer", "lenient", "zero_terms_query", "prefix_length"),
    *("max_expansions", "fuzzy_transpositions", "fuzzy_rewrite", "auto_generate_synonyms_phrase_query", "fuzziness"),
    *("cutoff_frequency", "slop"),
})  # fmt: skip


def match(given: Any, reading: Reading) -> Clause:
    """``{"match": {"message": "connection reset"}}``: any of the words, or all with ``"operator": "and"``."""
    name, text, options = _asked(given, "match")
    return boosted(words_clause(name, text, options, reading), boost_of(options))


def words_clause(name: str, text: str, options: dict[str, Any], reading: Reading, *, prefix: bool = False) -> Clause:
    """Records with words of a text in a field; with ``prefix`` the last word need only begin so."""
    if is_time(name) or name in ("_index", "_id"):
        return fixed(value_node(name, text, reading))
    some = words(text)
    if not some:
        whole_value = OneOf(field_name(name), (text,)) if text.strip() and name != "message" else None
        if whole_value is not None:
            return fixed(whole_value)
        return ALL if options.get("zero_terms_query") == "all" else NONE
    reading.count(len(some))
    last = len(some) - 1
    clauses = [fixed(word_node(name, word, prefix=prefix and place == last)) for place, word in enumerate(some)]
    # A value with punctuation (`node-01`, `/api/v1`) is also found as it is.
    several = name != "message" and len(some) > 1 and not prefix
    exact = OneOf(field_name(name), (text,)) if several else None
    operator = str(options.get("operator", "or")).lower()
    if operator not in ("or", "and"):
        raise illegal(f"No enum constant org.elasticsearch.index.query.Operator.{operator.upper()}")
    if operator == "and":
        found = combined(clauses)
    else:
        stated = "minimum_should_match" in options and len(clauses) > 1
        minimum = minimum_of(options["minimum_should_match"], len(clauses)) if stated else 1
        found = combined(should=clauses, minimum=max(1, minimum))
    return found if exact is None else Clause(disjunction([exact, found.node]), found.score)


def match_phrase(given: Any, reading: Reading) -> Clause:
    """``{"match_phrase": {"message": "connection reset by peer"}}``: the words one after another."""
    name, text, options = _asked(given, "match_phrase")
    slop = whole(options.get("slop", 0), "slop")
    return fixed(phrase_node(name, text, reading, slop=slop), boost_of(options))


def match_phrase_prefix(given: Any, reading: Reading) -> Clause:
    """The same, where the last word need only begin so."""
    name, text, options = _asked(given, "match_phrase_prefix")
    slop = whole(options.get("slop", 0), "slop")
    return fixed(phrase_node(name, text, reading, slop=slop, prefix=True), boost_of(options))


def match_bool_prefix(given: Any, reading: Reading) -> Clause:
    """The words in any order, where the last one need only begin so."""
    name, text, options = _asked(given, "match_bool_prefix")
    return boosted(words_clause(name, text, options, reading, prefix=True), boost_of(options))


def phrase_node(name: str, text: str, reading: Reading, *, slop: int = 0, prefix: bool = False) -> Node:
    """Records with a phrase in a field."""
    if is_time(name) or name in ("_index", "_id"):
        return value_node(name, text, reading)
    some = words(text)
    if not some:
        return OneOf(field_name(name), (text,)) if text.strip() and name != "message" else NONE.node
    if len(some) == 1:
        return word_node(name, some[0], prefix=prefix)
    reading.count(len(some))
    inside = Comparison(
        Condition(field_name(name), ConditionOp.MATCHES, phrase_pattern(some, slop=slop, prefix=prefix))
    )
    if name != "message":
        return inside if prefix else disjunction([OneOf(field_name(name), (text,)), inside])
    # The words alone are answered by the index; the pattern says how they are placed.
    narrow = [Text((word,)) for word in (some[:-1] if prefix else some) if word.isascii()]
    return conjunction([*narrow, inside])


def multi_match(given: Any, reading: Reading) -> Clause:
    """``{"multi_match": {"query": "timeout", "fields": ["message^2", "error.message"], "type": "best_fields"}}``."""
    options = object_of(given, "multi_match")
    known_keys(options, "multi_match", _MATCH | {"fields", "type", "tie_breaker"})
    _refuse(options, "multi_match")
    text = text_value(options.get("query"), "query")
    fields = text_fields([str(one) for one in listed(options.get("fields", ["*"]))])
    kind = str(options.get("type", "best_fields"))
    makers: dict[str, Callable[[str], Clause]] = {
        "best_fields": lambda name: words_clause(name, text, options, reading),
        "most_fields": lambda name: words_clause(name, text, options, reading),
        "cross_fields": lambda name: words_clause(name, text, options, reading),
        "phrase": lambda name: fixed(phrase_node(name, text, reading, slop=whole(options.get("slop", 0), "slop"))),
        "phrase_prefix": lambda name: fixed(phrase_node(name, text, reading, prefix=True)),
        "bool_prefix": lambda name: words_clause(name, text, options, reading, prefix=True),
    }
    if kind not in makers:
        raise parsing(f"failed to parse [multi_match] query type [{kind}]. unknown type.", "type")
    if not fields:
        return NONE
    if kind == "cross_fields" and len(fields) > 1:
        return boosted(_across([name for name, _ in fields], text, options, reading), boost_of(options))
    clauses = [boosted(makers[kind](name), boost) for name, boost in fields]
    if kind in ("most_fields", "bool_prefix"):
        found = combined(should=clauses, minimum=1)
    else:
        found = best(clauses, number(options.get("tie_breaker", 0.0), "tie_breaker"))
    return boosted(found, boost_of(options))


def best(clauses: list[Clause], share: float = 0.0) -> Clause:
    """Any of several clauses, with the score of the best one and a share of the others."""
    if len(clauses) == 1:
        return clauses[0]
    scores = tuple(combined(should=[one], minimum=0).score for one in clauses)
    return Clause(disjunction([one.node for one in clauses]), Greatest(scores, share))


def _across(names: list[str], text: str, options: dict[str, Any], reading: Reading) -> Clause:
    """Words of which each may be in another of the fields."""
    some = words(text)
    if not some:
        return NONE
    reading.count(len(some) * len(names))
    clauses = [fixed(disjunction([word_node(name, word) for name in names])) for word in some]
    if str(options.get("operator", "or")).lower() == "and":
        return combined(clauses)
    minimum = minimum_of(options["minimum_should_match"], len(clauses)) if "minimum_should_match" in options else 1
    return combined(should=clauses, minimum=max(1, minimum))


def _asked(given: Any, place: str) -> tuple[str, str, dict[str, Any]]:
    name, value = one_field(given, place)
    options: dict[str, Any] = {}
    if isinstance(value, dict):
        options = value
        known_keys(options, place, _MATCH)
        _refuse(options, place)
        if options.get("query") is None:
            raise illegal(f"[{place}] requires query value")
        value = options["query"]
    elif isinstance(value, list):
        raise parsing(f"[{place}] unknown token [START_ARRAY] after [{name}]", name)
    return name, text_value(value, name), options


def _refuse(options: dict[str, Any], place: str) -> None:
    if str(options.get("fuzziness", "0")) not in ("0", "0.0"):
        raise illegal(f"[{place}] with [fuzziness] is not supported: words are found as they are written")
    for name in ("lenient", "auto_generate_synonyms_phrase_query"):
        if name in options:
            flag(options[name], name)

"""Queries for exact values: term, terms, range, exists, prefix, wildcard, regexp, ids."""

from typing import Any

from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.protocols.elasticsearch.query.clauses import NONE, Clause, Reading, fixed
from eldonia_ops.protocols.elasticsearch.query.date_math import Moment, iso, moment, zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import (
    ID,
    INDEX,
    field_name,
    ids_node,
    index_node,
    is_time,
    pattern_node,
)
from eldonia_ops.protocols.elasticsearch.query.patterns import (
    LONGEST,
    lucene_pattern,
    prefix_pattern,
    whole_pattern,
    wildcard_pattern,
    word_pattern,
    words,
)
from eldonia_ops.protocols.elasticsearch.query.shapes import (
    boost_of,
    flag,
    known_keys,
    listed,
    object_of,
    one_field,
    text_value,
)
from eldonia_ops.search.tree import (
    EVERYTHING,
    Comparison,
    Node,
    OneOf,
    Text,
    TextRange,
    TimeRange,
    conjunction,
    disjunction,
)

MAX_TERMS = 65_536
"""Values of one ``terms`` query, as Elasticsearch's ``index.max_terms_count``."""

_CONSTANT = frozenset({"rewrite"})


def term(given: Any, reading: Reading) -> Clause:
    """``{"term": {"level": "error"}}``, ``{"term": {"level": {"value": "error", "case_insensitive": true}}}``."""
    name, value = one_field(given, "term")
    options: dict[str, Any] = {}
    if isinstance(value, dict):
        options = value
        known_keys(options, "term", frozenset({"value", "case_insensitive"}))
        if "value" not in options:
            raise illegal("value cannot be null")
        value = options["value"]
    if isinstance(value, list):
        raise parsing("[term] query does not support array of values", name)
    insensitive = flag(options.get("case_insensitive", False), "case_insensitive")
    boost = boost_of(options or given)
    return fixed(value_node(name, text_value(value, name), reading, insensitive=insensitive), boost)


def terms(given: Any, reading: Reading) -> Clause:
    """``{"terms": {"level": ["error", "warn"]}}``."""
    name, values = one_field(given, "terms")
    if isinstance(values, dict):
        raise illegal("[terms] with a lookup in another document is not supported: send the values themselves")
    if not isinstance(values, list):
        raise parsing("[terms] query does not support [" + name + "]", name)
    if len(values) > MAX_TERMS:
        raise illegal(
            f"The number of terms [{len(values)}] used in the Terms Query request has exceeded the allowed maximum of "
            f"[{MAX_TERMS}]. This maximum can be set by changing the [index.max_terms_count] index level setting."
        )
    if not values:
        return NONE
    texts = [text_value(one, name) for one in values]
    boost = boost_of(given)
    if is_time(name):
        reading.count(len(texts))
        return fixed(disjunction([value_node(name, text, reading) for text in texts]), boost)
    return fixed(values_node(name, tuple(texts)), boost)


def value_node(name: str, text: str, reading: Reading, *, insensitive: bool = False) -> Node:
    """Records whose field is a value."""
    if is_time(name):
        at = moment(text, reading.now_ns, reading.zone)
        return TimeRange(at.low, at.high + 1)
    if not insensitive:
        return values_node(name, (text,))
    if name == "_index":
        return pattern_node(text.lower())
    return Comparison(Condition(field_name(name), ConditionOp.MATCHES, whole_pattern(text)))


def values_node(name: str, texts: tuple[str, ...]) -> Node:
    """Records whose field is one of several values; of the message one of its words."""
    if name == "_index":
        return index_node(texts)
    if name == "_id":
        return ids_node(texts)
    if name == "message":
        # The message is a text: a term is one of its words, unless it is the whole of it.
        found: list[Node] = [OneOf(field_name(name), texts)]
        found += [Text((text,)) for text in texts if len(words(text)) == 1]
        return disjunction(found)
    return OneOf(field_name(name), texts)


def range_query(given: Any, reading: Reading) -> Clause:
    """``{"range": {"@timestamp": {"gte": "now-1h", "lt": "now", "time_zone": "+09:00", "format": "…"}}}``."""
    name, bounds = one_field(given, "range")
    object_of(bounds, "range")
    known = frozenset({"gt", "gte", "lt", "lte", "from", "to", "include_lower", "include_upper", "format", "time_zone"})
    for key in bounds:
        if key not in known and key not in ("boost", "relation", "_name"):
            raise parsing(f"[range] query does not support [{key}]", key)
    boost = boost_of(bounds)
    low, high = bounds.get("gte", bounds.get("gt")), bounds.get("lte", bounds.get("lt"))
    low_in, high_in = bounds.get("gt") is None, bounds.get("lt") is None
    if "from" in bounds:
        low, low_in = bounds["from"], bool(bounds.get("include_lower", True))
    if "to" in bounds:
        high, high_in = bounds["to"], bool(bounds.get("include_upper", True))
    zone = zone_of(str(bounds["time_zone"])) if bounds.get("time_zone") else reading.zone
    format = str(bounds.get("format") or "")
    if is_time(name):
        return fixed(time_range(low, high, low_in, high_in, reading.now_ns, zone, format), boost)
    return fixed(value_range(field_name(name), low, high, low_in, high_in, reading), boost)


def time_range(low: Any, high: Any, low_in: bool, high_in: bool, now_ns: int, zone: Any, format: str) -> Node:
    """Records between two times. Of a time that was rounded, ``gt`` and ``lte`` mean the end of it."""
    since: int | None = None
    until: int | None = None
    if low is not None:
        at: Moment = moment(low, now_ns, zone, format)
        since = at.low if low_in else at.high + 1
    if high is not None:
        at = moment(high, now_ns, zone, format)
        until = at.high + 1 if high_in else at.low
    return TimeRange(since, until)


def value_range(name: FieldName, low: Any, high: Any, low_in: bool, high_in: bool, reading: Reading) -> Node:
    """Records whose field lies between two values: numbers by size, other texts by their characters."""
    parts: list[Node] = []
    texts: dict[str, Any] = {}
    for key, bound, op in (
        ("low", low, ConditionOp.GREATER_OR_EQUAL if low_in else ConditionOp.GREATER),
        ("high", high, ConditionOp.LESS_OR_EQUAL if high_in else ConditionOp.LESS),
    ):
        if bound is None:
            continue
        text = text_value(bound, name.name)
        try:
            parts.append(Comparison(Condition(name, op, text)))
        except ValueError:
            if "now" in text[:3] or "||" in text:
                text = iso(moment(text, reading.now_ns, reading.zone).low)
            texts[key] = text
    if texts:
        parts.append(TextRange(name, texts.get("low"), texts.get("high"), low_in, high_in))
    return conjunction(parts) if parts else Comparison(Condition(name, ConditionOp.EXISTS))


def exists(given: Any, _reading: Reading) -> Clause:
    """``{"exists": {"field": "user.id"}}``."""
    options = object_of(given, "exists")
    known_keys(options, "exists", frozenset({"field"}))
    name = options.get("field")
    if not isinstance(name, str) or not name:
        raise illegal("[exists] must be provided with a [field]")
    return fixed(exists_node(name), boost_of(options))


def exists_node(name: str) -> Node:
    """Records that have a field."""
    if is_time(name) or name in ("_index", "_id", "_source", "*"):
        return EVERYTHING
    return Comparison(Condition(field_name(name), ConditionOp.EXISTS))


def prefix(given: Any, reading: Reading) -> Clause:
    """``{"prefix": {"host": "node-"}}``."""
    name, value, options = _pattern_of(given, "prefix", ("value", "prefix"))
    insensitive = flag(options.get("case_insensitive", False), "case_insensitive")
    return fixed(prefix_node(name, value, insensitive=insensitive), boost_of(options))


def prefix_node(name: str, text: str, *, insensitive: bool = False) -> Node:
    """Records whose field begins with a text; of the message, one of its words."""
    if name == "_index":
        return pattern_node(f"{text}*")
    if name == "message" and len(words(text)) == 1 and text.isalnum():
        return Text((text, ""))
    return Comparison(
        Condition(field_name(name), ConditionOp.MATCHES, prefix_pattern(text, case_insensitive=insensitive))
    )


def wildcard(given: Any, reading: Reading) -> Clause:
    """``{"wildcard": {"path": "/api/*"}}``."""
    name, value, options = _pattern_of(given, "wildcard", ("value", "wildcard"))
    insensitive = flag(options.get("case_insensitive", False), "case_insensitive")
    return fixed(wildcard_node(name, value, insensitive=insensitive), boost_of(options))


def wildcard_node(name: str, text: str, *, insensitive: bool = False) -> Node:
    """Records whose field is like a pattern of ``*`` and ``?``; of the message, one of its words."""
    _bounded(text, name)
    if text.strip("*") == "" and text:
        return exists_node(name)
    if name == "_index":
        return pattern_node(text)
    if name == "message":
        inner = text.replace("?", "*")
        if "?" not in text and inner.replace("*", "").isalnum():
            return Text(tuple(text.split("*")))
        inner = wildcard_pattern(text, case_insensitive=True).removeprefix("(?i)^").removesuffix("$")
        inner = inner.replace(".*", "[\\pL\\pN]*")
        pattern = f"(?i)(?:^|[^\\pL\\pN]){inner}(?:$|[^\\pL\\pN])"
        return Comparison(Condition(field_name(name), ConditionOp.MATCHES, pattern))
    return Comparison(
        Condition(field_name(name), ConditionOp.MATCHES, wildcard_pattern(text, case_insensitive=insensitive))
    )


def regexp(given: Any, reading: Reading) -> Clause:
    """``{"regexp": {"path": "/api/v[12]/.*"}}``: Lucene's syntax, over the whole value."""
    name, value, options = _pattern_of(given, "regexp", ("value",))
    insensitive = flag(options.get("case_insensitive", False), "case_insensitive")
    return fixed(regexp_node(name, value, insensitive=insensitive), boost_of(options))


def regexp_node(name: str, text: str, *, insensitive: bool = False) -> Node:
    """Records whose field is like an expression; of the message, one of its words."""
    _bounded(text, name)
    pattern = lucene_pattern(text, case_insensitive=insensitive or name == "message")
    if name == "message":
        inner = pattern.removeprefix("(?i)").removeprefix("^").removesuffix("$").replace(".*", "[\\pL\\pN]*")
        pattern = f"(?i)(?:^|[^\\pL\\pN]){inner}(?:$|[^\\pL\\pN])"
    try:
        return Comparison(Condition(INDEX if name == "_index" else field_name(name), ConditionOp.MATCHES, pattern))
    except ValueError as error:
        raise DslError("illegal_argument_exception", f"[{name}]: {error}", of_phase=True) from None


def ids(given: Any, _reading: Reading) -> Clause:
    """``{"ids": {"values": ["1", "2"]}}``."""
    options = object_of(given, "ids")
    known_keys(options, "ids", frozenset({"values", "type"}))
    values = tuple(text_value(one, ID.name) for one in listed(options.get("values", [])))
    return fixed(ids_node(values), boost_of(options)) if values else NONE


def word_node(name: str, word: str, *, prefix: bool = False) -> Node:
    """Records whose field contains a word, or is it."""
    if name == "message":
        return Text((word, "")) if prefix else Text((word,))
    field = field_name(name)
    inside = Comparison(Condition(field, ConditionOp.MATCHES, word_pattern(word, prefix=prefix)))
    return inside if prefix else disjunction([OneOf(field, (word,)), inside])


def _pattern_of(given: Any, place: str, keys: tuple[str, ...]) -> tuple[str, str, dict[str, Any]]:
    name, value = one_field(given, place)
    options: dict[str, Any] = value if isinstance(value, dict) else {}
    if options:
        extra = {*keys, "case_insensitive", "rewrite", "flags", "flags_value", "max_determinized_states"}
        known_keys(options, place, frozenset(extra))
        value = next((options[key] for key in keys if key in options), None)
    return name, text_value(value, name), options


def _bounded(text: str, name: str) -> None:
    if len(text) > LONGEST:
        reason = (
            f"The length of regex [{len(text)}] used in the Regexp Query request has exceeded the allowed maximum of "
            f"[{LONGEST}]. This maximum can be set by changing the [index.max_regex_length] index level setting."
        )
        raise DslError("illegal_argument_exception", reason, of_phase=True, name=name)

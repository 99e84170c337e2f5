"""Processors with expressions, and those that read texts: ``gsub``, ``split``, ``grok``, ``json``, ``kv``."""

import re
from typing import Any, Final

import msgspec
import re2

from eldonia_ops.model.foreign import decode_json, nesting
from eldonia_ops.pipeline.parsers.grok import expand
from eldonia_ops.pipeline.parsers.grok_patterns import PATTERNS
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.protocols.elasticsearch.document_check import MAX_DEPTH
from eldonia_ops.protocols.elasticsearch.ingest.changes import Run, over
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options
from eldonia_ops.protocols.elasticsearch.templates import merged

_MOST_TEXT: Final = 1 << 20
_MOST_PATTERNS: Final = 100
_JAVA_GROUP: Final = re.compile(r"\\(.)|\$([0-9])|\$\{([A-Za-z][A-Za-z0-9]{0,63})\}", re.ASCII | re.DOTALL)
_DECODE: Final = msgspec.json.Decoder().decode
_SHORT: Final = {"int": int, "long": int, "float": float, "double": float}


def expression(options: Options, name: str) -> Any:
    """A compiled expression of an option.

    Raises:
        ElasticsearchError: RE2 does not take it.
    """
    written = options.text(name)
    settings = re2.Options()
    settings.log_errors = False
    settings.max_mem = 8 << 20
    try:
        if len(written) > 4_096:
            raise options.bad("the pattern is longer than 4096 characters", name)
        return re2.compile(written, settings)
    except re2.error as error:
        raise options.bad(f"Invalid regex pattern found in: [{written[:100]}]: {error}", name) from None


def gsub(options: Options) -> Run:
    """``gsub``: replaces what an expression finds."""
    pattern, replacement = expression(options, "pattern"), _replacement(options.text("replacement"))

    def replaced(value: Any) -> str:
        found = pattern.sub(replacement, _text(value))
        if len(found) > _MOST_TEXT:
            raise ProcessorError("the text is too long after gsub")
        return found

    return over(options, replaced)


def split(options: Options) -> Run:
    """``split``: a text into a list, at what an expression finds."""
    pattern = expression(options, "separator")
    keep = options.flag("preserve_trailing")

    def parts(value: Any) -> list[str]:
        found = pattern.split(_text(value))
        while found and not keep and not found[-1]:
            found.pop()
        return found

    return over(options, parts, lists=False)


def _replacement(text: str) -> Any:
    """Java's ``$1`` and ``${name}`` as a function of the match."""

    def made(match: Any) -> str:
        def one(found: re.Match[str]) -> str:
            if found[1] is not None:
                return found[1]
            try:
                return match.group(int(found[2]) if found[2] else found[3]) or ""
            except (IndexError, KeyError):
                raise ProcessorError(f"No group [{found[0]}]") from None

        return _JAVA_GROUP.sub(one, text)

    return made


def grok(options: Options) -> Run:
    """``grok``: the first of some patterns that matches gives fields."""
    field = options.text("field")
    definitions = options.value("pattern_definitions") or {}
    if not isinstance(definitions, dict) or not all(isinstance(one, str) for one in definitions.values()):
        raise options.bad("property isn't a map of texts", "pattern_definitions")
    ignore = options.flag("ignore_missing")
    options.value("ecs_compatibility")
    options.value("trace_match")
    written = options.texts("patterns")
    if len(written) > _MOST_PATTERNS:
        raise options.bad(f"there may be {_MOST_PATTERNS} patterns", "patterns")
    patterns = [_grok(options, one, {**PATTERNS, **definitions}) for one in written]

    def run(document: IngestDocument) -> None:
        value = document.get(field) if ignore else document.need(field)
        if value is MISSING or value is None:
            if ignore:
                return
            raise ProcessorError(f"field [{field}] is null, cannot process it.")
        if not isinstance(value, str):
            raise ProcessorError(f"field [{field}] of type [{java_name(value)}] cannot be cast to [java.lang.String]")
        for pattern, names, types in patterns:
            found = pattern.fields(value)
            if found is not None:
                for group, text in found.items():
                    name = names.get(group, group)
                    document.set(name, _typed(text, types.get(name, "")))
                return
        raise ProcessorError(f"Provided Grok expressions do not match field value: [{value[:200]}]")

    return run


def _grok(
    options: Options, written: str, patterns: dict[str, str]
) -> tuple[RubyRegexp, dict[str, str], dict[str, str]]:
    # Elasticsearch writes [a][b] and a.b for a field inside of an object.
    plain = re.sub(r"\[([A-Za-z0-9_@.-]{1,64})\]\[", r"\1.[", written)
    plain = re.sub(r":\[?([A-Za-z0-9_@.\[-]{1,256})\](?=[:}])", lambda m: ":" + m[1].replace("[", ""), plain)
    try:
        text, names, types = expand(plain, patterns)
        return RubyRegexp(f"/{text}/"), names, types
    except ValueError as error:
        raise options.bad(f"Invalid regex pattern found in: [{written[:100]}]. {error}", "patterns") from None


def _typed(text: str, type: str) -> Any:
    kind = {"integer": "int", "float": "float", "bool": "boolean"}.get(type, type)
    try:
        if kind == "boolean":
            return text.lower() == "true"
        return _SHORT[kind](text) if kind in _SHORT and len(text) < 40 else text
    except ValueError:
        return text


def json(options: Options) -> Run:
    """``json``: the value that a text holds."""
    field, target = options.text("field"), options.text("target_field", "")
    into_root = options.flag("add_to_root")
    merges = options.text("add_to_root_conflict_strategy", "replace") == "merge"
    options.flag("allow_duplicate_keys")
    options.flag("strict_json_parsing", True)
    if into_root and target:
        raise options.bad("Cannot set a target field while also setting `add_to_root` to true", "target_field")

    def run(document: IngestDocument) -> None:
        text = document.need(field)
        if not isinstance(text, str):
            raise ProcessorError(f"field [{field}] of type [{java_name(text)}] cannot be cast to [java.lang.String]")
        data = text.encode("utf-8", "replace")
        try:
            if nesting(data) > MAX_DEPTH:
                raise ProcessorError(f"the JSON of field [{field}] is nested deeper than {MAX_DEPTH} levels")
            value = decode_json(_DECODE, data)
        except (ValueError, RecursionError) as error:
            if isinstance(error, ProcessorError):
                raise
            raise ProcessorError(f"field [{field}] is no JSON: {str(error)[:200]}") from None
        if not into_root:
            document.set(target or field, value)
        elif isinstance(value, dict):
            document.source = merged(document.source, value) if merges else {**document.source, **value}
        else:
            raise ProcessorError("cannot add non-map fields to root of document")

    return run


def key_values(options: Options) -> Run:
    """``kv``: ``a=b c=d`` as fields."""
    field, target = options.text("field"), options.text("target_field", "")
    between, inside = expression(options, "field_split"), expression(options, "value_split")
    ignore, prefix = options.flag("ignore_missing"), options.text("prefix", "")
    trim_key, trim_value = options.text("trim_key", ""), options.text("trim_value", "")
    only = options.texts("include_keys") if options.has("include_keys") else []
    not_these = options.texts("exclude_keys") if options.has("exclude_keys") else []
    strip = options.flag("strip_brackets")

    def run(document: IngestDocument) -> None:
        text = document.get(field) if ignore else document.need(field)
        if text is MISSING or (text is None and ignore):
            return
        if not isinstance(text, str):
            raise ProcessorError(f"field [{field}] is null or no text, cannot extract key-value pairs.")
        for part in between.split(text):
            found = inside.split(part, 1)
            if len(found) != 2:
                raise ProcessorError(f"field [{field}] does not contain value_split")
            key, value = found[0].strip(trim_key) if trim_key else found[0], found[1]
            value = value.strip(trim_value) if trim_value else value
            value = value[1:-1] if strip and value[:1] in "(<[\"'" and len(value) > 1 else value
            if (only and key not in only) or key in not_these:
                continue
            path = f"{target}.{prefix}{key}" if target else f"{prefix}{key}"
            old = document.get(path)
            document.set(path, value if old is MISSING else [*(old if isinstance(old, list) else [old]), value])

    return run


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ProcessorError(f"value of type [{java_name(value)}] cannot be cast to [java.lang.String]")
    return value

"""``@type grok``: expressions composed of named patterns, ``%{IP:client} %{NUMBER:size:integer}``."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.grok_patterns import PATTERNS
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.regexp import compiled
from eldonia_ops.pipeline.ruby_regexp import MAX_PATTERN, RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_USE: Final = re.compile(r"%\{([A-Z0-9_a-z]+)(?::([^:}]+))?(?::([^}]+))?\}", re.ASCII)
_DEEPEST: Final = 32
_TYPES: Final = {"int": "integer", "long": "integer", "double": "float", "boolean": "bool"}
_NAME: Final = re.compile(r"[^A-Za-z0-9_]")


def expand(pattern: str, patterns: Mapping[str, str]) -> tuple[str, dict[str, str], dict[str, str]]:
    """``(Ruby expression, group name → field, field → type)`` of a pattern.

    Raises:
        ValueError: a name is not known, a pattern contains itself, or the result is too long.
    """
    fields: dict[str, str] = {}
    types: dict[str, str] = {}

    def put(text: str, depth: int) -> str:
        if depth > _DEEPEST:
            raise ValueError("a pattern contains itself")
        out: list[str] = []
        at = size = 0
        for match in _USE.finditer(text):
            name, field, kind = match.groups()
            inner = patterns.get(name)
            if inner is None:
                raise ValueError(f"there is no grok pattern %{{{name}}}; {nearest(name, patterns)}".rstrip("; "))
            inner = put(inner, depth + 1)
            if field:
                group = f"g{len(fields)}_{_NAME.sub('_', field)}"
                fields[group] = field
                if kind:
                    types[field] = _TYPES.get(kind, kind)
                inner = f"(?<{group}>{inner})"
            else:
                inner = f"(?:{inner})"
            out += [text[at : match.start()], inner]
            size += len(inner)
            if size > MAX_PATTERN:
                raise ValueError(f"the expanded pattern is longer than {MAX_PATTERN} characters")
            at = match.end()
        return "".join(out) + text[at:]

    return put(pattern, 0), fields, types


class _Grok:
    def __init__(self, reader: SectionReader, pattern: str, patterns: Mapping[str, str], name: str) -> None:
        self.name = name
        try:
            expression, self._names, types = expand(pattern, patterns)
        except ValueError as error:
            reader.problem(f"the grok pattern cannot be used: {error}", "pattern")
            expression, self._names, types = r"\A\z[^\s\S]", {}, {}
        self._regexp = compiled(reader, "pattern", expression)
        self._fields = Fields(reader, time_key="time", types=types)

    def parse(self, text: str, now_ns: int) -> Parsed | None:
        found = self._regexp.fields(text)
        if found is None:
            return None
        record: dict[str, Any] = {}
        for group, value in found.items():
            record[self._names.get(group, group)] = value
        return self._fields.finish(record, now_ns)


class GrokParser(Parser):
    """As fluent-plugin-grok-parser has it (https://github.com/fluent/fluent-plugin-grok-parser): ``grok_pattern``, or
    several ``<grok>`` sections of which the first that matches counts. ``patterns`` adds names of your own, as a JSON
    object. ``grok_name_key`` keeps the name of the section that matched, ``grok_failure_key`` a record for lines that
    none does."""

    type: ClassVar[str] = "grok"

    def __init__(self, reader: SectionReader) -> None:
        own = {str(name): str(value) for name, value in reader.mapping("patterns").items()}
        patterns = {**PATTERNS, **own}
        if reader.value("custom_pattern_path") is not None:
            hint = 'write them here: patterns {"NAME": "…"}'
            reader.problem("custom_pattern_path is not read", "custom_pattern_path", hint=hint)
        self._groks: list[_Grok] = []
        if one := reader.string("grok_pattern"):
            self._groks.append(_Grok(reader, one, patterns, ""))
        for section in reader.sections("grok"):
            inner = SectionReader(section, reader.problems)
            pattern = inner.string("pattern", required=True)
            self._groks.append(_Grok(_merged(reader, inner), pattern, patterns, inner.string("name")))
        if not self._groks:
            reader.problem("a grok parser needs grok_pattern or a <grok> section")
        self._name_key = reader.string("grok_name_key")
        self._failure_key = reader.string("grok_failure_key")
        start = reader.string("multiline_start_regexp")
        self._start: RubyRegexp | None = compiled(reader, "multiline_start_regexp", start) if start else None
        self.multi_line = self._start is not None
        Fields(reader, time_key="time")

    def begins(self, line: str) -> bool:
        """Whether a line has the form of a first line."""
        return self._start is None or self._start.matches(line)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the first pattern that matches."""
        for grok in self._groks:
            found = grok.parse(text, now_ns)
            if found is not None:
                if self._name_key and grok.name:
                    found[1][self._name_key] = grok.name
                return [found]
        if self._failure_key:
            return [(None, {"message": text, self._failure_key: "No grok pattern matched"})]
        raise ParseError("no grok pattern matches")


def _merged(outer: SectionReader, inner: SectionReader) -> SectionReader:
    """What a ``<grok>`` section does not say is said by the section around it."""
    parameters = {**outer.section.parameters, **inner.section.parameters}
    section = inner.section
    return SectionReader(type(section)(section.name, section.argument, parameters, (), section.place), outer.problems)

"""``<parse>`` of inputs and filters, and its form before Fluentd 1.0: ``format`` among the plug-in's parameters."""

import re
from typing import Final

from eldonia_ops.pipeline.parsers import Parser, parser_of
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader

_NAMES: Final = (
    "types", "types_delimiter", "types_label_delimiter", "keys", "time_key", "time_format", "time_type", "timezone",
    "localtime", "utc", "estimate_current_event", "keep_time_key", "delimiter", "null_empty_string",
    "null_value_pattern", "json_parser", "label_delimiter", "format_firstline", "message_key", "with_priority",
    "message_format", "rfc5424_time_format",
)  # fmt: skip
_FORMAT: Final = re.compile(r"format[0-9]+", re.ASCII)


def read_parser(reader: SectionReader, *, default: str = "", own: tuple[str, ...] = ()) -> Parser | None:
    """The parser of a plug-in; None where none could be made, which is noted. ``default`` is the type of one that is
    not written at all, ``own`` are parameters that the plug-in has for itself."""
    section = parse_section(reader, default=default, own=own)
    if section is None:
        reader.problem(f"{reader.section.type} needs a <parse> section", hint="<parse> @type json </parse>")
        return None
    inside = SectionReader(section, reader.problems)
    parser = parser_of(inside)
    if parser is not None:
        inside.finish()
    return parser


def parse_section(reader: SectionReader, *, default: str = "", own: tuple[str, ...] = ()) -> Section | None:
    """The ``<parse>`` section, or one made of the old parameters, or None."""
    written = reader.one_section("parse")
    if written is not None:
        reader.ignore("format", *(name for name in reader.section.parameters if name in _NAMES))
        if written.type or not default:
            return written
        kind = {"@type": Parameter("@type", default, written.place)}
        return Section("parse", "", {**kind, **written.parameters}, written.sections, written.place)
    kind = reader.string("format") or default
    if not kind:
        return None
    place = reader.section.parameters["format"].place if "format" in reader.section.parameters else reader.section.place
    parameters = {"@type": Parameter("@type", kind, place)}
    if kind.startswith("/"):
        parameters = {
            "@type": Parameter("@type", "regexp", place),
            "expression": Parameter("expression", kind, place),
        }
    for name in (*_NAMES, *(name for name in reader.section.parameters if _FORMAT.fullmatch(name))):
        if name not in own and name in reader.section.parameters and reader.value(name) is not None:
            parameters[name] = reader.section.parameters[name]
    return Section("parse", "", parameters, (), reader.section.place)

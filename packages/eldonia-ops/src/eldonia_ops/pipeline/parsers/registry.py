"""Which parser a ``@type`` names."""

from collections.abc import Callable
from typing import Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.parsers.none import NoneParser
from eldonia_ops.pipeline.parsers.parser import Parser
from eldonia_ops.pipeline.section import SectionReader

_BY_TYPE: Final[dict[str, Callable[[SectionReader], Parser]]] = {
    "none": NoneParser,
}

PARSER_TYPES: Final = tuple(sorted(_BY_TYPE))
"""The names that ``@type`` of a ``<parse>`` section may have."""


def parser_of(reader: SectionReader) -> Parser | None:
    """The parser that a ``<parse>`` section describes; None when there is none that could be used.

    What is wrong is noted in ``reader.problems`` with its place. Parameters that no parser asked for are named by the
    caller's :meth:`SectionReader.finish`.
    """
    kind = reader.section.type
    made = _BY_TYPE.get(kind)
    if made is None:
        if kind:
            hint = nearest(kind, PARSER_TYPES) or f"there are: {', '.join(PARSER_TYPES)}"
            reader.problem(f"there is no parser of type {kind!r}", _type_name(reader), hint=hint)
        else:
            reader.problem(f"<{reader.section.name}> needs @type", hint=f"one of {', '.join(PARSER_TYPES)}")
        return None
    errors = sum(problem.level == "error" for problem in reader.problems)
    parser = made(reader)
    return parser if errors == sum(problem.level == "error" for problem in reader.problems) else None


def _type_name(reader: SectionReader) -> str:
    return "@type" if "@type" in reader.section.parameters else "type"

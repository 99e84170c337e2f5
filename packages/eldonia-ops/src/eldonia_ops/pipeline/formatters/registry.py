"""Which formatter a ``@type`` names."""

from collections.abc import Callable
from typing import Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.formatters.json import JsonFormatter
from eldonia_ops.pipeline.formatters.msgpack import MsgpackFormatter
from eldonia_ops.pipeline.formatters.texts import CsvFormatter, LtsvFormatter, SingleValueFormatter, TsvFormatter
from eldonia_ops.pipeline.formatters.timed import OutFileFormatter, StdoutFormatter
from eldonia_ops.pipeline.section import SectionReader

_BY_TYPE: Final[dict[str, Callable[[SectionReader], Formatter]]] = {
    "csv": CsvFormatter,
    "json": JsonFormatter,
    "ltsv": LtsvFormatter,
    "msgpack": MsgpackFormatter,
    "out_file": OutFileFormatter,
    "single_value": SingleValueFormatter,
    "stdout": StdoutFormatter,
    "tsv": TsvFormatter,
}

FORMATTER_TYPES: Final = tuple(sorted(_BY_TYPE))
"""The names that ``@type`` of a ``<format>`` section may have."""


def formatter_of(reader: SectionReader) -> Formatter | None:
    """The formatter that a ``<format>`` section describes; None when there is none that could be used.

    What is wrong is noted in ``reader.problems`` with its place.
    """
    kind = reader.section.type
    made = _BY_TYPE.get(kind)
    if made is None:
        hint = nearest(kind, FORMATTER_TYPES) or f"there are: {', '.join(FORMATTER_TYPES)}"
        message = f"there is no formatter of type {kind!r}" if kind else f"<{reader.section.name}> needs @type"
        reader.problem(message, "@type", hint=hint)
        return None
    errors = sum(problem.level == "error" for problem in reader.problems)
    formatter = made(reader)
    return formatter if errors == sum(problem.level == "error" for problem in reader.problems) else None

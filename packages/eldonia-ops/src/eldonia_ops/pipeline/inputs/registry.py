"""Which input a ``@type`` names."""

from collections.abc import Callable
from typing import Final

from eldonia_ops.model.errors import Level, nearest
from eldonia_ops.pipeline.inputs.http import http_input
from eldonia_ops.pipeline.inputs.input import Input
from eldonia_ops.pipeline.inputs.sample import sample_input
from eldonia_ops.pipeline.inputs.servers import forward_input, stream_input, syslog_input
from eldonia_ops.pipeline.inputs.systemd import systemd_input
from eldonia_ops.pipeline.inputs.tail import tail_input
from eldonia_ops.pipeline.other_plugins import LEFT_OUT_INPUTS, OTHER_INPUTS
from eldonia_ops.pipeline.section import Place, SectionReader

_BY_TYPE: Final[dict[str, Callable[[SectionReader, str, str, Place], Input]]] = {
    "tail": tail_input,
    "forward": forward_input,
    "http": http_input,
    "syslog": syslog_input,
    "tcp": stream_input,
    "udp": stream_input,
    "sample": sample_input,
    "dummy": sample_input,
    "systemd": systemd_input,
    "journald": systemd_input,
}

INPUT_TYPES: Final = tuple(sorted(_BY_TYPE))
"""The names that ``@type`` of a ``<source>`` section may have."""


def input_of(reader: SectionReader) -> Input | None:
    """The input that a ``<source>`` section describes; None when there is none that could be used. What is wrong is
    noted in ``reader.problems``, with parameters that have no effect."""
    kind = reader.section.type
    if kind in LEFT_OUT_INPUTS:
        reader.problem(f"{kind} is left out: {LEFT_OUT_INPUTS[kind]}", "@type", level=Level.WARNING)
        return None
    made = _BY_TYPE.get(kind)
    if made is None:
        hint = OTHER_INPUTS.get(kind) or nearest(kind, INPUT_TYPES) or f"there are: {', '.join(INPUT_TYPES)}"
        message = f"there is no input of type {kind!r}" if kind else "<source> needs @type"
        reader.problem(message, "@type", hint=hint)
        return None
    errors = sum(problem.level is Level.ERROR for problem in reader.problems)
    place = reader.section.place
    label = reader.string("@label")
    id = reader.string("@id") or f"{kind}:{place.file.rpartition('/')[2]}:{place.line}"
    found = made(reader, id, "" if label == "@ROOT" else label, place)
    for section in reader.sections("storage"):
        reader.problem(f"<{section.name}> has no effect here", level=Level.WARNING)
    reader.finish()
    return found if errors == sum(problem.level is Level.ERROR for problem in reader.problems) else None

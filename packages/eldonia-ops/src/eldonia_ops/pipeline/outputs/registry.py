"""Which output a ``@type`` names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from eldonia_ops.model.errors import nearest
from eldonia_ops.pipeline.buffer_settings import read_buffer
from eldonia_ops.pipeline.filters.record_metrics import read_record_metrics
from eldonia_ops.pipeline.formatters import formatter_of
from eldonia_ops.pipeline.inject import read_inject
from eldonia_ops.pipeline.other_plugins import OTHER_OUTPUTS
from eldonia_ops.pipeline.outputs.copy import CopyOutput, CopyStore
from eldonia_ops.pipeline.outputs.elasticsearch import elasticsearch_output
from eldonia_ops.pipeline.outputs.file import file_output
from eldonia_ops.pipeline.outputs.forward import forward_output
from eldonia_ops.pipeline.outputs.http import http_output
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.outputs.simple import NullOutput, PrometheusOutput, RelabelOutput, StdoutOutput, StoreOutput
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader


def _store(reader: SectionReader, id: str) -> Output:
    section = reader.one_section("buffer")
    buffer = None if section is None else read_buffer(SectionReader(section, reader.problems))
    return StoreOutput(id=id, place=reader.section.place, buffer=buffer)


def _null(reader: SectionReader, id: str) -> Output:
    reader.ignore("never_flush")
    return NullOutput(id=id, place=reader.section.place)


def _prometheus(reader: SectionReader, id: str) -> Output:
    return PrometheusOutput(id=id, place=reader.section.place, metrics=read_record_metrics(reader))


def _stdout(reader: SectionReader, id: str) -> Output:
    section = reader.one_section("format")
    formatter = (
        None if section is None or section.type == "stdout" else formatter_of(SectionReader(section, reader.problems))
    )
    return StdoutOutput(id=id, place=reader.section.place, formatter=formatter)


def _relabel(reader: SectionReader, id: str) -> Output:
    label = reader.string("@label")
    if not label:
        reader.problem("relabel needs @label")
    return RelabelOutput(id=id, place=reader.section.place, label=label)


def _copy(reader: SectionReader, id: str) -> Output:
    reader.ignore("copy_mode", "deep_copy")
    stores: list[CopyStore] = []
    for section in reader.sections("store"):
        inner = SectionReader(section, reader.problems)
        output = output_of(inner)
        words = section.argument.split()
        if output is not None:
            stores.append(CopyStore(output, "ignore_error" in words, "ignore_if_prev_success" in words))
    if not reader.sections("store"):
        reader.problem("copy needs a <store> section")
    return CopyOutput(id=id, place=reader.section.place, stores=tuple(stores))


_BY_TYPE: Final[dict[str, Callable[[SectionReader, str], Output]]] = {
    "eldonia": _store,
    "null": _null,
    "prometheus": _prometheus,
    "stdout": _stdout,
    "relabel": _relabel,
    "copy": _copy,
    "file": file_output,
    "http": http_output,
    "forward": forward_output,
    "elasticsearch": elasticsearch_output,
    "elasticsearch_data_stream": elasticsearch_output,
    "opensearch": elasticsearch_output,
    "opensearch_data_stream": elasticsearch_output,
}

_WITHOUT_RECORDS: Final = ("copy", "relabel", "null", "prometheus")

OUTPUT_TYPES: Final = tuple(sorted(_BY_TYPE))
"""The names that ``@type`` of a ``<match>`` or ``<store>`` section may have."""


def output_of(reader: SectionReader) -> Output | None:
    """The output that a ``<match>`` or ``<store>`` section describes; None when there is none that could be used.

    What is wrong is noted in ``reader.problems`` with its place, and parameters without effect are named: the caller
    need not call :meth:`SectionReader.finish`.
    """
    kind = reader.section.type
    made = _BY_TYPE.get(kind)
    if made is None:
        hint = OTHER_OUTPUTS.get(kind) or nearest(kind, OUTPUT_TYPES) or f"there are: {', '.join(OUTPUT_TYPES)}"
        message = f"there is no output of type {kind!r}" if kind else f"<{reader.section.name}> needs @type"
        reader.problem(message, "@type", hint=hint)
        return None
    errors = _errors(reader)
    place = reader.section.place
    id = reader.string("@id") or f"{kind}:{place.file.rpartition('/')[2]}:{place.line}"
    output = made(reader, id)
    if kind not in _WITHOUT_RECORDS and (section := reader.one_section("inject")) is not None:
        output = replace(output, inject=read_inject(SectionReader(section, reader.problems)))
    if (section := reader.one_section("secondary")) is not None:
        output = replace(output, secondary=_secondary(reader, output, section))
    reader.finish()
    return output if errors == _errors(reader) else None


def _secondary(reader: SectionReader, output: Output, section: Section) -> Output | None:
    """The ``<secondary>`` section: an output of the same type unless it names another, with the first one's buffer."""
    if output.buffer is None:
        reader.problem("a <secondary> section is of use only to an output with a buffer")
        return None
    kind = section.type or output.type
    hidden = {"@type": Parameter("@type", "file" if kind == "secondary_file" else kind, section.place)}
    if kind == "secondary_file":
        # https://docs.fluentd.org/output/secondary_file: files as they come, appended to or numbered.
        folder, name = section.parameters.get("directory"), section.parameters.get("basename")
        path = f"{'' if folder is None else folder.value}/{'dump.bin' if name is None else name.value}"
        hidden["path"] = Parameter("path", path, section.place)
        hidden["path_suffix"] = Parameter("path_suffix", "", section.place)
    kept = {key: value for key, value in section.parameters.items() if key not in ("directory", "basename", "type")}
    buffer = next(iter(reader.section.named("buffer")), Section("buffer", place=section.place))
    timekey = {"timekey": Parameter("timekey", f"{output.buffer.timekey_ms // 1_000}")}
    keys = ",".join(output.buffer.chunk_keys) or "[]"
    buffer = Section("buffer", keys, {**timekey, **buffer.parameters}, buffer.sections, buffer.place)
    sections = (*section.sections, buffer)
    found = output_of(
        SectionReader(Section("secondary", "", {**kept, **hidden}, sections, section.place), reader.problems)
    )
    return None if found is None else replace(found, buffer=output.buffer)


def _errors(reader: SectionReader) -> int:
    return sum(problem.level == "error" for problem in reader.problems)

"""``@type file``: chunks to files, by time and other chunk keys."""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.pipeline.buffer_settings import BufferSettings, buffer_of
from eldonia_ops.pipeline.chunk_keys import unknown_placeholders
from eldonia_ops.pipeline.formatters import Formatter, formatter_of
from eldonia_ops.pipeline.formatters.timed import OutFileFormatter
from eldonia_ops.pipeline.outputs.output import Output
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader

_FORMATS: Final = ((60, "%Y%m%d%H%M%S"), (3_600, "%Y%m%d%H%M"), (86_400, "%Y%m%d%H"))
INDEX: Final = "_**"
"""Where the number of a file that is not appended to goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutput(Output):
    """https://docs.fluentd.org/output/file. ``template`` is the path with its placeholders, with :data:`INDEX` for the
    number that keeps files apart unless ``append``. ``compress`` is '' or ``gzip``. Modes are those of new files."""

    type: str = "file"
    template: str = ""
    append: bool = False
    compress: str = ""
    symlink: str = ""
    symlink_relative: bool = False
    formatter: Formatter | None = None

    @property
    def summary(self) -> str:
        """What is written where."""
        return f"files {self.template.replace(INDEX, '')}"


def file_output(reader: SectionReader, id: str) -> FileOutput:
    """A ``<match>`` of type file."""
    path = reader.string("path", required=True)
    append = reader.boolean("append", False)
    compress = reader.choice("compress", ("text", "gzip"), "text")
    suffix = reader.string("path_suffix", ".log") if reader.boolean("add_path_suffix", True) else ""
    reader.ignore("recompress", "dir_permission", "file_permission")
    slices = reader.string("time_slice_format")
    buffer = buffer_of(reader, keys=("time",), timekey="1d")
    section = reader.one_section("format")
    if section is None or not section.type:
        inside = {} if section is None else section.parameters
        kind = reader.string("format") or "out_file"
        names = ("time_format", "localtime", "utc", "timezone", "output_time", "output_tag", "time_type")
        old = {name: reader.section.parameters[name] for name in names if reader.value(name) is not None}
        section = Section("format", "", {**old, **inside, "@type": Parameter("@type", kind)}, (), reader.section.place)
    inner = SectionReader(section, reader.problems)
    formatter: Formatter | None = formatter_of(inner)
    if formatter is not None and not isinstance(formatter, OutFileFormatter):
        inner.ignore("time_format", "localtime", "utc", "timezone", "output_time", "output_tag", "time_type")
    inner.finish()
    template = _template(reader, path, buffer, append=append, suffix=suffix, slices=slices)
    template += ".gz" if compress == "gzip" else ""
    for sentence in unknown_placeholders(template, buffer):
        reader.problem(sentence, "path")
    return FileOutput(
        id=id,
        place=reader.section.place,
        buffer=buffer,
        template=template,
        append=append,
        compress="" if compress == "text" else compress,
        symlink=reader.string("symlink_path"),
        symlink_relative=reader.boolean("symlink_path_use_relative", False),
        formatter=formatter,
    )


def _template(
    reader: SectionReader, path: str, buffer: BufferSettings, *, append: bool, suffix: str, slices: str
) -> str:
    index = "" if append else INDEX
    time = slices or _time_format(buffer.timekey_ms // 1_000)
    if "*" in path:
        if not time:
            reader.problem("a * in path needs time as a chunk key", "path")
        return path.replace("*", time + index, 1)
    if time and not slices:
        parts = [time[at : at + 2] for at in range(0, len(time), 2)]
        written = [part for part in parts if part in path]
        if written and len(written) < len(parts):
            missing = " ".join(part for part in parts if part not in path)
            reader.problem(f"path has only a part of the time: {missing} is missing for this timekey", "path")
        if written:
            return path + index + suffix
    return f"{path}.{time}{index}{suffix}" if time else path + index + suffix


def _time_format(timekey: int) -> str:
    if not timekey:
        return ""
    return next((format for most, format in _FORMATS if timekey < most), "%Y%m%d")

"""``out_file`` and ``stdout``: a line with time and tag before the record's JSON."""

from typing import Any, ClassVar

from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.pipeline.formatters.texts import newline_of
from eldonia_ops.pipeline.formatters.time_text import TimeText
from eldonia_ops.pipeline.section import SectionReader

STDOUT_TIME = "%Y-%m-%d %H:%M:%S.%N %z"
_DELIMITERS = {"SPACE": " ", "COMMA": ",", "TAB": "\t"}


class OutFileFormatter(Formatter):
    """https://docs.fluentd.org/formatter/out_file: ``TIME\\tTAG\\tJSON``."""

    type: ClassVar[str] = "out_file"

    def __init__(self, reader: SectionReader) -> None:
        self._time = TimeText(reader) if reader.boolean("output_time", True) else None
        self._tag = reader.boolean("output_tag", True)
        self._delimiter = _DELIMITERS.get(reader.string("delimiter", "TAB").upper(), "\t").encode()
        self._end = newline_of(reader).encode()

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """One line."""
        parts = [] if self._time is None else [self._time.text(time_ns).encode()]
        if self._tag:
            parts.append(tag.encode("utf-8", "replace"))
        parts.append(json_bytes(record))
        return self._delimiter.join(parts) + self._end


class StdoutFormatter(Formatter):
    """https://docs.fluentd.org/formatter/stdout: ``TIME TAG: JSON``."""

    type: ClassVar[str] = "stdout"

    def __init__(self, reader: SectionReader) -> None:
        self._time = TimeText(reader, format=STDOUT_TIME)
        reader.ignore("output_type", "add_newline", "newline")

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """One line."""
        head = f"{self._time.text(time_ns)} {tag}: ".encode("utf-8", "replace")
        return head + json_bytes(record) + b"\n"

"""``@type klog``: what Kubernetes' own programs write, ``I1130 08:00:00.123456    1 file.go:12] text``.

https://github.com/kubernetes/klog, and for ``"text" key="value"``
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-instrumentation/migration-to-structured-logging.md
"""

import re
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.logfmt import pairs_of
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_HEAD: Final = re.compile(
    r"([IWEF])([0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?) {1,20}([0-9]{1,20}) "
    r"([^\s:\]]{1,255}):([0-9]{1,9})\] ?"
)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"(?: |$)')
_LEVELS: Final = {"I": "info", "W": "warning", "E": "error", "F": "fatal"}


class KlogParser(Parser):
    """Fields ``level``, ``pid``, ``file``, ``line``, ``message``, and those of a structured line. The time has no year
    and no zone."""

    type: ClassVar[str] = "klog"

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time", time_format="%m%d %H:%M:%S.%N")

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the line."""
        head = _HEAD.match(text)
        if head is None:
            raise ParseError("the line does not have the form of klog")
        time = head[2] if "." in head[2] else head[2] + ".0"
        record: dict[str, Any] = {
            "time": time,
            "level": _LEVELS[head[1]],
            "pid": int(head[3]),
            "file": head[4],
            "line": int(head[5]),
            "message": text[head.end() :],
        }
        quoted = _QUOTED.match(text, head.end())
        if quoted is not None:
            try:
                pairs = pairs_of(text[quoted.end() :])
            except ParseError:
                pairs = None
            if pairs is not None:
                record = {**pairs, **record, "message": quoted[1].replace('\\"', '"')}
        return [self._fields.finish(record, now_ns)]

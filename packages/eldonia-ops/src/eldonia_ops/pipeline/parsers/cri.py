"""``@type cri``: lines of containers as the runtimes of Kubernetes write them, ``TIME stream F message``.

https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_STREAMS: Final = ("stdout", "stderr")


class CriParser(Parser):
    """Fields ``stream``, ``logtag`` (``F``, or ``P`` for a line that goes on) and ``message``. With a ``<parse>``
    section inside, the message is read by it; the container's fields are kept beside it while ``merge_cri_fields`` is
    true."""

    type: ClassVar[str] = "cri"

    def __init__(self, reader: SectionReader, inner: Callable[[SectionReader], Parser | None]) -> None:
        self._merge = reader.boolean("merge_cri_fields", True)
        self._fields = Fields(reader, time_key="time")
        section = reader.one_section("parse")
        self._inner: Parser | None = None
        if section is not None:
            within = SectionReader(section, reader.problems)
            self._inner = inner(within)
            within.finish()

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record, or those of the parser inside."""
        parts = text.split(" ", 3)
        if len(parts) < 3 or parts[1] not in _STREAMS:
            raise ParseError("the line does not have the form of cri: TIME stdout|stderr F message")
        fields: dict[str, Any] = {"stream": parts[1], "logtag": parts[2]}
        message = parts[3] if len(parts) == 4 else ""
        if self._inner is None:
            return [self._fields.finish({"time": parts[0], **fields, "message": message}, now_ns)]
        time, _ = self._fields.finish({"time": parts[0]}, now_ns)
        before = fields if self._merge else {}
        return [(time if at is None else at, {**before, **record}) for at, record in self._inner.parse(message, now_ns)]

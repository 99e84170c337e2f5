"""``@type syslog``: messages of RFC 3164 and RFC 5424."""

import re
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.time_of import TimeReader, format_reader, zone_in
from eldonia_ops.pipeline.section import SectionReader

TIME_3164: Final = "%b %d %H:%M:%S"
TIME_5424: Final = "%Y-%m-%dT%H:%M:%S.%L%z"
_WHOLE_5424: Final = "%Y-%m-%dT%H:%M:%S%z"
_PRIORITY: Final = re.compile(r"<([0-9]{1,3})>")
_VERSION: Final = re.compile(r"<([0-9]{1,3})>[1-9][0-9]{0,2}(?: |$)")
_TAG: Final = re.compile(r"([^ ]*) ([^ :\[]*)(?:\[([0-9]+)\])?")
_HEADER: Final = re.compile(r"([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) ")
_ELEMENT: Final = re.compile(r"\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*+\")*+\]", re.DOTALL)


class SyslogParser(Parser):
    """https://docs.fluentd.org/parser/syslog: fields ``pri`` (with ``with_priority``), ``host``, ``ident``, ``pid``,
    ``msgid``, ``extradata``, ``message``. Both of its engines are this one."""

    type: ClassVar[str] = "syslog"

    def __init__(self, reader: SectionReader) -> None:
        form = reader.choice("message_format", ("rfc3164", "rfc5424", "auto"), "rfc3164")
        self._priority = reader.boolean("with_priority", False)
        reader.boolean("support_colonless_ident", True)
        written, newer = reader.string("time_format"), reader.string("rfc5424_time_format", TIME_5424)
        self._fields = Fields(reader, time_key="time", time_format=written or TIME_3164)
        if form == "rfc5424":
            newer = written or newer
        self._old = self._timed(reader, written or TIME_3164)
        self._new = self._timed(reader, newer)
        self._whole = self._timed(reader, _WHOLE_5424)
        self._words = (_words(written or TIME_3164), _words(newer))
        self._form = form

    def _timed(self, reader: SectionReader, format: str) -> TimeReader:
        try:
            return format_reader(format, zone_in(reader))
        except ValueError as error:
            reader.problem(str(error), "time_format")
            return format_reader("", None)

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """One record of the message."""
        if self._form == "rfc5424" or (self._form == "auto" and _VERSION.match(text)):
            return [self._rfc5424(text, now_ns)]
        return [self._rfc3164(text, now_ns)]

    def _rfc3164(self, text: str, now_ns: int) -> Parsed:
        record: dict[str, Any] = {}
        at = 0
        if self._priority:
            priority = _PRIORITY.match(text)
            if priority is None:
                raise ParseError("there is no <priority> at the beginning")
            record["pri"], at = int(priority[1]), priority.end()
        stated, at = _leading(text, at, self._words[0])
        time = self._read(self._old, stated, now_ns)
        tag = _TAG.match(text, at)
        if tag is None:
            raise ParseError("there is no host behind the time")
        at = tag.end()
        newline = text.find("\n", at)
        colon = text.find(":", at)
        if colon >= 0:
            at = colon + 1
        while text[at : at + 1] == " ":
            at += 1
        record |= {"host": tag[1], "ident": tag[2]}
        if tag[3] is not None:
            record["pid"] = tag[3]
        record["message"] = text[at:] if newline < 0 else text[at:].rstrip("\r\n")
        return self._done(time, stated, record)

    def _rfc5424(self, text: str, now_ns: int) -> Parsed:
        record: dict[str, Any] = {}
        at = 0
        if self._priority:
            version = _VERSION.match(text)
            if version is None:
                raise ParseError("there is no <priority>version at the beginning")
            record["pri"], at = int(version[1]), version.end()
        stated, at = _leading(text, at, self._words[1])
        try:
            time = self._read(self._new, stated, now_ns)
        except ParseError:
            time = self._read(self._whole, stated, now_ns)
        header = _HEADER.match(text, at)
        if header is None:
            raise ParseError("host, ident, pid and msgid do not follow the time")
        begin = end = header.end()
        if text[end : end + 1] == "-":
            end += 1
        else:
            while (element := _ELEMENT.match(text, end)) is not None:
                end = element.end()
        if end == begin or text[end : end + 1] not in ("", " "):
            raise ParseError("there is no structured data behind the msgid")
        record |= zip(("host", "ident", "pid", "msgid"), header.groups(), strict=True)
        record["extradata"] = text[begin:end]
        if message := text[end + 1 :]:
            record["message"] = message.removesuffix("\n")
        return self._done(time, stated, record)

    def _read(self, reader: TimeReader, stated: str, now_ns: int) -> int | None:
        try:
            return reader(stated, now_ns)
        except ValueError as error:
            raise ParseError(f"the time cannot be read: {error}") from None

    def _done(self, time: int | None, stated: str, record: dict[str, Any]) -> Parsed:
        if self._fields.keep_time_key:
            record["time"] = stated
        return time, self._fields.convert(record)


def _words(format: str) -> int:
    return len(format.split())


def _leading(text: str, at: int, words: int) -> tuple[str, int]:
    """Some words of a text with one blank between them, and where what follows them begins."""
    found: list[str] = []
    for _ in range(words):
        while text[at : at + 1] == " ":
            at += 1
        end = text.find(" ", at)
        if end < 0:
            raise ParseError("the line ends within its header")
        found.append(text[at:end])
        at = end + 1
    return " ".join(found), at

"""What a line of text says without being JSON: the instant at its beginning, its level, syslog's fields."""

import re
from typing import Final

from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogError, LogLevel
from eldonia_ops.model.timestamps import leading_timestamp, parse_timestamp
from eldonia_ops.protocols.line_formats import access_log, apache_error, nginx_error, postgresql
from eldonia_ops.protocols.logs.errors import header_of, is_stack
from eldonia_ops.protocols.logs.plain_line import PlainLine

_SYSLOG: Final = "syslog"
_LEVEL_WITHIN: Final = 160
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,32}m")
_LEVEL = re.compile(
    r"\b(EMERG|FATAL|PANIC|CRIT(?:ICAL)?|SEVERE|ERROR|ERR|WARN(?:ING)?|NOTICE|INFO|DEBUG[1-5]?|TRACE|FINE(?:R|ST)?)\b"
    r"|[\[<(](emerg|alert|fatal|panic|crit(?:ical)?|error|err|warn(?:ing)?|notice|info|debug|trace)[\]>)]"
    r"|\b(?:level|lvl|severity)=\"?([A-Za-z]{1,12})\b"
    r"|^(?:[A-Za-z]{3,9} )?(error|warn(?:ing)?|info|debug|fatal|critical|panic):",
)
_CRI = re.compile(r"(\S{20,40}) (stdout|stderr) ([FP](?::\S{0,40})?) ?(.*)", re.DOTALL)
_SYSLOG_5424 = re.compile(
    r"<(?P<pri>\d{1,3})>1 (?P<time>\S{1,64}) (?P<host>\S{1,255}) (?P<app>\S{1,48}) (?P<proc>\S{1,128}) "
    r"(?P<id>\S{1,32}) (?P<data>-|(?:\[(?:[^\]\\\"]|\\.|\"(?:[^\"\\]|\\.)*+\")*+\])++)(?: (?P<text>.*))?",
    re.DOTALL | re.ASCII,
)
_SYSLOG_TAG = re.compile(
    r" (?P<host>[\w.:-]{1,255}) (?P<app>[\w./-]{1,64})(?:\[(?P<proc>\d{1,10})\])?: (?P<text>.*)", re.DOTALL | re.ASCII
)
_PRIORITY = re.compile(r"<(\d{1,3})>", re.ASCII)
_KLOG = re.compile(r"([IWEF])\d{4} \d{2}:\d{2}:\d{2}\.\d{1,9} ", re.ASCII)


_FORMS: Final = (access_log, nginx_error, apache_error, postgresql)


def read_plain(text: str, now_ns: int) -> PlainLine:
    """Read a line of text. Lines of a stack trace may follow in it; they become its error as well."""
    if "\x1b" in text:
        text = _COLOURS.sub("", text)
    found = None
    if text[:1] == "<":
        found = _syslog(text, now_ns)
    elif text[4:5] == "/" or text[:1] == "[" or '] "' in text or ":  " in text:  # what no form is without
        found = _known(text, now_ns)
    if found is None:
        leading = leading_timestamp(text, now_ns)
        found = PlainLine(text, leading[0] if leading is not None else 0)
        if leading is not None and not text[0].isdigit() and text[0] != "[":
            _tagged(found, text, leading[1])
    if found.level is None:
        found.level = level_in(found.message)
    head, newline, rest = text.partition("\n")
    if newline and is_stack(f"\n{rest}" if rest[:1] in (" ", "\t") else rest + "\n"):
        # Frames that follow the line at once belong to what it says itself.
        stack = rest if rest[:1] not in (" ", "\t") else f"{head}\n{rest}"
        name, message = header_of(rest)
        found.error = LogError(name=name, message=message, stack=stack)
    return found


def _known(text: str, now_ns: int) -> PlainLine | None:
    for form in _FORMS:
        found = form.read(text, now_ns)
        if found is not None:
            return found
    return None


def level_in(text: str) -> LogLevel | None:
    """The level near the beginning of a line, as a word in capitals, in brackets, or behind ``level=``."""
    head = text[:_LEVEL_WITHIN].partition("\n")[0]
    match = _LEVEL.search(head)
    if match is not None:
        return fold_level(match[1] or match[2] or match[3] or match[4])
    klog = _KLOG.match(head)
    return fold_level(klog[1]) if klog is not None else None


def read_cri(text: str) -> tuple[int, str, bool, str] | None:
    """``(Unix ns, stream, whether the line goes on, content)`` of a line of a container's log, as CRI has them.

    https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
    """
    if text[10:11] != "T":
        return None
    match = _CRI.fullmatch(text)
    if match is None:
        return None
    try:
        return parse_timestamp(match[1]), match[2], match[3][0] == "P", match[4]
    except ValueError:
        return None


def _syslog(text: str, now_ns: int) -> PlainLine | None:
    """RFC 5424, or RFC 3164 with its priority."""
    match = _SYSLOG_5424.fullmatch(text)
    if match is not None and int(match["pri"]) < 192:
        content = (match["text"] or "").removeprefix("\ufeff").strip()
        found = PlainLine(content, level=fold_level(int(match["pri"]) & 7), format=_SYSLOG)
        try:
            found.timestamp_ns = parse_timestamp(match["time"]) if match["time"] != "-" else 0
        except ValueError as error:
            found.metadata |= {"timestamp": match["time"], "timestampError": str(error)}
        found.hostname, found.service = _given(match["host"]), _given(match["app"])
        names = {"proc": "procId", "id": "msgId", "data": "structuredData"}
        found.metadata |= {name: match[group] for group, name in names.items() if match[group] != "-"}
        return found
    priority = _PRIORITY.match(text)
    if priority is None or int(priority[1]) >= 192:
        return None
    rest = text[priority.end() :]
    leading = leading_timestamp(rest, now_ns)
    if leading is None:
        return None
    found = PlainLine(rest[leading[1] :].strip(), leading[0], fold_level(int(priority[1]) & 7), format=_SYSLOG)
    _tagged(found, rest, leading[1])
    return found


def _tagged(found: PlainLine, text: str, end: int) -> None:
    """Host and program behind the time of a syslog line."""
    tag = _SYSLOG_TAG.fullmatch(text, end)
    if tag is not None and fold_level(tag["host"]) is None:
        found.message, found.hostname, found.service = tag["text"], tag["host"], tag["app"]
        found.format = _SYSLOG
        if tag["proc"]:
            found.metadata["procId"] = tag["proc"]


def _given(text: str) -> str:
    return "" if text == "-" else text

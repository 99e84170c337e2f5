"""Apache's error log: ``[Mon Nov 30 08:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] text``.

The time has no zone: it is the local one. https://httpd.apache.org/docs/2.4/logs.html#errorlog
"""

import re
from typing import Any, Final

from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.timestamps import leading_timestamp
from eldonia_ops.protocols.logs.plain_line import PlainLine

NAME: Final = "apache error log"

_PARTS: Final = re.compile(
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]{8,24} \d{4})\] "
    r"\[(?:(?P<module>\w{0,64}):)?(?P<level>[a-z]{4,6}\d?)\] "
    r"(?:\[pid (?P<pid>\d{1,10})(?::tid (?P<tid>\d{1,20}))?\] )?"
    r"(?:\[(?:remote|client) (?P<client>[^\]]{1,255})\] )?(?P<text>.*)",
    re.ASCII | re.DOTALL,
)
_CODE: Final = re.compile(r"(AH\d{5}): ", re.ASCII)


def read(text: str, now_ns: int) -> PlainLine | None:
    """The line with its module, process and client."""
    match = _PARTS.fullmatch(text) if text[:1] == "[" else None
    if match is None:
        return None
    leading, level = leading_timestamp(text, now_ns), fold_level(match["level"].rstrip("12345678"))
    if leading is None or level is None:
        return None
    facts: dict[str, Any] = {"module": match["module"]} if match["module"] else {}
    if match["pid"]:
        facts["pid"] = int(match["pid"])
    if code := _CODE.match(match["text"]):
        facts["code"] = code[1]
    fields = {"ip_address": _host(match["client"])} if match["client"] else {}
    return PlainLine(text, leading[0], level, metadata=facts, fields=fields, format=NAME)


def _host(client: str) -> str:
    """The address without its port."""
    host, colon, port = client.rpartition(":")
    return host.strip("[]") if colon and port.isdigit() and (":" not in host or host[:1] == "[") else client

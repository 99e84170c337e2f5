"""nginx' error log: ``2026/11/30 08:00:00 [error] 123#0: *45 message, client: 10.0.0.1, server: shop, request: "…"``.

The time has no zone: it is the local one. https://nginx.org/en/docs/ngx_core_module.html#error_log
"""

import re
from typing import Any, Final

from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.timestamps import leading_timestamp
from eldonia_ops.protocols.line_formats.requests import request_facts
from eldonia_ops.protocols.logs.plain_line import PlainLine

NAME: Final = "nginx error log"

_HEAD: Final = re.compile(
    r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?P<level>[a-z]{3,7})\] (?P<pid>\d{1,10})#(?P<tid>\d{1,20}): "
    r"(?:\*(?P<connection>\d{1,20}) )?(?P<text>.*)",
    re.ASCII | re.DOTALL,
)
_CONTEXT: Final = re.compile(
    r', (client|server|request|upstream|host|referrer): ("(?:[^"\\]|\\.)*+"|[^,"]++)', re.ASCII
)


def read(text: str, now_ns: int) -> PlainLine | None:
    """The line with what it says about its request."""
    match = _HEAD.fullmatch(text) if text[4:5] == "/" else None
    if match is None:
        return None
    leading = leading_timestamp(text, now_ns)
    if leading is None:
        return None
    facts: dict[str, Any] = {"pid": int(match["pid"])}
    if match["connection"]:
        facts["connection"] = int(match["connection"])
    fields: dict[str, Any] = {}
    for name, value in _CONTEXT.findall(match["text"]):
        plain = value[1:-1] if value[:1] == '"' else value
        if name == "client":
            fields["ip_address"] = plain
        elif name == "request":
            facts |= request_facts(plain)
        else:
            facts[name] = plain
    return PlainLine(text, leading[0], fold_level(match["level"]), metadata=facts, fields=fields, format=NAME)

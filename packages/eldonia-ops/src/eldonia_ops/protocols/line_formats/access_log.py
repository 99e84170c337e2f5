"""Access logs of nginx and Apache: common and combined, also with the virtual host in front.

https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format and
https://httpd.apache.org/docs/2.4/logs.html#accesslog. What follows the known fields (times, upstream) stays in the
message.
"""

import re
from typing import Any, Final

from eldonia_ops.model.log_levels import status_level
from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.protocols.line_formats.requests import request_facts
from eldonia_ops.protocols.logs.plain_line import PlainLine

NAME: Final = "access log"

_LINE: Final = re.compile(
    r"(?:(?P<vhost>[\w.-]{1,255}:\d{1,5}) )?(?P<client>[\w.:%-]{1,255}) (?P<ident>\S{1,255}) (?P<user>[^\[\"]{1,255}?) "
    r"\[(?P<time>[^\]]{1,64})\] "
    r'(?P<request>"(?:[^"\\]|\\.)*+") (?P<status>\d{3}) (?P<size>\d{1,18}|-)'
    r'(?: (?P<referer>"(?:[^"\\]|\\.)*+") (?P<agent>"(?:[^"\\]|\\.)*+"))?(?= |$)',
    re.ASCII,
)


def read(text: str, now_ns: int) -> PlainLine | None:
    """The line as a request with its status."""
    if '] "' not in text[:1_000]:
        return None
    match = _LINE.match(text)
    if match is None:
        return None
    try:
        at = parse_timestamp(match["time"])
    except ValueError:
        return None
    status = int(match["status"])
    facts: dict[str, Any] = {**request_facts(match["request"][1:-1]), "status": status}
    if match["size"] != "-":
        facts["bytes"] = int(match["size"])
    if referer := _given(match["referer"]):
        facts["referer"] = referer
    if match["vhost"]:
        facts["vhost"] = match["vhost"]
    fields = {
        name: value
        for name, value in (
            ("ip_address", match["client"]),
            ("user_id", "" if match["user"] == "-" else match["user"]),
            ("user_agent", _given(match["agent"])),
        )
        if value
    }
    return PlainLine(text, at, status_level(status), metadata=facts, fields=fields, format=NAME)


def _given(quoted: str | None) -> str:
    text = quoted[1:-1] if quoted else ""
    return "" if text == "-" else text

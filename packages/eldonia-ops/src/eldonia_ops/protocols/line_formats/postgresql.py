"""PostgreSQL's log of lines (stderr, syslog): a prefix that ``log_line_prefix`` chose, then ``ERROR:  text``.

https://www.postgresql.org/docs/current/runtime-config-logging.html. Of the prefix, the usual parts are read: time,
process in brackets, ``user@database``, and ``key=value``.
"""

import re
from typing import Any, Final

from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.logs import LogLevel, LogPerformance
from eldonia_ops.model.timestamps import leading_timestamp
from eldonia_ops.protocols.logs.plain_line import PlainLine

NAME: Final = "postgresql log"

_SEVERITY: Final = re.compile(
    r"(?P<severity>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY):  "
    r"(?P<text>\S.*)",
    re.ASCII | re.DOTALL,
)
_PREFIX: Final = 200
_PROCESS: Final = re.compile(r"\[(\d{1,10})(?:-\d{1,10})?\]", re.ASCII)
_WHO: Final = re.compile(r"(?:^|[ \]])([\w.-]{1,63}|\[unknown\])@([\w.-]{1,63}|\[unknown\])(?=[ :]|$)", re.ASCII)
_PAIR: Final = re.compile(r"\b(user|db|app|client|host)=([^,\s]{1,255})", re.ASCII)
_DURATION: Final = re.compile(r"duration: (\d{1,12}(?:\.\d{1,6})?) ms", re.ASCII)
_KEYS: Final = {"db": "database", "app": "application", "client": "client", "host": "client"}


def read(text: str, now_ns: int) -> PlainLine | None:
    """The line with its severity and what its prefix says."""
    start = text.find(":  ", 0, _PREFIX + 12)
    if start < 0:
        return None
    begin = start
    while begin and (text[begin - 1].isupper() or text[begin - 1].isdigit()):
        begin -= 1
    match = _SEVERITY.match(text, begin)
    leading = leading_timestamp(text, now_ns)
    if match is None or leading is None or begin < leading[1]:
        return None
    prefix = text[leading[1] : begin]
    facts: dict[str, Any] = {"severity": match["severity"]}
    fields: dict[str, Any] = {}
    if process := _PROCESS.search(prefix):
        facts["pid"] = int(process[1])
    if who := _WHO.search(prefix):
        facts |= {"user": who[1], "database": who[2]}
    for name, value in _PAIR.findall(prefix):
        if name == "user":
            facts["user"] = value
        else:
            facts[_KEYS[name]] = value
    if took := _DURATION.match(match["text"]):
        fields["performance"] = LogPerformance(duration=float(took[1]))
    level = fold_level(match["severity"].rstrip("12345")) or LogLevel.INFO
    return PlainLine(text, leading[0], level, metadata=facts, fields=fields, format=NAME)

"""``@type mysql_slow``: the slow query log of MySQL and MariaDB.

https://dev.mysql.com/doc/refman/8.4/en/slow-query-log.html, https://mariadb.com/kb/en/slow-query-log-overview/
"""

import re
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.parsers.fields import Fields
from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.section import SectionReader

_USER: Final = re.compile(
    r"# User@Host: ([^\[\n]{0,255})\[([^\]\n]{0,255})\] @ "
    r"([^\[\n]{0,255})\[([^\]\n]{0,255})\](?:[ \t]{1,9}Id:[ \t]{1,9}([0-9]{1,20}))?"
)
_VALUE: Final = re.compile(r"([A-Za-z][A-Za-z_]{0,63}): ([^\s]{0,255})")
_NUMBER: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_TIME: Final = re.compile(r"# Time: ([^\n]{1,64})")
_STAMP: Final = re.compile(r"SET timestamp=([0-9]{1,12}(?:\.[0-9]{1,9})?);")
_USE: Final = re.compile(r"use ([^;\n]{1,128});", re.IGNORECASE)


class MysqlSlowParser(Parser):
    """A record for each query: ``user``, ``host``, ``ip``, ``id``, ``query_time``, ``lock_time`` (s), ``rows_sent``,
    ``rows_examined``, what else stands in the comment lines, ``database`` and ``query``. The time is that of
    ``SET timestamp``, else of ``# Time``."""

    type: ClassVar[str] = "mysql_slow"
    multi_line: bool = True

    def __init__(self, reader: SectionReader) -> None:
        self._fields = Fields(reader, time_key="time")

    def begins(self, line: str) -> bool:
        """Whether a line is ``# Time`` or, where a log leaves it out within a second, ``# User@Host``.

        The two lines of one entry follow each other, and a text of ``# Time`` alone has no record.
        """
        return line.startswith(("# Time: ", "# User@Host: "))

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """The queries of a text; none for the lines that a server writes when it starts."""
        found: list[Parsed] = []
        starts = [match.start() for match in re.finditer(r"^# User@Host: ", text, re.MULTILINE)]
        if not starts:
            if _TIME.match(text) and text.count("\n") <= 1:
                return []
            raise ParseError("there is no # User@Host line")
        stated = _TIME.search(text, 0, starts[0])
        for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
            record = _entry(text[start:end])
            at = record.pop("timestamp", None)
            if at is not None:
                seconds, _, fraction = at.partition(".")
                time: int | None = int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0") or 0)
                found.append((time, self._fields.convert(record)))
            else:
                found.append(self._fields.finish({**record, **({"time": stated[1].strip()} if stated else {})}, now_ns))
        return found


def _entry(text: str) -> dict[str, Any]:
    record: dict[str, Any] = {}
    statement: list[str] = []
    for line in text.split("\n"):
        if (user := _USER.match(line)) is not None:
            named = zip(("user", "host", "ip", "id"), (user[2] or user[1], user[3], user[4], user[5]), strict=True)
            record |= {name: value.strip() for name, value in named if value and value.strip()}
        elif line.startswith("# ") and not statement:
            record |= {name.lower(): _number(value) for name, value in _VALUE.findall(line)}
        elif (stamp := _STAMP.fullmatch(line.strip())) is not None and not statement:
            record["timestamp"] = stamp[1]
        elif (use := _USE.fullmatch(line.strip())) is not None and not statement:
            record["database"] = use[1].strip("`")
        elif line.strip() or statement:
            statement.append(line)
    record["query"] = "\n".join(statement).strip().removesuffix(";")
    return record


def _number(text: str) -> Any:
    match = _NUMBER.fullmatch(text)
    return text if match is None else float(text) if match[1] else int(text)

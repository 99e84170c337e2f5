"""Times as texts in the formats that requests ask for: names of Elasticsearch's and Java's patterns."""

from datetime import UTC, datetime, tzinfo
from typing import Final

from eldonia_ops.protocols.elasticsearch.query.date_math import iso
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.java_patterns import pattern_parts

_NS: Final = 1_000_000_000
_ISO_NAMES: Final = frozenset({
    *("", "date_optional_time", "strict_date_optional_time", "date_time", "strict_date_time", "iso8601"),
})  # fmt: skip
_NANO_NAMES: Final = frozenset({"strict_date_optional_time_nanos", "date_optional_time_nanos"})
_NAMED: Final = {
    "date": "yyyy-MM-dd", "strict_date": "yyyy-MM-dd", "basic_date": "yyyyMMdd", "year": "yyyy", "strict_year": "yyyy",
    "year_month": "yyyy-MM", "strict_year_month": "yyyy-MM", "hour": "HH", "hour_minute": "HH:mm",
    "hour_minute_second": "HH:mm:ss", "date_hour": "yyyy-MM-dd'T'HH", "date_hour_minute": "yyyy-MM-dd'T'HH:mm",
    "date_hour_minute_second": "yyyy-MM-dd'T'HH:mm:ss", "date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssXXX",
    "strict_date_time_no_millis": "yyyy-MM-dd'T'HH:mm:ssXXX",
}  # fmt: skip
_DIRECTIVES: Final = {
    "y": "%Y", "u": "%Y", "yyyy": "%Y", "uuuu": "%Y", "yy": "%y", "uu": "%y", "MM": "%m", "MMM": "%b", "MMMM": "%B",
    "dd": "%d", "DDD": "%j", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "a": "%p", "E": "%a", "EEE": "%a",
    "EEEE": "%A", "ww": "%V", "xxxx": "%G", "YYYY": "%G",
}  # fmt: skip


def formatted(ns: int, format: str, zone: tzinfo = UTC) -> str:
    """A time in the first of the formats of ``a||b``; ISO 8601 with milliseconds for none.

    Raises:
        DslError: we do not know the format.
    """
    name = format.split("||", maxsplit=1)[0]
    if name in _ISO_NAMES:
        return iso(ns, zone)
    if name in _NANO_NAMES:
        return iso(ns, zone, nanoseconds=True)
    if name == "epoch_millis":
        return str(ns // 1_000_000)
    if name == "epoch_second":
        return str(ns // _NS)
    at = datetime.fromtimestamp(ns // _NS, UTC).astimezone(zone)

    def written(letters: str) -> str:
        if letters[0] in "SnA":
            return f"{ns % _NS:09d}"[: len(letters)] if letters[0] == "S" else str(ns % _NS)
        if letters in ("d", "M", "H", "h", "m", "s"):
            return str(int(at.strftime(_DIRECTIVES[letters * 2])))
        offset = at.strftime("%z")
        if letters[0] in "XxZ":
            if offset == "+0000" and letters[0] == "X":
                return "Z"
            return f"{offset[:3]}:{offset[3:]}" if len(letters) >= 3 else offset
        if letters[0] in "zvV":
            return at.tzname() or offset
        if letters not in _DIRECTIVES:
            reason = f"Invalid format: [{format}]: Unknown pattern letter: {letters}"
            raise DslError("illegal_argument_exception", reason)
        return at.strftime(_DIRECTIVES[letters])

    return "".join(written(run) if run else text for run, text in pattern_parts(_NAMED.get(name, name)))

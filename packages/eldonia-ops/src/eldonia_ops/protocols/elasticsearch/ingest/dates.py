"""The processor ``date``: a text as a time, in Java's patterns or by the names of common forms."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any, Final

from eldonia_ops.pipeline.times.strptime import Strptime
from eldonia_ops.protocols.elasticsearch.ingest.changes import Run
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument
from eldonia_ops.protocols.elasticsearch.ingest.options import Options, templated
from eldonia_ops.protocols.elasticsearch.query.date_math import iso, moment, zone_of
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.java_patterns import pattern_parts
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted

_LONGEST: Final = 100
_NAMED: Final = {"UNIX": "epoch_second", "UNIX_MS": "epoch_millis"}
_ISO: Final = frozenset({
    *("ISO8601", "strict_date_optional_time", "date_optional_time", "strict_date_time", "date_time", "iso8601"),
    *("strict_date_optional_time_nanos", "strict_date_time_no_millis", "date_time_no_millis"),
})  # fmt: skip
_DIRECTIVES: Final = {
    "y": "Y", "u": "Y", "yyyy": "Y", "uuuu": "Y", "yy": "y", "uu": "y", "M": "m", "MM": "m", "MMM": "b", "MMMM": "b",
    "L": "m", "LLL": "b", "d": "d", "dd": "d", "D": "j", "DDD": "j", "H": "H", "HH": "H", "h": "I", "hh": "I",
    "k": "H", "kk": "H", "m": "M", "mm": "M", "s": "S", "ss": "S", "a": "p", "E": "a", "EEE": "a", "EEEE": "a",
    "Z": "z", "ZZ": "z", "ZZZ": "z", "ZZZZZ": "z", "X": "z", "XX": "z", "XXX": "z", "x": "z", "xx": "z", "xxx": "z",
    "z": "z", "zz": "z", "zzz": "z", "O": "z",
}  # fmt: skip


def date(options: Options) -> Run:
    """``date``: the first of some formats that fits gives the time."""
    field, target = options.text("field"), options.text("target_field", "@timestamp")
    formats = options.texts("formats")
    zone, output = templated(options.text("timezone", "UTC")), options.text("output_format", "")
    options.text("locale", "")
    try:
        formatted(0, output)
        for one in formats:
            if one not in _ISO and one not in _NAMED.keys() | _NAMED.values():
                _pattern(one, UTC)
    except (DslError, ValueError) as error:
        raise options.bad(f"invalid format: {error}", "formats") from None

    def run(document: IngestDocument) -> None:
        value = document.need(field)
        if value is None or isinstance(value, list | dict | bool) or len(str(value)) > _LONGEST:
            raise ProcessorError(f"field [{field}] is no time, cannot process it.")
        try:
            place = zone_of(zone(document) or "UTC")
        except DslError as error:
            raise ProcessorError(error.reason) from None
        now_ns = _now_ns(document)
        for one in formats:
            try:
                ns = _read(str(value), one, place, now_ns)
                text = formatted(ns, output) if output else iso(ns, place, nanoseconds=bool(ns % 1_000_000))
            except (DslError, ValueError, OverflowError):
                continue
            document.set(target, text)
            return
        raise ProcessorError(f"unable to parse date [{value}]")

    return run


def date_index_name(options: Options) -> Run:
    """``date_index_name``: the index that a document goes to, by a time in it."""
    field, prefix = options.text("field"), templated(options.text("index_name_prefix", ""))
    rounding, output = options.text("date_rounding"), options.text("index_name_format", "yyyy-MM-dd")
    formats = options.texts("date_formats") if options.has("date_formats") else ["ISO8601"]
    zone = options.text("timezone", "UTC")
    options.text("locale", "")
    try:
        place = zone_of(zone)
        moment(f"2026-01-01||/{rounding}", 0, place, "")
        formatted(0, output)
        for one in formats:
            if one not in _ISO and one not in _NAMED.keys() | _NAMED.values():
                _pattern(one, UTC)
    except (DslError, ValueError) as error:
        raise options.bad(f"cannot be used: {error}", "date_rounding") from None

    def run(document: IngestDocument) -> None:
        value = document.need(field)
        if value is None or isinstance(value, list | dict | bool) or len(str(value)) > _LONGEST:
            raise ProcessorError(f"field [{field}] is no time, cannot process it.")
        for one in formats:
            try:
                ns = _read(str(value), one, place, _now_ns(document))
                low = moment(f"{iso(ns, UTC)}||/{rounding}", ns, place, "").low
                day = formatted(low, output, place)
            except (DslError, ValueError, OverflowError):
                continue
            document.set("_index", f"{prefix(document)}{day}")
            return
        raise ProcessorError(f"unable to parse date [{value}]")

    return run


def _read(text: str, format: str, zone: tzinfo, now_ns: int) -> int:
    if format in _ISO or format in _NAMED or format in _NAMED.values():
        digits = text.replace(".", "", 1).lstrip("-").isdigit()
        if "||" in text or text.startswith("now") or digits == (format in _ISO):
            raise ValueError("not of this form")
        return moment(text, now_ns, zone, _NAMED.get(format, format)).low
    found = _pattern(format, zone).parse(text, now_ns)
    if found is None:
        raise ValueError("it has no year")
    return found


@lru_cache(maxsize=256)
def _pattern(format: str, zone: tzinfo) -> Strptime:
    """A reader for a pattern of Java.

    Raises:
        ValueError: a letter of it is not known.
    """
    parts: list[str] = []
    for run, text in pattern_parts(format):
        if not run:
            parts.append(text.replace("%", "%%").replace("[", "").replace("]", ""))
        elif run.strip("S") == "":
            parts.append(f"%{len(run)}N")
        elif run in _DIRECTIVES:
            parts.append(f"%{_DIRECTIVES[run]}")
        else:
            raise ValueError(f"[{run}] of the pattern [{format[:100]}] is not known")
    return Strptime("".join(parts), zone)


def _now_ns(document: IngestDocument) -> int:
    """The time of the run, by which a time without a year is one of the last."""
    text: Any = document.ingest.get("timestamp")
    return int(datetime.fromisoformat(text).timestamp()) * 10**9 if isinstance(text, str) else 0

"""How times are written: ``time_type``, ``time_format``, zones."""

from datetime import UTC

from eldonia_ops.pipeline.section import SectionReader
from eldonia_ops.pipeline.times.strftime import Strftime
from eldonia_ops.pipeline.times.zones import zone_of

_NUMBERS = {"unixtime": 10**9, "unixtime_millis": 10**6, "unixtime_micros": 10**3, "unixtime_nanos": 1}
TIME_TYPES = ("string", "float", *_NUMBERS)


class TimeText:
    """Reads the section's parameters of times, and writes times by them."""

    def __init__(self, reader: SectionReader, *, format: str = "", type: str = "string") -> None:
        written = reader.string("time_format", format)
        self._type = reader.choice("time_type", TIME_TYPES, "string" if written != format else type)
        name = reader.string("timezone")
        local = reader.boolean("localtime", True) and not reader.boolean("utc", False)
        try:
            zone = zone_of(name) if name or local else UTC
            self._format = Strftime(written, zone)
        except ValueError as error:
            reader.problem(str(error), "time_format" if "time format" in str(error) else "timezone")
            self._format = Strftime("", UTC)

    def text(self, time_ns: int) -> str:
        """An instant in Unix nanoseconds as text."""
        if self._type == "string":
            return self._format.format(time_ns)
        if self._type == "float":
            return f"{time_ns // 10**9}.{time_ns % 10**9:09d}"
        return str(time_ns // _NUMBERS[self._type])

    def value(self, time_ns: int) -> str | int | float:
        """An instant as a field of a record: numbers are numbers."""
        if self._type == "string":
            return self._format.format(time_ns)
        return time_ns // 1_000 / 1e6 if self._type == "float" else time_ns // _NUMBERS[self._type]

"""Other people's log levels, folded onto the seed's four."""

import re
from typing import Final

from eldonia_ops.model.logs import LogLevel

_NAMES: Final = {
    **dict.fromkeys(
        [
            "error",
            "err",
            "eror",
            "erro",
            "fatal",
            "ftl",
            "critical",
            "crit",
            "crt",
            "alert",
            "alrt",
            "emerg",
            "emergency",
            "panic",
            "pnc",
            "severe",
            "dpanic",
            "fail",
            "failure",
            "e",
            "f",
            "c",
            "a",
        ],
        LogLevel.ERROR,
    ),
    **dict.fromkeys(["warn", "warning", "wrn", "wng", "w"], LogLevel.WARN),
    **dict.fromkeys(
        [
            "info",
            "information",
            "informational",
            "inf",
            "notice",
            "note",
            "ntc",
            "log",
            "http",
            "success",
            "default",
            "normal",
            "statement",
            "detail",
            "hint",
            "context",
            "query",
            "location",
            "audit",
            "i",
            "n",
        ],
        LogLevel.INFO,
    ),
    **dict.fromkeys(
        [
            "debug",
            "dbg",
            "dbug",
            "debug1",
            "debug2",
            "debug3",
            "debug4",
            "debug5",
            "trace",
            "trc",
            "trce",
            "verbose",
            "vrb",
            "silly",
            "fine",
            "finer",
            "finest",
            "config",
            "d",
            "t",
            "v",
        ],
        LogLevel.DEBUG,
    ),
}
_LONGEST = 32
# slog writes levels between its own as a distance: ERROR+2, DEBUG-4.
_DISTANCE = re.compile(r"([a-z]+)[+-]\d{1,4}")


def fold_level(value: object) -> LogLevel | None:
    """The level that a name (any case) or a number means, or None when it means nothing.

    Numbers of 10 to 60 are pino's and bunyan's (10 trace .. 60 fatal), smaller ones syslog's
    (0 emergency .. 7 debug, RFC 5424), of 100 to 800 Monolog's (100 debug, 400 error, 600 emergency), and of 5000
    and more Logback's (10000 debug, 40000 error).
    """
    if isinstance(value, str):
        if len(value) > _LONGEST:
            return None
        name = value.strip(" \t[]<>():\"'").lower()
        level = _NAMES.get(name)
        if level is not None:
            return level
        if name.isascii() and name.isdecimal() and len(name) < 6:
            return fold_level(int(name))
        if (distance := _DISTANCE.fullmatch(name)) is not None:
            return _NAMES.get(distance[1])
        # Enumerations print their class in front: LogLevel.ERROR, Level::Error.
        for separator in (".", "::"):
            if separator in name:
                return _NAMES.get(name.rpartition(separator)[2])
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 50_000:
        return None
    if value < 10:
        return _by(value, ((3, LogLevel.ERROR), (4, LogLevel.WARN), (6, LogLevel.INFO)), LogLevel.DEBUG)
    if value < 100:
        return _from(value, 50, 40, 30)
    if value <= 800:
        return _from(value, 400, 300, 200)
    return _from(value, 40_000, 30_000, 20_000) if value >= 5_000 else None


def python_level(number: float) -> LogLevel | None:
    """The level of a number of Python's ``logging`` (10 debug .. 50 critical), as ``levelno`` holds it."""
    return _from(number, 40, 30, 20) if 0 < number <= 100 else None


def cloud_level(number: float) -> LogLevel | None:
    """The level of a severity number of Google Cloud's logging (100 debug, 400 warning, 500 error .. 800)."""
    return _from(number, 500, 400, 200) if 0 < number <= 800 else None


def severity_level(number: int) -> LogLevel | None:
    """The level of an OpenTelemetry severity number (1..24), None for unspecified or unknown.

    https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    """
    if not 1 <= number <= 24:
        return None
    return (LogLevel.DEBUG, LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR, LogLevel.ERROR)[
        (number - 1) // 4
    ]


def status_level(status: int) -> LogLevel | None:
    """The level of an HTTP answer: 5xx is an error, 4xx a warning, the others are information."""
    if not 100 <= status <= 599:
        return None
    return LogLevel.ERROR if status >= 500 else LogLevel.WARN if status >= 400 else LogLevel.INFO


def _from(value: float, error: float, warn: float, info: float) -> LogLevel:
    if value >= error:
        return LogLevel.ERROR
    return LogLevel.WARN if value >= warn else LogLevel.INFO if value >= info else LogLevel.DEBUG


def _by(value: float, bounds: tuple[tuple[int, LogLevel], ...], otherwise: LogLevel) -> LogLevel:
    return next((level for bound, level in bounds if value <= bound), otherwise)

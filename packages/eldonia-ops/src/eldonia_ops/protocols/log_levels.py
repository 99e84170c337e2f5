"""Other people's log levels, folded onto the seed's four."""

from typing import Final

from eldonia_ops.model.logs import LogLevel

_NAMES: Final = {
    **dict.fromkeys(
        ("error", "err", "fatal", "critical", "crit", "alert", "emerg", "emergency", "panic", "severe", "dpanic"),
        LogLevel.ERROR,
    ),
    **dict.fromkeys(("warn", "warning"), LogLevel.WARN),
    **dict.fromkeys(("info", "information", "informational", "notice", "log", "http", "success"), LogLevel.INFO),
    **dict.fromkeys(("debug", "trace", "verbose", "silly", "fine", "finer", "finest"), LogLevel.DEBUG),
}


def fold_level(value: object) -> LogLevel | None:
    """The level that a name (any case) or a number means, or None when it means nothing.

    Numbers of 10 and more are pino's and bunyan's (10 trace .. 60 fatal), smaller ones syslog's
    (0 emergency .. 7 debug, RFC 5424).
    """
    if isinstance(value, str):
        level = _NAMES.get(value.strip().lower())
        if level is None and value.strip().isdecimal() and len(value) < 4:
            return fold_level(int(value))
        return level
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    if value >= 10:
        return (
            LogLevel.ERROR
            if value >= 50
            else LogLevel.WARN
            if value >= 40
            else LogLevel.INFO
            if value >= 30
            else LogLevel.DEBUG
        )
    return (
        LogLevel.ERROR
        if value <= 3
        else LogLevel.WARN
        if value <= 4
        else LogLevel.INFO
        if value <= 6
        else LogLevel.DEBUG
    )


def severity_level(number: int) -> LogLevel | None:
    """The level of an OpenTelemetry severity number (1..24), None for unspecified or unknown.

    https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    """
    if not 1 <= number <= 24:
        return None
    return (LogLevel.DEBUG, LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR, LogLevel.ERROR)[
        (number - 1) // 4
    ]

"""Records of the standard ``logging`` module, on the same road as the others."""

import functools
import logging
from typing import Any, Final

from eldonia_telemetry import dropped_data, runtime, values
from eldonia_telemetry.records import DEBUG, ERROR, INFO, WARN, ErrorDetail

LOGGED: Final = "__eldonia_telemetry_logged__"
"""Set on an exception that a record has been written for, so that a second report of it is left out."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}

_PATCHED: Final = "eldonia_telemetry"

_SERVERS: Final = ("uvicorn", "gunicorn.error", "hypercorn.error")
"""Loggers that their servers' configuration cuts off from the root; those of accesses are left to it."""


class TelemetryHandler(logging.Handler):
    """Hands records on: the logger's name becomes the component, ``extra`` the metadata.

    Only where the record was made is added (``logger`` and line). The logger's own level applies
    first, then the one given to ``init``.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one record. Never raises."""
        try:
            self._emit(record)
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("log", "standard logging record could not be taken", error)

    def _emit(self, record: logging.LogRecord) -> None:
        now = runtime.current
        number = record.levelno
        level = ERROR if number >= 40 else WARN if number >= 30 else INFO if number >= 20 else DEBUG
        if level < now.threshold:
            return
        exception = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if exception is not None and getattr(exception, LOGGED, False):
            return
        try:
            message = values.foreign(lambda it: it.getMessage(), record)
        except Exception as error:  # noqa: BLE001  arguments that do not fit the format
            message = f"{values.text(record.msg)} (arguments do not fit: {type(error).__name__})"
        metadata: dict[str, Any] = {
            name: value for name, value in vars(record).items() if name not in _STANDARD and not name.startswith("_")
        }
        metadata["logger"] = f"{record.name}:{record.lineno}"
        if record.stack_info:
            metadata["stack"] = record.stack_info
        now.emit(
            level,
            (record.name or "root").partition(".")[0],
            message,
            exception=exception,
            error=_formatted(record) if exception is None else None,
            metadata=metadata,
            at_ns=int(record.created * 1_000_000_000),
            repeats=record.msg,
        )


def _formatted(record: logging.LogRecord) -> ErrorDetail | None:
    """The exception of a record that has come from another process: there is only its text."""
    stack = record.exc_text
    if not stack:
        return None
    name, _, message = stack.rstrip().rpartition("\n")[2].partition(": ")
    return ErrorDetail(
        name=values.text(name), message=values.text(message), stack=values.text(stack[-values.MAX_STACK :])
    )


def install(level: int | None = None) -> TelemetryHandler:
    """Put one handler on the root logger (the same one on a second call); ``level`` sets the root's level if given.

    Servers that keep their loggers apart from the root get it too: a start that fails is worth a record.
    """
    global _installed  # noqa: PLW0603
    _installed = True
    _stay()
    root = logging.getLogger()
    handler = next((one for one in root.handlers if isinstance(one, TelemetryHandler)), None) or TelemetryHandler()
    for logger in (root, *_apart()):
        if handler not in logger.handlers:
            logger.addHandler(handler)
    if level is not None:
        root.setLevel(level)
    return handler


def uninstall() -> None:
    """Take the handler off again."""
    global _installed  # noqa: PLW0603
    _installed = False
    for logger in (logging.getLogger(), *_apart()):
        for handler in list(logger.handlers):
            if isinstance(handler, TelemetryHandler):
                logger.removeHandler(handler)


def stay_on(logger: logging.Logger | None = None) -> None:
    """Put the handler back where a configuration took it off, and on a ``logger`` that is kept apart from the root."""
    if _installed:
        handler = install()
        if logger is not None and not logger.propagate and handler not in logger.handlers:
            logger.addHandler(handler)


_installed = False


def _stay() -> None:
    """Outlive ``logging.config``: whatever configures the root logger takes all handlers off that it does not name.

    It is not only applications that call it, but frameworks (``django.setup``) and servers, at times of
    their own, and records that are missing without a word are found missing when they are needed.
    """
    from logging import config

    configurator: Any = config.DictConfigurator
    if hasattr(configurator.configure, _PATCHED):
        return
    configure, file_config = configurator.configure, config.fileConfig

    @functools.wraps(configure)
    def configuring(self: Any) -> None:
        try:
            configure(self)
        finally:
            stay_on()

    @functools.wraps(file_config)
    def reading(*args: Any, **more: Any) -> None:
        try:
            file_config(*args, **more)
        finally:
            stay_on()

    setattr(configuring, _PATCHED, True)
    configurator.configure = configuring
    config.fileConfig = reading


def _apart() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict
    loggers = [known.get(name) for name in _SERVERS]
    return [logger for logger in loggers if isinstance(logger, logging.Logger) and not logger.propagate]

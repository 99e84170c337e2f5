"""Structured logging: ``get_logger(component=...)`` and its seven kinds of record.

    log = get_logger(component="orders")
    log.info("order placed", order_id=42, total=3800)
    log.error("payment failed", exception=error, operation="pay")

Named arguments that are not LogEntry fields become ``metadata``. ``metadata=`` passes a mapping as
it is, for names that are arguments here.
"""

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from eldonia_telemetry import dropped_data, process, runtime, values
from eldonia_telemetry.records import DEBUG, ERROR, INFO, WARN, Performance


class Logger:
    """Writes records of one component. Cheap to make; safe to share; works before and after ``init``.

    What is below the level that ``init`` was given costs some 50 ns, whatever the arguments (see :func:`_fit`).
    """

    __slots__ = ("_component", "_service")

    def __init__(self, component: str = "app", service: str = "") -> None:
        self._component = component
        self._service = service

    def error(
        self,
        message: object,
        exception: BaseException | None = None,
        *,
        operation: str | None = None,
        user_id: object = None,
        session_id: object = None,
        code: object = None,
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Something failed. ``exception`` fills the record's ``error``; ``code`` is its code there."""
        now = runtime.current
        if now.threshold > ERROR:
            return
        now.emit(
            ERROR,
            self._component,
            message,
            fields if metadata is None else _merge(metadata, fields),
            operation,
            user_id,
            session_id,
            self._service,
            exception,
            code=code,
        )

    def warn(
        self,
        message: object,
        exception: BaseException | None = None,
        *,
        operation: str | None = None,
        user_id: object = None,
        session_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Something is not as it should be, and the work goes on."""
        now = runtime.current
        if now.threshold > WARN:
            return
        now.emit(
            WARN,
            self._component,
            message,
            fields if metadata is None else _merge(metadata, fields),
            operation,
            user_id,
            session_id,
            self._service,
            exception,
        )

    def info(
        self,
        message: object,
        *,
        operation: str | None = None,
        user_id: object = None,
        session_id: object = None,
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Something worth knowing happened."""
        now = runtime.current
        if now.threshold > INFO:
            return
        now.emit(
            INFO,
            self._component,
            message,
            fields if metadata is None else _merge(metadata, fields),
            operation,
            user_id,
            session_id,
            self._service,
        )

    def debug(
        self,
        message: object,
        *,
        operation: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        """Something that only matters when looking for a fault."""
        now = runtime.current
        if now.threshold > DEBUG:
            return
        now.emit(
            DEBUG,
            self._component,
            message,
            fields if metadata is None else _merge(metadata, fields),
            operation,
            service=self._service,
        )

    def performance(
        self, operation: str, duration: float, *, metadata: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        """``operation`` took ``duration`` milliseconds; the process' memory (bytes) and CPU time (ms) go along."""
        now = runtime.current
        if now.threshold > INFO:
            return
        try:
            took = float(duration)
        except Exception:  # noqa: BLE001  telemetry never raises into its host
            took = math.nan
        if not math.isfinite(took):
            dropped_data.count("log", "a duration that is no number")
            took = 0.0
        now.emit(
            INFO,
            self._component,
            f"Performance: {_name(operation)} completed in {took:.4g}ms",
            fields if metadata is None else _merge(metadata, fields),
            _name(operation),
            service=self._service,
            performance=Performance(took, process.resident_bytes(), time.process_time() * 1000),
        )

    def security(
        self,
        event: str,
        *,
        severity: str = "medium",
        user_id: object = None,
        ip_address: object = None,
        **details: Any,
    ) -> None:
        """A security event; the same as :func:`eldonia_telemetry.security.record`."""
        from eldonia_telemetry import security

        security.record(event, severity, user_id=user_id, ip_address=ip_address, details=details, service=self._service)

    def business(
        self, event: str, *, user_id: object = None, metadata: Mapping[str, Any] | None = None, **fields: Any
    ) -> None:
        """Something happened that the business counts: an order, a sign-up."""
        now = runtime.current
        if now.threshold > INFO:
            return
        now.emit(
            INFO,
            "business",
            f"Business Event: {_name(event)}",
            fields if metadata is None else _merge(metadata, fields),
            _name(event),
            user_id,
            service=self._service,
        )


_METHODS: Final = {
    name: (level, vars(Logger)[name])
    for name, level in (
        *(("error", ERROR), ("warn", WARN), ("info", INFO), ("debug", DEBUG)),
        *(("performance", INFO), ("business", INFO)),
    )
}


def _fit(now: runtime.Runtime) -> None:
    """Put something that does nothing in place of the methods for records that this runtime does not want.

    A function in Python takes 100 to 300 ns to gather keyword arguments before it can look at the
    level. The default ``__prepare__`` of a class takes any arguments, is written in C, makes an empty
    dictionary and leaves. The methods themselves look at the level too, for those who kept them.
    """
    for name, (level, method) in _METHODS.items():
        setattr(Logger, name, method if level >= now.threshold else staticmethod(type.__prepare__))


runtime.followers.append(_fit)


def get_logger(*, component: str = "app", service: str = "") -> Logger:
    """A logger for one component; ``service`` only where it differs from the one given to ``init``."""
    return Logger(component, service)


def _name(given: object) -> str:
    return given if type(given) is str else values.text(given)


def _merge(metadata: object, fields: dict[str, Any]) -> Mapping[str, Any]:
    """What was passed as ``metadata`` and what was named. What is no mapping is a field of its own."""
    try:
        if isinstance(metadata, Mapping):
            return {**metadata, **fields} if fields else metadata
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("log", "metadata that cannot be read", error)
        return fields
    return {"metadata": metadata, **fields}

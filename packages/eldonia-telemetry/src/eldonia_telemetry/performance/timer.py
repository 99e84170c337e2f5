"""``timer``: measures a ``with`` block, a function or a coroutine function."""

import functools
import inspect
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import TracebackType
from typing import Any, TypeVar, cast

from eldonia_telemetry import values
from eldonia_telemetry.performance.ending import finish
from eldonia_telemetry.performance.measurement import Measurement, current, innermost

F = TypeVar("F", bound=Callable[..., Any])


class _Timed(Measurement):
    """A measurement that a timer made; remembers the process' CPU time at its start."""

    def __init__(self, name: str, parent: Measurement | None) -> None:
        self.cpu_started = time.process_time()
        super().__init__(name, parent)


class Timer:
    """Made by :func:`eldonia_telemetry.performance.timer`.

    It holds nothing of a run, so one may be entered again inside itself, by many threads and tasks.
    """

    __slots__ = ("_log", "_operation", "_slow")

    def __init__(self, operation: str, *, slow: float | None = None, log: bool = True) -> None:
        self._operation = operation if type(operation) is str else values.text(operation)
        self._slow = slow
        self._log = log

    def __enter__(self) -> Measurement:
        measured = _Timed(self._operation, current())
        innermost.set(measured)
        return measured

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        measured = innermost.get()
        if not isinstance(measured, _Timed):
            return  # left in another context than entered; there is nothing to measure
        innermost.set(measured.parent)
        self._finish(measured, error)

    async def __aenter__(self) -> Measurement:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, at)

    def __call__(self, function: F) -> F:
        """Measure every call. A generator is measured from its first step to its end."""
        wrapped: Any
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            wrapped = coroutine
        elif inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                # Not made current: between two steps the code of whoever iterates runs in this context.
                measured, failure = _Timed(self._operation, current()), None
                try:
                    async for item in function(*args, **kwargs):
                        yield item
                except Exception as error:
                    failure = error
                    raise
                finally:
                    self._finish(measured, failure)

            wrapped = stream
        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
                measured, failure = _Timed(self._operation, current()), None
                try:
                    return (yield from function(*args, **kwargs))
                except Exception as error:
                    failure = error
                    raise
                finally:
                    self._finish(measured, failure)

            wrapped = steps
        else:

            @functools.wraps(function)
            def plain(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

            wrapped = plain
        return cast(F, wrapped)

    def _finish(self, measured: _Timed, error: BaseException | None) -> None:
        finish(
            measured,
            (time.perf_counter() - measured.started) * 1000,
            error,
            cpu_milliseconds=(time.process_time() - measured.cpu_started) * 1000,
            slow=self._slow,
            log=self._log,
        )

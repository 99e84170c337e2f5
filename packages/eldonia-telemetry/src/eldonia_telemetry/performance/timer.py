"""``timer``: measures a ``with`` block, a function or a coroutine function."""

import functools
import inspect
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator
from types import TracebackType
from typing import Any, TypeVar, cast

from eldonia_telemetry import context, values
from eldonia_telemetry.performance.operation_recorder import finish
from eldonia_telemetry.performance.operations import Measurement, current, innermost

F = TypeVar("F", bound=Callable[..., Any])


class _Timed(Measurement):
    """A measurement that a timer made.

    It remembers the process' CPU time at its start, which timer made it, and where: in which thread, for which request.
    """

    def __init__(self, name: str, parent: Measurement | None, timer: "Timer") -> None:
        self.cpu_started = time.process_time()
        self.timer = timer
        self.thread = threading.get_ident()
        self.request = context.bound.get().request
        super().__init__(name, parent)


class Timer:
    """Made by :func:`eldonia_telemetry.performance.timer`.

    One may be entered again inside itself, by many threads and tasks, and be left in another context than it was
    entered in, as FastAPI does with dependencies that ``yield``.
    """

    __slots__ = ("_log", "_open", "_operation", "_slow")

    def __init__(self, operation: str, *, slow: float | None = None, log: bool = True) -> None:
        self._operation = operation if type(operation) is str else values.text(operation)
        self._slow = slow
        self._log = log
        self._open: dict[int, _Timed] = {}
        """What has been entered and not left, by identity, in the order of entering."""

    def __enter__(self) -> Measurement:
        measured = _Timed(self._operation, current(), self)
        self._open[id(measured)] = measured
        innermost.set(measured)
        return measured

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        measured = innermost.get()
        if not isinstance(measured, _Timed) or measured.timer is not self or measured.thread != threading.get_ident():
            found = self._entered_here(measured)
            if found is None:
                return
            measured = found
        if self._open.pop(id(measured), None) is None:
            return  # left already
        if innermost.get() is measured:
            innermost.set(measured.parent)
        self._finish(measured, error)

    def _entered_here(self, inner: Measurement | None) -> "_Timed | None":
        """The entry that is being left, where the context does not simply have it as its innermost one.

        ``inner`` is what the context has.
        """
        known: _Timed | None = None
        while inner is not None:
            if isinstance(inner, _Timed) and inner.timer is self and id(inner) in self._open:
                if inner.thread == threading.get_ident():
                    return inner
                known = known or inner
            inner = inner.parent
        # In another context, or a copy. The last that was entered for this request is left first.
        request = context.bound.get().request
        entered = list(self._open.values())
        own = [one for one in entered if one.request is request]
        return own[-1] if own else known or (entered[-1] if entered else None)

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
            async def stream(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
                generator = function(*args, **kwargs)
                # Current only within a step: between two, the code that iterates runs in this context.
                measured = inside = _Timed(self._operation, current(), self)
                resume, value, failure = generator.asend, None, None
                try:
                    while True:
                        before = innermost.get()
                        innermost.set(inside)
                        try:
                            item = await resume(value)
                        except StopAsyncIteration:
                            return
                        finally:
                            inside = innermost.get()
                            innermost.set(before)
                        try:
                            resume, value = generator.asend, (yield item)
                        except GeneratorExit:
                            before = innermost.get()
                            innermost.set(inside)
                            try:
                                await generator.aclose()
                            finally:
                                innermost.set(before)
                            raise
                        except BaseException as thrown:  # noqa: BLE001  it is the generator's to handle
                            resume, value = generator.athrow, thrown
                except Exception as error:
                    failure = error
                    raise
                finally:
                    self._finish(measured, failure)

            wrapped = stream
        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                generator = function(*args, **kwargs)
                measured = inside = _Timed(self._operation, current(), self)
                resume, value, failure = generator.send, None, None
                try:
                    while True:
                        before = innermost.get()
                        innermost.set(inside)
                        try:
                            item = resume(value)
                        except StopIteration as stop:
                            return stop.value
                        finally:
                            inside = innermost.get()
                            innermost.set(before)
                        try:
                            resume, value = generator.send, (yield item)
                        except GeneratorExit:
                            before = innermost.get()
                            innermost.set(inside)
                            try:
                                generator.close()
                            finally:
                                innermost.set(before)
                            raise
                        except BaseException as thrown:  # noqa: BLE001  it is the generator's to handle
                            resume, value = generator.throw, thrown
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

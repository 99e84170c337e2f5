"""What happens inside an operation: queries, cache hits and misses, calls to other services, errors.

The integrations call ``count_*``; the innermost operation and all that it is part of count along.
Tasks and threads that inherit the context count for the operation that started them.
"""

import contextvars
import threading
import time

from eldonia_telemetry import context

_lock = threading.Lock()


class Measurement:
    """One operation in progress; ``parent`` is the one that it is part of.

    ``counted`` says whether there was anything but errors to count.
    """

    database_queries = 0
    cache_hits = 0
    cache_misses = 0
    external_calls = 0
    errors = 0
    counted = False
    _last_error = 0

    def __init__(self, name: str, parent: "Measurement | None") -> None:
        self.name = name
        self.parent = parent
        self.started = time.perf_counter()

    @property
    def milliseconds(self) -> float:
        """Since the start."""
        return (time.perf_counter() - self.started) * 1000

    def count_query(self, number: int = 1) -> None:
        """Count statements sent to a database."""
        with _lock:
            for one in self._chain():
                one.counted = True
                one.database_queries += number

    def count_cache(self, hits: int = 0, misses: int = 0) -> None:
        """Count values that a cache had, and had not."""
        with _lock:
            for one in self._chain():
                one.counted = True
                one.cache_hits += hits
                one.cache_misses += misses

    def count_external_call(self, number: int = 1) -> None:
        """Count requests to other services."""
        with _lock:
            for one in self._chain():
                one.counted = True
                one.external_calls += number

    def count_error(self, error: BaseException | None = None) -> None:
        """Count a failure; the same exception on its way up counts once."""
        identity = 0 if error is None else id(error)
        with _lock:
            for one in self._chain():
                if not identity or one._last_error != identity:
                    one.errors += 1
                    one._last_error = identity

    def counts(self) -> dict[str, int]:
        """What was counted, under the seed's names, zeros left out."""
        found = {
            "databaseQueries": self.database_queries,
            "cacheHits": self.cache_hits,
            "cacheMisses": self.cache_misses,
            "externalApiCalls": self.external_calls,
            "errors": self.errors,
        }
        return {name: number for name, number in found.items() if number}

    def _chain(self) -> "list[Measurement]":
        chain: list[Measurement] = []
        one: Measurement | None = self
        while one is not None:
            chain.append(one)
            one = one.parent
        return chain


innermost: contextvars.ContextVar[Measurement | None] = contextvars.ContextVar(
    "eldonia_telemetry_measurement", default=None
)
"""The operation that the code is working in, where that is not the request itself."""


def current() -> Measurement | None:
    """The operation that the code is working in."""
    one = innermost.get()
    if one is None:
        request = context.bound.get().request
        if isinstance(request, Measurement):
            return request
    return one


def count_query(number: int = 1) -> None:
    """Count database statements for the operation in progress, if there is one."""
    one = current()
    if one is not None:
        one.count_query(number)


def count_cache(hits: int = 0, misses: int = 0) -> None:
    """Count cache hits and misses for the operation in progress, if there is one."""
    one = current()
    if one is not None:
        one.count_cache(hits, misses)


def count_external_call(number: int = 1) -> None:
    """Count requests to other services for the operation in progress, if there is one."""
    one = current()
    if one is not None:
        one.count_external_call(number)


def count_error(error: BaseException | None = None) -> None:
    """Count a failure for the operation in progress, if there is one."""
    one = current()
    if one is not None:
        one.count_error(error)


def after_fork() -> None:
    """Replace the lock: another thread may have held it when the process forked."""
    global _lock  # noqa: PLW0603
    _lock = threading.Lock()

"""Spans and durations of redis commands, and the count of cache hits and misses.

:func:`eldonia_telemetry.init` connects it by itself. A command gets a span when it runs inside another.
Keys and values are not recorded. A read that finds a value is a hit, one that finds none a miss; of
reads of many keys each counts.
"""

import functools
import time
from collections.abc import Sequence
from typing import Any, Final

import redis
import redis.asyncio
import redis.asyncio.client
import redis.client

from eldonia_telemetry import dropped_data, metrics
from eldonia_telemetry.performance import operations
from eldonia_telemetry.traces import Kind, Span, current_span, start_span

_SEEN: Final = "eldonia_telemetry"
_ONE: Final = frozenset({"GET", "GETEX", "GETDEL", "HGET", "JSON.GET"})
_MANY: Final = frozenset({"MGET", "HMGET", "JSON.MGET"})
_ALL: Final = frozenset({"HGETALL", "SMEMBERS"})
_MAX_NAME: Final = 24


def connect() -> None:
    """Observe the commands and pipelines of both kinds of client. Twice is once."""
    _wrap(redis.Redis, "execute_command", _command)
    _wrap(redis.asyncio.Redis, "execute_command", _command_async)
    _wrap(redis.client.Pipeline, "execute", _pipeline)
    _wrap(redis.asyncio.client.Pipeline, "execute", _pipeline_async)


def _wrap(owner: type, name: str, make: Any) -> None:
    original = owner.__dict__[name]
    if not hasattr(original, _SEEN):
        wrapped = functools.wraps(original)(make(original))
        setattr(wrapped, _SEEN, True)
        setattr(owner, name, wrapped)


def _command(original: Any) -> Any:
    def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        started = _begin(self, args[0] if args else "")
        try:
            answer = original(self, *args, **options)
        except Exception as error:
            _end(started, error)
            raise
        _end(started, None, (((args, answer)),))
        return answer

    return execute_command


def _command_async(original: Any) -> Any:
    async def execute_command(self: Any, *args: Any, **options: Any) -> Any:
        started = _begin(self, args[0] if args else "")
        try:
            answer = await original(self, *args, **options)
        except Exception as error:
            _end(started, error)
            raise
        _end(started, None, ((args, answer),))
        return answer

    return execute_command


def _pipeline(original: Any) -> Any:
    def execute(self: Any, *args: Any, **options: Any) -> Any:
        commands = _stacked(self)
        started = _begin(self, "PIPELINE")
        try:
            answers = original(self, *args, **options)
        except Exception as error:
            _end(started, error)
            raise
        _end(started, None, tuple(zip(commands, answers, strict=False)))
        return answers

    return execute


def _pipeline_async(original: Any) -> Any:
    async def execute(self: Any, *args: Any, **options: Any) -> Any:
        commands = _stacked(self)
        started = _begin(self, "PIPELINE")
        try:
            answers = await original(self, *args, **options)
        except Exception as error:
            _end(started, error)
            raise
        _end(started, None, tuple(zip(commands, answers, strict=False)))
        return answers

    return execute


def _stacked(pipeline: Any) -> list[Sequence[Any]]:
    """The arguments of each command that waits in a pipeline."""
    try:
        return [getattr(command, "args", None) or command[0] for command in pipeline.command_stack]
    except (AttributeError, IndexError, TypeError):
        return []


def _begin(client: Any, command: Any) -> tuple[Span | None, float, str]:
    name = "OTHER"
    try:
        word = command.decode("latin-1") if isinstance(command, bytes) else str(command)
        word = word.partition(" ")[0].upper()
        if len(word) <= _MAX_NAME and word.replace(".", "").replace("_", "").isalnum():
            name = word
        parent = current_span()
        if parent is not None and parent.recording:
            details = client.connection_pool.connection_kwargs
            span = start_span(name, kind=Kind.CLIENT, attributes={"db.system.name": "redis", "db.operation.name": name})
            span.set_attribute("db.namespace", str(details.get("db", 0)))
            if details.get("host"):
                span.set_attribute("server.address", str(details["host"]))
            return span, time.perf_counter(), name
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "command could not be observed", error)
    return None, time.perf_counter(), name


def _end(
    started: tuple[Span | None, float, str], failure: Exception | None, answers: Sequence[tuple[Any, Any]] = ()
) -> None:
    try:
        span, at, name = started
        metrics.standard.database.labels("redis", name).observe(time.perf_counter() - at)
        if failure is not None:
            operations.count_error(failure)
        else:
            hits = misses = 0
            for args, answer in answers:
                found, lacking = _looked_up(args, answer)
                hits += found
                misses += lacking
            if hits or misses:
                operations.count_cache(hits, misses)
        if span is not None:
            if failure is not None:
                span.record_exception(failure)
            span.end()
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("span", "command could not be observed", error)


def _looked_up(args: Sequence[Any], answer: Any) -> tuple[int, int]:
    command = str(args[0]).upper() if args else ""
    if command in _ONE:
        return (0, 1) if answer is None else (1, 0)
    if command in _MANY and isinstance(answer, list):
        missing = sum(value is None for value in answer)
        return len(answer) - missing, missing
    if command in _ALL:
        return (1, 0) if answer else (0, 1)
    return 0, 0

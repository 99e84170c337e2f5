"""One log record to a file: ours beside the standard library with JSON, structlog with orjson, pino and winston.

All write the seed's LogEntry fields; request fields are bound to the context where the logger has one.
Ours also redacts and rotates, since that is how it is used; so does one of the structlogs.
"""

import contextlib
import json
import logging
import logging.handlers
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import structlog

import eldonia_telemetry as telemetry
from benchmarks.harness import Contender, Table, alternate, durations
from benchmarks.node_loggers import node_loggers
from eldonia_telemetry import values

_SIZE, _FILES = 5 * 1024 * 1024, 5
_NODE = {"pino": "pino, plain file", "winston": "winston, plain file"}
_BOUND = {
    "userId": "u-4711",
    "sessionId": "s-0815",
    "requestId": "3f2a9c1e5b7d4f60",
    "ipAddress": "203.0.113.9",
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
}


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(
            {
                "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
                "level": record.levelname.lower(),
                "service": "shop",
                "component": record.name,
                "message": record.getMessage(),
                **getattr(record, "seed", {}),
            }
        )


def run(quick: bool) -> list[Table]:
    """Microseconds a record, and nanoseconds for a record of a level that is off."""
    count = 100 if quick else 2_000
    calls = 1_000 if quick else 100_000
    rounds = 2 if quick else 21
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(_ours(folder / "ours"))
        standard = stack.enter_context(_standard(folder / "standard.log"))
        plain = stack.enter_context(_structlog_to_file(folder / "structlog.log"))
        rotating = stack.enter_context(_structlog_rotating(folder / "structlog-rotating.log"))
        alike = stack.enter_context(_structlog_rotating(folder / "structlog-alike.log", redacts=True))
        node = stack.enter_context(node_loggers(folder))

        def repeat(log: Callable[[int], Any], times: int) -> Callable[[], None]:
            def work() -> None:
                for number in range(times):
                    log(number)

            return work

        def repeat_off(debug: Callable[..., Any]) -> Callable[[], None]:
            def work() -> None:
                for _ in range(calls):
                    debug("cart")

            return work

        def repeat_off_with_field(debug: Callable[..., Any]) -> Callable[[], None]:
            def work() -> None:
                for _ in range(calls):
                    debug("cart", size=3)

            return work

        def by_ours(number: int) -> None:
            ours.info("order placed", operation="POST /orders", order_id=number, total=3800, items=["a", "b"])

        def by_standard(number: int) -> None:
            # It knows no context: its users pass the fields with every call.
            metadata = {"order_id": number, "total": 3800, "items": ["a", "b"]}
            standard.info("order placed", extra={"seed": {**_BOUND, "operation": "POST /orders", "metadata": metadata}})

        def by_structlog(logger: Any) -> Callable[[int], None]:
            def log(number: int) -> None:
                metadata = {"order_id": number, "total": 3800, "items": ["a", "b"]}
                logger.info("order placed", operation="POST /orders", metadata=metadata)

            return log

        written = alternate(
            [
                Contender("ours: redaction, rotation, errors apart", repeat(by_ours, count), count),
                Contender("structlog + orjson, plain file", repeat(by_structlog(plain), count), count),
                Contender("structlog + orjson, stdlib's rotating file", repeat(by_structlog(rotating), count), count),
                Contender("the same, with our redaction as a processor", repeat(by_structlog(alike), count), count),
                Contender("stdlib logging + json, rotating file", repeat(by_standard, count), count),
                *(Contender(_NODE[name], partial(write, count), count) for name, write in node.items()),
            ],
            rounds=rounds,
        )
        off = alternate(
            [
                Contender("ours", repeat_off(ours.debug), calls),
                Contender("structlog's filtering logger", repeat_off(plain.debug), calls),
                Contender("stdlib logging", repeat_off(standard.debug), calls),
            ],
            rounds=rounds,
        )
        with_field = alternate(
            [
                Contender("ours, with a field", repeat_off_with_field(ours.debug), calls),
                Contender("structlog's filtering logger, with a field", repeat_off_with_field(plain.debug), calls),
            ],
            rounds=rounds,
        )
        _check(folder, count)
    notes = [
        "every record holds the seed's fields with five of them bound to the request, and a metadata object",
        "every contender but winston writes each record at once, in one write",
        "pino looks at ten fields for secrets, ours at all of them and into texts",
    ]
    if not node:
        notes.append("pino and winston were left out: no Node, or no access to its registry")
    return [
        durations("Logger, one record to a file", written, "µs a record", notes=notes),
        _joined(
            durations("Logger, a level that is off", off, "ns a call", notes=["the loop around the call is included"]),
            durations("", with_field, "ns a call"),
        ),
    ]


def _joined(first: Table, second: Table) -> Table:
    return Table(first.title, [*first.rows, *second.rows], [*first.notes, *second.notes])


def _check(folder: Path, count: int) -> None:
    """All of them have really written what they were given."""
    for path in (folder / "ours" / "combined.log", *folder.glob("*.log")):
        record = json.loads(path.read_text().splitlines()[0 if path.name == "combined.log" else -1])
        missing = {"timestamp", "level", "message", "operation", "metadata", *_BOUND} - set(record)
        assert not missing, (path.name, missing)
    assert count


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[telemetry.Logger]:
    telemetry.init(service="shop", log_dir=str(folder), console=False, capture_logging=False, otlp_endpoint="")
    bound = telemetry.bind(
        user_id=_BOUND["userId"],
        session_id=_BOUND["sessionId"],
        request_id=_BOUND["requestId"],
        ip_address=_BOUND["ipAddress"],
        user_agent=_BOUND["userAgent"],
    )
    try:
        yield telemetry.get_logger(component="orders")
    finally:
        bound.undo()
        telemetry.shutdown()


@contextlib.contextmanager
def _standard(path: Path) -> Iterator[logging.Logger]:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_SIZE, backupCount=_FILES - 1)
    handler.setFormatter(_JsonFormatter())
    logger = logging.getLogger("benchmarks.orders")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()


_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.EventRenamer("message"),
    structlog.processors.format_exc_info,
]


@contextlib.contextmanager
def _structlog_to_file(path: Path) -> Iterator[Any]:
    with path.open("ab") as file, structlog.contextvars.bound_contextvars(**_BOUND):
        yield structlog.wrap_logger(
            structlog.BytesLogger(file),
            processors=[*_PROCESSORS, structlog.processors.JSONRenderer(serializer=orjson.dumps)],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            service="shop",
            component="orders",
        ).bind()


def _redact(_logger: Any, _method: str, event: Any) -> Any:
    return values.fields(event)


@contextlib.contextmanager
def _structlog_rotating(path: Path, *, redacts: bool = False) -> Iterator[Any]:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_SIZE, backupCount=_FILES - 1)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger(f"benchmarks.{path.stem}")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)

    def render(_logger: Any, _method: str, event: Any) -> str:
        return orjson.dumps(event).decode()

    try:
        yield structlog.wrap_logger(
            logger,
            processors=[*_PROCESSORS, *([_redact] if redacts else []), render],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
            service="shop",
            component="orders",
        ).bind()
    finally:
        logger.removeHandler(handler)
        handler.close()

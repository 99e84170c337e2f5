"""Keeps the handler of the standard ``logging`` module through the start of a Celery worker, and delivers at its end.

A worker takes all handlers off the root logger and ``celery.task`` when it begins (``worker_hijack_root_logger``), and
sends a signal when it has (https://docs.celeryq.dev/en/stable/userguide/signals.html). Its pool's processes leave by
``os._exit``. :func:`eldonia_telemetry.init` connects this by itself.
"""

import logging
from typing import Any

from celery import signals

from eldonia_telemetry import runtime
from eldonia_telemetry.integrations import stdlib


def connect() -> None:
    """Listen to the worker's signals. Twice is once."""
    for signal in (signals.after_setup_logger, signals.after_setup_task_logger):
        signal.connect(_configured, weak=False, dispatch_uid="eldonia_telemetry")
    for signal in (signals.worker_process_shutdown, signals.worker_shutdown):
        signal.connect(_leaving, weak=False, dispatch_uid="eldonia_telemetry")


def _configured(logger: logging.Logger | None = None, **_: Any) -> None:
    stdlib.stay_on(logger)


def _leaving(**_: Any) -> None:
    runtime.current.flush()

"""Processes that ``multiprocessing`` starts: what they are set up as, and what they deliver before they end.

A forked child has its parent's setup. One that is spawned, or comes from the fork server, imports the program anew,
mostly without ``init``, which is usually below ``if __name__ == "__main__"``. So the settings travel with the process
object, which every child gets over a pipe. They are in no environment variable: other programs that are
started would inherit the tokens in it.

Children of a pool are ended by SIGTERM (``with Pool() as pool``), and daemons too. Where the program has no
handler of its own for it, they deliver what is queued first.
"""

import contextlib
import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from eldonia_telemetry import dropped_data, runtime
from eldonia_telemetry.settings import Settings

_KEY: Final = "eldonia_telemetry"
_FIELDS: Final = frozenset(field.name for field in dataclasses.fields(Settings))


def hand_on(settings: Settings) -> None:
    """Give the settings to all children that this process starts from now on."""
    import multiprocessing.process as processes

    config: Any = getattr(processes.current_process(), "_config", None)
    if isinstance(config, dict):
        # Plain values only: a child that cannot import this package must be able to read them.
        config[_KEY] = dataclasses.asdict(settings)


def inherited() -> Settings | None:
    """The settings that the parent process has given to this one; None where there are none."""
    processes: Any = sys.modules.get("multiprocessing.process")
    if processes is None or processes.parent_process() is None:
        return None
    given: Any = getattr(processes.current_process(), "_config", {}).get(_KEY)
    if not isinstance(given, dict):
        return None
    # Another version of this package may have made them.
    return Settings(**{name: value for name, value in given.items() if name in _FIELDS})


def begin(set_up: Callable[[Settings], None]) -> None:
    """Set this process up as its parent, if it is a child, at once or as soon as it knows what it is.

    ``set_up`` decides whether the process has been set up already.
    """

    def in_child() -> None:
        settings = inherited()
        if settings is not None:
            set_up(settings)
        _deliver_before_terminated()

    runtime.in_children.append(in_child)
    _after_spawn(in_child)
    if inherited() is not None:  # imported when the child was at work already
        in_child()


def _after_spawn(in_child: Callable[[], None]) -> None:
    """Call when a spawned child has been given what it is: nothing that is registered is called then."""
    processes: Any = sys.modules.get("multiprocessing.process")
    spawned: Any = getattr(sys.modules.get("multiprocessing.context"), "SpawnProcess", None)
    # Only while the child imports its program, which is the time between its start and that call.
    if spawned is None or not getattr(processes and processes.current_process(), "_inheriting", False):
        return
    if "_after_fork" not in vars(spawned):
        return
    after = spawned._after_fork

    def after_spawn() -> None:
        after()
        try:
            in_child()
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("setup", "child process could not be set up", error)

    spawned._after_fork = staticmethod(after_spawn)


def _deliver_before_terminated() -> None:
    with contextlib.suppress(ValueError):  # not the main thread
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Deliver, then end by the signal after all.

    In a thread of its own: what this interrupted may hold a lock that the delivery needs.
    """
    signal.signal(number, signal.SIG_DFL)
    if runtime.leaving:
        # A worker of a pool may be at its end already when the pool terminates it. What this interrupted delivers,
        # and ends by the signal afterwards; a second signal ends it at once.
        runtime.deferred_signals.append(number)
        return
    try:
        thread = threading.Thread(target=runtime.current.close, args=(runtime.EXIT_TIMEOUT,), daemon=True)
        thread.start()
        thread.join(runtime.EXIT_TIMEOUT + 0.5)
    except BaseException as error:  # noqa: BLE001  it ends in any case
        dropped_data.count("setup", "could not close", error if isinstance(error, Exception) else None)
    finally:
        os.kill(os.getpid(), number)

"""What the SDK could not do: counted by signal and reason, and said once on standard error.

Telemetry must never take its host down, so every failure inside the SDK ends here instead of in an
exception. The counts are exposed as ``eldonia_telemetry_lost_total{signal,reason}``.
"""

import sys
import threading
from typing import Final

_lock = threading.RLock()  # a signal handler or a finaliser may log while its thread is in here
_counts: dict[tuple[str, str], int] = {}
_MAX_REASONS: Final = 200


def count(signal: str, reason: str, error: BaseException | None = None, amount: int = 1) -> None:
    """Count a loss; the first of its kind is written to standard error.

    Args:
        signal: what was lost: ``log``, ``span``, ``metric``, ``security`` or ``setup``.
        reason: a short, constant phrase (it becomes a label value).
        error: the exception behind it, shown in the one report.
        amount: how many items were lost.
    """
    key = (signal, reason)
    with _lock:
        known = key in _counts
        if not known and len(_counts) >= _MAX_REASONS:
            key = (signal, "other")
            known = key in _counts
        _counts[key] = _counts.get(key, 0) + amount
    if not known:
        detail = f": {type(error).__name__}: {error}" if error is not None else ""
        _say(f"eldonia-telemetry: {signal}: {reason}{detail} (counted from now on, not repeated)\n")


def snapshot() -> dict[tuple[str, str], int]:
    """Counts so far by ``(signal, reason)``."""
    with _lock:
        return dict(_counts)


def _say(text: str) -> None:
    try:
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
    except Exception:  # noqa: BLE001, S110  standard error may be closed; there is no other place to report it
        pass


def after_fork() -> None:
    """Replace the lock: another thread may have held it when the process forked."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()

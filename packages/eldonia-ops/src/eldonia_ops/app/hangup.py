"""SIGHUP while there is nothing yet, or nothing any more, that could reload."""

import signal


def pass_over_hangups() -> None:
    """Let SIGHUP not end the process. A handler that does nothing, since programs that we start would inherit that the
    signal is ignored."""
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)

"""Separates requests that cannot be understood from faults of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

TOO_MUCH: Final = "the answer would take more time, rows or memory than one question may"
"""What is said when the telemetry store reached a limit; its own words show its statements."""


class BadRequestError(ValueError):
    """The request cannot be understood; the message names the place and is meant for the sender."""


@contextmanager
def reading_request() -> Iterator[None]:
    """Around the parsing of what a request holds, or on the function that parses: a ``ValueError`` is the sender's.

    Everywhere else it is a fault of ours, which is logged and answered with 500.

    Raises:
        BadRequestError: in place of any ``ValueError``, and of what a document nested too deeply leads to.
    """
    try:
        yield
    except BadRequestError:
        raise
    except RecursionError as error:
        raise BadRequestError("it is nested too deeply") from error
    except ValueError as error:
        raise BadRequestError(str(error)) from error

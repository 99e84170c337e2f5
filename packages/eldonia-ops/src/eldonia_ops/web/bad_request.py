"""What tells a request that cannot be understood from a fault of our own."""

from collections.abc import Iterator
from contextlib import contextmanager


class BadRequestError(ValueError):
    """The request cannot be understood; the message names the place and is meant for whoever sent it."""


@contextmanager
def reading() -> Iterator[None]:
    """Around the parsing of what a request holds: a ``ValueError`` there is the sender's.

    Everywhere else it is a fault of ours, which is logged and answered with 500.

    Raises:
        BadRequestError: in place of any ``ValueError``.
    """
    try:
        yield
    except BadRequestError:
        raise
    except ValueError as error:
        raise BadRequestError(str(error)) from error

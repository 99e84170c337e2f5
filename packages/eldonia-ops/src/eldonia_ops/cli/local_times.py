"""Times on the command line are those of this machine's clock: the platform may be in another zone."""

from datetime import datetime

from eldonia_ops.model.time_words import stretch_of


def local_instant(text: str, *, end: bool = False) -> str:
    """What to ask the platform for: a time in words, or without a zone, as Unix milliseconds, anything else as it is.

    With ``end`` a whole day means the instant at which it is over.
    """
    if text.startswith(("-", "now")):
        return text  # the platform's own clock counts
    found = stretch_of(text, datetime.now())
    return str(round(found[end].timestamp() * 1000)) if found else text


def local_zone() -> str:
    """How far this machine's clock is from UTC, as ``+0900``."""
    return datetime.now().astimezone().strftime("%z")

"""What every formatter of the pipeline is."""

from typing import Any, ClassVar


class Formatter:
    """Events to bytes, as outputs write them."""

    type: ClassVar[str] = ""
    content_type: ClassVar[str] = "text/plain; charset=utf-8"
    """The media type of one formatted event."""

    def format(self, tag: str, time_ns: int, record: dict[str, Any]) -> bytes:
        """One event, with its newline where the form has lines. ``time_ns`` is in Unix nanoseconds. Never raises for
        a value that cannot be written: its text is written instead."""
        raise NotImplementedError

"""What every parser of the pipeline is."""

from typing import Any, ClassVar, TypeAlias

Parsed: TypeAlias = tuple[int | None, dict[str, Any]]
"""The time in Unix nanoseconds, None where the text names none (the caller's time counts then), and the record."""


class ParseError(ValueError):
    """A text that a parser cannot read. ``reason`` is a sentence for people, without the text itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Parser:
    """Text to records. One parser may be used for any number of texts, in any order; it keeps nothing of them but
    caches."""

    type: ClassVar[str] = ""
    multi_line: bool = False
    """Whether a text may have several lines: then :meth:`begins` says which line begins the next one."""

    def parse(self, text: str, now_ns: int = 0) -> list[Parsed]:
        """The records of a text, which has no newline at its end. Nearly always one.

        ``now_ns`` (Unix nanoseconds) gives a year to times without one, as syslog has them; 0: such times are None.

        Raises:
            ParseError: it does not have this form.
        """
        raise NotImplementedError

    def parse_bytes(self, data: bytes, now_ns: int = 0) -> list[Parsed]:
        """:meth:`parse` of bytes. What is no UTF-8 becomes U+FFFD, except where the form is one of bytes (msgpack).

        Raises:
            ParseError: they do not have this form.
        """
        return self.parse(data.decode("utf-8", "replace"), now_ns)

    def begins(self, line: str) -> bool:
        """Whether a line begins a new text. Always, except for parsers with :attr:`multi_line`."""
        return True

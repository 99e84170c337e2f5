"""A place in the text of a ``fluent.conf``."""

from bisect import bisect_right
from collections.abc import Callable

from eldonia_ops.pipeline.section import Place

BLANK = " \t"
NEWLINE = "\r\n"


class Cursor:
    """Moves over a text, forward only but for :attr:`at`, which may be set."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.at = 0
        self._lines = [0, *(place + 1 for place, char in enumerate(text) if char == "\n")]

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.place_of(self.at)

    def place_of(self, at: int) -> Place:
        """The line of a character."""
        return Place(self.file, bisect_right(self._lines, at))

    def peek(self) -> str:
        """The next character, '' at the end."""
        return self.text[self.at : self.at + 1]

    def take(self, what: str) -> bool:
        """Move over ``what`` if it is next."""
        if not self.text.startswith(what, self.at):
            return False
        self.at += len(what)
        return True

    def take_while(self, wanted: Callable[[str], bool]) -> str:
        """The longest run of wanted characters."""
        start = self.at
        while self.at < len(self.text) and wanted(self.text[self.at]):
            self.at += 1
        return self.text[start : self.at]

    def skip_blank(self) -> None:
        """Move over spaces and tabs."""
        while self.at < len(self.text) and self.text[self.at] in BLANK:
            self.at += 1

    def skip_space(self, *, comments: bool) -> bool:
        """Move over white space and, if wanted, comments. Returns whether a line ended on the way."""
        start = self.at
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in BLANK or char in NEWLINE:
                self.at += 1
            elif comments and char == "#":
                self._to_newline()
            else:
                break
        return self.ended or "\n" in self.text[start : self.at] or "\r" in self.text[start : self.at]

    def end_line(self) -> bool:
        """Move behind the end of the line, over blanks and a comment; False, and no move, where more is written."""
        at = self.at
        self.skip_blank()
        if self.peek() == "#":
            self._to_newline()
        if self.ended or self.peek() in NEWLINE:
            self.skip_line()
            return True
        self.at = at
        return False

    def ends_line(self) -> bool:
        """Whether only blanks and a comment are left in the line. Does not move."""
        at = self.at
        ended = self.end_line()
        self.at = at
        return ended

    def skip_line(self) -> None:
        """Move to the beginning of the next line."""
        self._to_newline()
        self.take("\r")
        self.take("\n")

    def _to_newline(self) -> None:
        while self.at < len(self.text) and self.text[self.at] not in NEWLINE:
            self.at += 1

"""How long one text may become while a template is rendered."""

from typing import Final

MAX_TEXT: Final = 1_000_000
"""Characters (or bytes of UTF-8) of one text that a function makes; also the default of what one execution writes."""


class TextTooLongError(ValueError):
    """A function would make a longer text. It has to be raised before that text is there: a pattern of a few thousand
    characters can ask for gigabytes."""

    def __init__(self) -> None:
        super().__init__(f"the text would be longer than {MAX_TEXT} characters")


class TextParts:
    """The parts of one text (or its bytes), as long as they are not too many."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._size = 0

    def append(self, part: str) -> None:
        """Add a part.

        Raises:
            TextTooLongError: together they are longer than :data:`MAX_TEXT`.
        """
        self._size += len(part)
        if self._size > MAX_TEXT:
            raise TextTooLongError
        self.parts.append(part)

    def __str__(self) -> str:
        return "".join(self.parts)

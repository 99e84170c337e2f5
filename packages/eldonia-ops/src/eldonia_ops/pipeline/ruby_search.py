"""Ruby's regular expressions where it matters where they match, and what their groups took."""

from collections.abc import Iterator
from typing import Any

from eldonia_ops.pipeline.ruby_regexp import RubyRegexp


class RubySearch(RubyRegexp):
    """A compiled expression; where no group has a name, those without one capture.

    Raises:
        ValueError: see :class:`RubyRegexp`.
    """

    def __init__(self, written: str) -> None:
        super().__init__(written, captures=True)

    def first(self, text: str) -> Any:
        """The first match, or None."""
        return self._pattern.search(text)

    def all(self, text: str) -> Iterator[Any]:
        """Every match, from left to right, without overlaps."""
        yield from self._pattern.finditer(text)

    def group_of(self, name: str) -> int:
        """The number of a named group, 0 (the whole match) when there is none."""
        return self._names.index(name) + 1 if name in self._names else 0

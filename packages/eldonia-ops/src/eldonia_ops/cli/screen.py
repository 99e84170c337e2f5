"""A terminal that shows what strangers wrote and does not obey it.

Log messages, span names and labels come from any client of an application. A terminal takes escape
sequences in them for orders (to change its title, to rewrite lines, to put text on the clipboard), and
rich takes ``[link=...]`` for markup. Here both are text.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Control pictures for the C0 controls and DEL; C1 controls (0x9b begins escape sequences too) and the
# characters that turn the direction of writing are spelt out.
_SHOWN: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"\\x{code:02x}" for code in range(0x80, 0xA0)},
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F)},
}
_IN_ONE_LINE: Final = {**_SHOWN, 0x0A: "\u240a", 0x0D: "\u240d"}
_UNSAFE_IN_JSON: Final = re.compile(r"[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def readable(text: str, *, one_line: bool = False) -> str:
    """The text with every control character made visible; line breaks and tabs stay unless ``one_line``."""
    return text.translate(_IN_ONE_LINE if one_line else _SHOWN)


def safe_json(text: str) -> str:
    """JSON in which the controls that JSON itself allows are escaped; it reads back the same."""
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Screen(Console):
    """A console without markup and emoji codes whose texts are :func:`readable`; its own styles work as ever."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, "markup": False, "emoji": False, **options})

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments of text made readable; those that control the terminal are rich's own."""
        return self._readable(super().render(renderable, options))

    def _readable(self, segments: Iterable[Segment]) -> Iterator[Segment]:
        for segment in segments:
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                yield Segment(readable(segment.text), segment.style)


class OneLineFormatter(logging.Formatter):
    """Messages on one line each, whatever they quote; tracebacks keep their lines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """The message without controls and line breaks."""
        return readable(super().formatMessage(record), one_line=True)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name that logging calls
        """The traceback without controls."""
        return readable(super().formatException(ei))

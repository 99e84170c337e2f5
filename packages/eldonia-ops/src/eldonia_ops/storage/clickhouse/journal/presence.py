"""Which of some rows the engine has: asked after an end of any kind, before rows of the write-ahead log are inserted.

Rows are looked for by their instants: those that lie close together with one question.
"""

from collections.abc import Iterable
from typing import Final

MAX_QUESTIONS: Final = 50


def ranges(instants: Iterable[int], gap: int) -> list[tuple[int, int]]:
    """Closed ranges that hold all instants, with more than ``gap`` between them; no more than :data:`MAX_QUESTIONS`.

    Where there would be more, wider gaps are bridged.
    """
    ordered = sorted(set(instants))
    while True:
        found: list[tuple[int, int]] = []
        for instant in ordered:
            if found and instant - found[-1][1] <= gap:
                found[-1] = (found[-1][0], instant)
            else:
                found.append((instant, instant))
        if len(found) <= MAX_QUESTIONS:
            return found
        gap = max(1, gap * 4)

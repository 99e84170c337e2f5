"""Offsets of zones as texts of times name them."""

import re
from functools import lru_cache
from typing import Final

from eldonia_ops.model.timestamps import ZONE_OFFSETS

_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2})(?::?([0-9]{2})(?::?([0-9]{2}))?)?", re.IGNORECASE)


@lru_cache(maxsize=512)
def offset_seconds(text: str) -> int | None:
    """Seconds east of UTC of ``+0900``, ``+09:00``, ``Z``, ``JST``; None for letters that mean no zone."""
    if match := _OFFSET.fullmatch(text):
        seconds = int(match[2]) * 3_600 + int(match[3] or 0) * 60 + int(match[4] or 0)
        return -seconds if match[1] == "-" else seconds
    return ZONE_OFFSETS.get(text.upper())

"""Counts in words."""


def counted(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``1,200 files``. ``many`` is the word for other numbers, where an ``s`` is not enough."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"

"""Counts in words."""


def chosen(count: object, one: str, many: str) -> str:
    """The word that goes with a count, which may be a number or its text."""
    return one if str(count) == "1" else many


def counted(count: int, one: str, many: str = "") -> str:
    """``1 file``, ``1,200 files``. ``many`` is the word for other numbers, where an ``s`` is not enough."""
    return f"{count:,} {chosen(count, one, many or one + 's')}"

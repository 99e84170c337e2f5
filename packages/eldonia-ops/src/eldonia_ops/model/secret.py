"""A text that must never be printed, logged or stored beside what it unlocks."""

import hmac


class Secret:
    """A password, token or URL with credentials in it; it prints as ``<secret>`` wherever it turns up.

    Only :meth:`reveal` gives the text, so every place that uses it can be found by that name.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str = "") -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for handing to the far side and nothing else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Secret):
            mine, theirs = (text.encode("utf-8", "surrogatepass") for text in (self._value, other._value))
            return hmac.compare_digest(mine, theirs)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return "<secret>"

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be serialised")

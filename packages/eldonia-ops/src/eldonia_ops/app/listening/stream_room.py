"""Room for one more connection at a listener that is full: who fills all places must not shut others out."""

from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

KEPT_SHARE: Final = 4
"""One place in so many is kept for others than the one client, while that client is not alone."""


class Held(Protocol):
    """A connection that holds a place."""

    @property
    def network(self) -> str:
        """What one client can choose its addresses from."""
        ...

    @property
    def silent_since(self) -> float | None:
        """Since when it is read from and sends nothing; None while something of it is worked on."""
        ...


SomeHeld = TypeVar("SomeHeld", bound=Held)


def gives_way(held: Iterable[SomeHeld], network: str, most: int) -> SomeHeld | bool:
    """Whether one more connection of a client may have a place: True, False, or the connection that gives its own up.

    That is the one that has sent nothing for longest, of the client that has most places. A client's own connections
    never give way to another of its own: they may be in the middle of a message.
    """
    known = list(held)
    counts = Counter(one.network for one in known)
    alone = not any(other != network for other in counts)
    if counts[network] >= (most if alone else max(1, most - most // KEPT_SHARE)):
        return False
    if len(known) < most:
        return True
    crowd = counts.most_common(1)[0][0]
    silent = [one for one in known if one.network == crowd != network and one.silent_since is not None]
    return min(silent, key=lambda one: one.silent_since or 0.0) if silent else False

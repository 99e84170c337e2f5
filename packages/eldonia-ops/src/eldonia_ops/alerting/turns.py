"""Whose turn it is: urgent items first, and items of different causes one after the other.

Round robin over queues, as in https://en.wikipedia.org/wiki/Fair_queuing with items of equal size: a single page of one
cause waits for at most one item of each other cause, however many of those there are.
"""

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """Items that wait. Those of one cause and urgency keep their order."""

    def __init__(self) -> None:
        self._urgent: dict[str, deque[T]] = {}
        self._others: dict[str, deque[T]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def causes(self) -> int:
        """How many causes take turns at present: the urgent ones while there are any."""
        return len(self._urgent or self._others)

    def put(self, item: T, *, urgent: bool, cause: str) -> None:
        """Let an item wait for its turn."""
        (self._urgent if urgent else self._others).setdefault(cause, deque()).append(item)
        self._count += 1

    def take(self) -> T:
        """The item whose turn it is.

        Raises:
            IndexError: none waits.
        """
        waiting = self._urgent or self._others
        if not waiting:
            raise IndexError("nothing waits")
        cause = next(iter(waiting))
        queue = waiting.pop(cause)
        item = queue.popleft()
        if queue:
            waiting[cause] = queue  # behind the other causes
        self._count -= 1
        return item

    def upcoming(self, count: int) -> list[T]:
        """The items that would be taken next, ``count`` at most, if no other came."""
        found: list[T] = []
        for waiting in (self._urgent, self._others):
            left = [iter(queue) for queue in islice(waiting.values(), count)]
            while left and len(found) < count:
                for queue in list(left):
                    try:
                        found.append(next(queue))
                    except StopIteration:
                        left.remove(queue)
        return found[:count]

    def clear(self) -> None:
        """Forget all that wait."""
        self._urgent, self._others, self._count = {}, {}, 0

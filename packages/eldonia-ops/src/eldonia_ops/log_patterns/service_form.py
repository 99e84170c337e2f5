"""Whether the messages of a service have a form, and how many patterns it may begin.

Text without form, in which hardly two messages are alike, would make a pattern of every message and cost more than the
rest of the intake. So it is recognised, for each service apart, by how many of its new shapes find a pattern; then only
one in :data:`SAMPLED` of its new shapes is looked at, and the others have no pattern. Of services in which hardly any
record has one, only one in :data:`STRIDE` records is looked at. And a service may begin :data:`NEW_AT_ONCE` patterns at
once, then one each :data:`NEW_EVERY_MS`.
"""

from dataclasses import dataclass
from typing import Final

NEW_AT_ONCE: Final = 200
NEW_EVERY_MS: Final = 60_000
SAMPLED: Final = 64
STRIDE: Final = 8
_LOOKED_AT: Final = 128
"""After so many records it is decided whether the messages of a service have a form: fewer than a third are new."""

_REMEMBERED: Final = 1_024


@dataclass(slots=True)
class ServiceForm:
    """What is known of one service: how many of its last records found a pattern, and how many it may begin."""

    allowance: float
    allowed_at_ms: int
    found: int = 0
    missed: int = 0
    shapeless: bool = False
    barren: bool = False
    passed: int = 0

    def note(self, found: int, missed: int) -> None:
        """Count records that found a pattern, and others."""
        self.found += found
        self.missed += missed
        count = self.found + self.missed
        if count < _LOOKED_AT:
            return
        shapeless = self.missed * 3 > count
        if shapeless and not self.shapeless:
            self.allowance = 0.0
        self.shapeless = shapeless
        self.barren = self.found * 8 < count
        if count > _REMEMBERED:
            self.found, self.missed = self.found * _LOOKED_AT // count, self.missed * _LOOKED_AT // count

    def looks(self) -> bool:
        """Whether a new shape is looked at."""
        if not self.shapeless:
            return True
        self.passed += 1
        return not self.passed % SAMPLED

    @property
    def weight(self) -> int:
        """How many records one that is looked at is an example of."""
        return SAMPLED if self.shapeless else 1

    def may_begin(self, now_ms: int) -> bool:
        """Whether a pattern may begin; it is taken for done."""
        earned = max(0, now_ms - self.allowed_at_ms) / NEW_EVERY_MS
        self.allowance, self.allowed_at_ms = min(NEW_AT_ONCE, self.allowance + earned), now_ms
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True

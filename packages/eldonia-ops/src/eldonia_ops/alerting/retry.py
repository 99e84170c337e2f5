"""When an undelivered notification is tried again: a decision as a value.

Exponential from 1 s to 5 min, spread by a jitter that follows from the row, so that it can be
computed again and rows do not come back in step.
"""

import hashlib
from typing import Final

FIRST_MS: Final = 1_000
LONGEST_MS: Final = 300_000
GIVE_UP_MS: Final = 6 * 3_600_000
GIVE_UP_CRITICAL_MS: Final = 48 * 3_600_000
LONGEST_RETRY_AFTER_MS: Final = 3_600_000


def next_attempt(
    attempts: int,
    now: int,
    retry_after_ms: int = 0,
    created_at: int = 0,
    *,
    key: str = "",
    critical: bool = False,
    rejected: bool = False,
) -> int | None:
    """The instant of the next attempt, or None to give up.

    ``attempts`` counts those made so far (at least 1), ``created_at`` is when the row was written (0:
    unknown, never too old), ``retry_after_ms`` what the far side asked for (honoured up to an hour),
    ``key`` anything that names the row. What was rejected is not tried again. Others are given up
    after 6 h, critical ones after 48 h.
    """
    if rejected:
        return None
    lifetime = GIVE_UP_CRITICAL_MS if critical else GIVE_UP_MS
    if created_at and now - created_at >= lifetime:
        return None
    pause = min(LONGEST_MS, FIRST_MS * 2 ** min(max(attempts, 1) - 1, 20))
    digest = hashlib.blake2b(f"{key}:{attempts}".encode(), digest_size=4).digest()
    spread = int.from_bytes(digest, "big") / 2**32
    jittered = int(pause * (0.8 + 0.4 * spread))
    return now + max(min(jittered, LONGEST_MS), min(retry_after_ms, LONGEST_RETRY_AFTER_MS))

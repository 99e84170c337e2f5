"""Looks for inputs that break a target: from the corpus, by mutations, and by growing a piece of an input."""

import random
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from fuzz.mutations import Mutator
from fuzz.target import MAX_SECONDS, Target, TooSlowError, limited

SMALL: Final = 8 * 1024
LARGE: Final = 64 * 1024
_GROWTH: Final = 24.0
"""Eight times the input may take eight times as long, quadratic work takes 64 times: between them."""
_MEASURABLE: Final = 0.4
"""CPU-seconds below which growth is not judged."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that breaks its target. ``signature`` is the same for inputs that break it at the same place."""

    target: str
    data: bytes
    signature: str
    detail: str


def tried(target: Target, data: bytes, seconds: float = MAX_SECONDS) -> Finding | None:
    """Run one input; None when the target holds."""
    try:
        with limited(seconds):
            target.check(data)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return Finding(target.name, data, _signature(error), "".join(traceback.format_exception(error))[-4000:])
    return None


def mutations(
    target: Target,
    seed: int,
    seconds: float,
    *,
    clock: Callable[[], float] = time.process_time,
    runs: int | None = None,
    seen: Callable[[int], None] | None = None,
) -> Iterator[Finding]:
    """What the corpus and its mutations find within so many seconds, or so many inputs; one for each signature."""
    seeds = [data for _, data in target.seeds()]
    pool = [*seeds] or [b""]
    chance = random.Random(seed)
    mutator = Mutator(chance, target.tokens, target.max_bytes)
    signatures: set[str] = set()
    done = clock() + seconds
    number = 0
    while clock() < done and (runs is None or number < runs):
        data = seeds[number] if number < len(seeds) else mutator.mutate(chance.choice(pool), pool)
        finding = tried(target, data)
        number += 1
        if finding is not None and finding.signature not in signatures:
            signatures.add(finding.signature)
            yield finding
        elif finding is None and chance.random() < 0.05:
            # Without coverage any input is as good as another: walk on from some of them.
            pool.append(data)
            if len(pool) > len(seeds) + 200:
                pool[len(seeds) + chance.randrange(200)] = pool.pop()
        if seen is not None and number % 100 == 0:
            seen(number)
    if seen is not None:
        seen(number)


def growth(target: Target, seed: int, seconds: float) -> Iterator[Finding]:
    """Inputs on which the work grows faster than their length: a piece of a seed, repeated."""
    if not target.grows:
        return
    chance = random.Random(seed)
    seeds = [data for _, data in target.seeds()] or [b""]
    done = time.monotonic() + seconds
    while time.monotonic() < done:
        data = chance.choice(seeds)
        at = chance.randrange(len(data) + 1)
        pieces = [data[at : at + chance.choice((1, 2, 4, 12, 40))] or b"a"]
        if target.tokens and chance.random() < 0.5:
            pieces.append(chance.choice(target.tokens))
        piece = b"".join(pieces)
        start, end = (data[:at], data[at:]) if chance.random() < 0.7 else (b"", b"")

        def grown(size: int, start: bytes = start, piece: bytes = piece, end: bytes = end) -> bytes:
            return start + piece * (size // len(piece)) + end

        if (large := _seconds(target, grown(LARGE))) < _MEASURABLE:
            continue
        small = min(_seconds(target, grown(SMALL)) for _ in range(2))
        if large / max(small, 0.001) > _GROWTH:
            detail = f"{small:.3f} CPU-seconds for {SMALL} bytes, {large:.3f} for {LARGE}: {piece[:60]!r} repeated"
            yield Finding(target.name, grown(LARGE), f"growth {piece[:60]!r}", detail)
            return


def _seconds(target: Target, data: bytes) -> float:
    started = time.thread_time()
    tried(target, data, 60)
    return time.thread_time() - started


def minimised(finding: Finding, target: Target, seconds: float = 20) -> bytes:
    """The shortest input found within so many seconds that breaks the target at the same place."""
    data = finding.data
    if finding.signature.startswith("growth"):
        return data
    done = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while size >= 1 and time.monotonic() < done:
        at = 0
        while at < len(data) and time.monotonic() < done:
            shorter = data[:at] + data[at + size :]
            again = tried(target, shorter)
            if again is not None and again.signature == finding.signature:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def _signature(error: BaseException) -> str:
    """The kind of the exception and the last two places of ours on its way."""
    if isinstance(error, TooSlowError):
        return "slow"
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "eldonia" in frame.filename or "/fuzz/targets/" in frame.filename
    ]
    return f"{type(error).__name__} {' '.join(places[-2:])}"

"""What a fuzz target is, and the list of all targets."""

import importlib
import pkgutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

CORPUS: Final = Path(__file__).parent / "corpus"
MAX_BYTES: Final = 4096
"""Length of the inputs that are made, in bytes, unless a target says otherwise."""
MAX_SECONDS: Final = 4.0
"""CPU-seconds of one input. Generous: it finds what hangs, the search for superlinear work finds the rest."""

Check = Callable[[bytes], None]


class TooSlowError(Exception):
    """One small input took more CPU-seconds than :data:`MAX_SECONDS`, or work that grows faster than its input."""


@dataclass(frozen=True, slots=True)
class Target:
    """``check`` raises when the code under test breaks one of its promises; faults that it documents are caught there.

    ``tokens`` are words of the language, for mutations. ``grows`` says whether inputs of tens of kilobytes are tried
    for work that grows faster than the input.
    """

    name: str
    check: Check
    tokens: tuple[bytes, ...]
    max_bytes: int
    grows: bool

    @property
    def corpus(self) -> Path:
        """The folder with its seeds and with the inputs that once broke something."""
        return CORPUS / self.name

    def seeds(self) -> list[tuple[str, bytes]]:
        """Name and content of every file of the corpus, in the order of the names."""
        return [(path.name, path.read_bytes()) for path in sorted(self.corpus.glob("*")) if path.is_file()]


_targets: dict[str, Target] = {}


def target(
    *tokens: str | bytes, name: str = "", max_bytes: int = MAX_BYTES, grows: bool = True
) -> Callable[[Check], Check]:
    """Register a function as a target under its own name."""

    def register(check: Check) -> Check:
        words = tuple(token.encode() if isinstance(token, str) else token for token in tokens)
        one = Target(name or check.__name__, check, words, max_bytes, grows)
        if one.name in _targets:
            raise ValueError(f"two targets are called {one.name}")
        _targets[one.name] = one
        return check

    return register


def all_targets() -> dict[str, Target]:
    """Every target by its name. Imports the code under test."""
    from fuzz import targets

    for module in pkgutil.iter_modules(targets.__path__):
        importlib.import_module(f"fuzz.targets.{module.name}")
    return dict(sorted(_targets.items()))


@contextmanager
def limited(seconds: float = MAX_SECONDS) -> Iterator[None]:
    """Raise :class:`TooSlowError` when the body takes more CPU-seconds.

    A timer interrupts loops of Python code. What computes in C for longer is seen when it returns.
    """

    def late(number: int, frame: FrameType | None) -> None:
        raise TooSlowError(f"more than {seconds:g} CPU-seconds")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    started = time.thread_time()
    try:
        yield
        if time.thread_time() - started > seconds:
            raise TooSlowError(f"more than {seconds:g} CPU-seconds")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)

"""Names that people may have meant: for metrics, labels and their values, for fields."""

import difflib
import heapq
import re
from collections.abc import Iterable
from typing import Final

_WORD: Final = re.compile(r"[a-z0-9]+")
_UNITS: Final = frozenset(
    {
        *("total", "seconds", "milliseconds", "microseconds", "bytes", "bits"),
        *("count", "sum", "bucket", "info", "ratio", "percent", "created"),
    }
)
_LEAST: Final = 0.5
_LEAST_LETTERS: Final = 0.6
_WORSE: Final = 0.2
_LONGEST: Final = 200
_COMPARED: Final = 200


def likest(wanted: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The names most like one, the likest first; none that is not like it.

    Names are alike by their words (``http_requests`` and ``http_server_requests_total``) or by their letters.
    """
    wanted = wanted[:_LONGEST]
    folded = wanted.lower()
    words = _words(folded)
    # Comparing letters costs the product of both lengths: only the best by words and beginnings are compared so.
    rough = heapq.nlargest(
        _COMPARED,
        ((_rough(folded, words, name[:_LONGEST].lower()), name) for name in known if name and name != wanted),
        key=lambda one: one[0],
    )
    scored = [(max(score, _letters(folded, name[:_LONGEST].lower())), name) for score, name in rough]
    most = max((score for score, _ in scored), default=0.0)
    # Beside one that is nearly it, others are noise.
    best = sorted((-score, name) for score, name in scored if score >= max(_LEAST, most - _WORSE))
    return tuple(name for _, name in best[:count])


def _words(name: str) -> set[str]:
    """The words that tell a name apart: that both are a ``_total`` makes no two names alike."""
    found = set(_WORD.findall(name))
    return found - _UNITS or found


def _rough(wanted: str, words: set[str], name: str) -> float:
    found = _words(name)
    both = len(words & found)
    score = both / max(1, len(words | found))
    if wanted and (name.startswith(wanted) or wanted.startswith(name)):
        score = max(score, 0.75)
    # Equal words count double where nothing else tells names apart; a tie is broken by how near the lengths are.
    return score - 0.001 * min(100, abs(len(name) - len(wanted))) / 100


def _letters(wanted: str, name: str) -> float:
    matcher = difflib.SequenceMatcher(None, name, wanted, autojunk=False)
    if matcher.real_quick_ratio() < _LEAST or matcher.quick_ratio() < _LEAST:
        return 0.0
    ratio = matcher.ratio()
    if ratio < _LEAST_LETTERS:
        return 0.0
    bare = difflib.SequenceMatcher(None, _bare(name), _bare(wanted), autojunk=False)
    return ratio if bare.ratio() >= _LEAST_LETTERS else 0.0


def _bare(name: str) -> str:
    parts = name.split("_")
    while len(parts) > 1 and parts[-1] in _UNITS:
        parts.pop()
    return "_".join(parts)

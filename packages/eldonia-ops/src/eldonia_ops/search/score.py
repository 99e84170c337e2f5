"""How well a record fits a search: a number made of the boosts of those parts that hold.

A score is an expression over the same trees as a search, so that a store can compute it where the records are. There
are no frequencies of words in it: a clause that holds counts with its boost, however often, and however rare it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.tree import Node


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for every record."""

    value: float


@dataclass(frozen=True, slots=True)
class When:
    """A score for records for which a tree holds, 0 for others."""

    node: Node
    score: "Score"


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of scores."""

    parts: tuple["Score", ...]


@dataclass(frozen=True, slots=True)
class Greatest:
    """The greatest score, and of the others so large a share."""

    parts: tuple["Score", ...]
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Scaled:
    """A score times ``factor`` for records for which a tree holds, and as it is for others."""

    node: Node
    score: "Score"
    factor: float


Score: TypeAlias = Fixed | When | Total | Greatest | Scaled


def total(parts: Iterable[Score]) -> Score:
    """The sum of scores; what is fixed among them is added up."""
    fixed, others = 0.0, list[Score]()
    for part in parts:
        if isinstance(part, Fixed):
            fixed += part.value
        elif isinstance(part, Total):
            others += part.parts
        else:
            others.append(part)
    if not others:
        return Fixed(fixed)
    every = (*others, Fixed(fixed)) if fixed else tuple(others)
    return every[0] if len(every) == 1 else Total(every)


def when(node: Node, score: Score) -> Score:
    """A score for records for which a tree holds."""
    return score if score == Fixed(0.0) else When(node, score)


def times(score: Score, factor: float) -> Score:
    """A score times a number."""
    match score:
        case _ if factor == 1.0:
            return score
        case Fixed():
            return Fixed(score.value * factor)
        case When():
            return When(score.node, times(score.score, factor))
        case Total():
            return Total(tuple(times(part, factor) for part in score.parts))
        case Greatest():
            return Greatest(tuple(times(part, factor) for part in score.parts), score.share)
        case Scaled():
            return Scaled(score.node, times(score.score, factor), score.factor)


def score_of(score: Score, record: LogRecord) -> float:
    """The score of a record."""
    match score:
        case Fixed():
            return score.value
        case When():
            return score_of(score.score, record) if matches(score.node, record) else 0.0
        case Total():
            return sum(score_of(part, record) for part in score.parts)
        case Greatest():
            every = [score_of(part, record) for part in score.parts]
            return max(every) + score.share * (sum(every) - max(every))
        case Scaled():
            return score_of(score.score, record) * (score.factor if matches(score.node, record) else 1.0)

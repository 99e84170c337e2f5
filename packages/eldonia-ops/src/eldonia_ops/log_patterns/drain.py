"""Drain: an online parser of log messages with a tree of fixed depth.

P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. The tree's
levels are the number of words, then the first words; a leaf has a few clusters, and a message joins the one to which
enough of its words are equal. A template keeps the words that all its messages have; the others become
:data:`~eldonia_ops.log_patterns.shapes.ANY`.

Beside the paper: numbers and identifiers are masked before (:mod:`~eldonia_ops.log_patterns.shapes`), and a masked word
that is equal counts as equal. What a cluster is called does not change when its template becomes more general.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Final

from eldonia_ops.log_patterns.shapes import ANY, NUMBER, template_of

LEVELS: Final = 2
"""How many of the first words lead through the tree."""

MOST_CHILDREN: Final = 100
"""So many different words lead on from one place of the tree; others lead where :data:`ANY` does."""

MOST_IN_LEAF: Final = 64
"""So many clusters are in one leaf; another takes the place of the one that was matched the longest ago."""

SIMILARITY: Final = 0.4
"""The share of words that have to be equal."""


@dataclass(slots=True, eq=False)
class Cluster:
    """A template: its words now. ``id`` is that of the words that it began with."""

    id: str
    words: tuple[str, ...]


def pattern_id(words: Sequence[str]) -> str:
    """The id of the pattern that begins with a message of these words: 12 hexadecimal digits."""
    return hashlib.blake2b(template_of(words).encode("utf-8", "replace"), digest_size=6).hexdigest()


class Drain:
    """The tree. The same messages in the same order make the same clusters."""

    def __init__(self) -> None:
        self._leaves: dict[tuple[int, tuple[str, ...]], list[Cluster]] = {}
        self._children: dict[tuple[int, tuple[str, ...]], set[str]] = {}

    def match(self, words: Sequence[str]) -> Cluster | None:
        """The cluster to which a message is most similar, if it is similar enough; of several the most general."""
        leaf = self._leaves.get(self._path(words, grow=False))
        if leaf is None:
            return None
        best, best_rank = None, (0, 0)
        enough = SIMILARITY * len(words)
        for cluster in leaf:
            equal = sum(map(eq, cluster.words, words))
            if equal >= enough:
                rank = (equal, cluster.words.count(ANY))
                if best is None or rank > best_rank:
                    best, best_rank = cluster, rank
        if best is not None and len(leaf) > 1:
            leaf.remove(best)
            leaf.append(best)
        return best

    def add(self, cluster: Cluster) -> None:
        """Put a cluster into the tree."""
        leaf = self._leaves.setdefault(self._path(cluster.words, grow=True), [])
        leaf.append(cluster)
        if len(leaf) > MOST_IN_LEAF:
            del leaf[0]

    def _path(self, words: Sequence[str], *, grow: bool) -> tuple[int, tuple[str, ...]]:
        path: tuple[str, ...] = ()
        for word in words[:LEVELS]:
            if NUMBER in word or ANY in word:
                word = ANY
            else:
                children = self._children.get((len(words), path))
                if children is None or word not in children:
                    if not grow:
                        # Where no way leads on, the message would join those under ANY once there is no room.
                        word = ANY if children is not None and len(children) >= MOST_CHILDREN else word
                    elif children is None:
                        self._children[len(words), path] = {word}
                    elif len(children) < MOST_CHILDREN:
                        children.add(word)
                    else:
                        word = ANY
            path = (*path, word)
        return len(words), path

    @classmethod
    def of(cls, clusters: Iterable[Cluster]) -> "Drain":
        """A tree with these clusters, put in one after another."""
        tree = cls()
        for cluster in clusters:
            tree.add(cluster)
        return tree


def generalised(words: Sequence[str], message: Sequence[str]) -> tuple[str, ...]:
    """What a template and a message of as many words have in common."""
    return tuple(one if one == other else ANY for one, other in zip(words, message, strict=True))

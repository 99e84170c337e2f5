"""Drain: an online parser of log messages with a tree of fixed depth.

P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017. The tree's
levels are the number of words, then the first word; a leaf has a few templates, and a message joins the one that it
fits. Numbers and identifiers are masked before (:mod:`~eldonia_ops.log_patterns.shapes`).

What differs from the paper is when a word becomes :data:`~eldonia_ops.log_patterns.shapes.ANY`. There one other word is
enough, if most of the words are equal: ``payment <#> accepted`` and ``payment <#> declined`` become one template, of
which nothing is ever new. Here a place has to have had :data:`VALUES` different words: names have them soon, the states
of a thing do not. The templates that differ in these places alone then become the same one; each keeps its id.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Final

from eldonia_ops.log_patterns.shapes import ANY, NUMBER, template_of

LEVELS: Final = 1
"""How many of the first words lead through the tree."""

MOST_CHILDREN: Final = 100
"""So many different words lead on from one place of the tree; others lead where :data:`ANY` does."""

MOST_IN_LEAF: Final = 100
"""So many clusters are in one leaf; another takes the place of the one that was matched the longest ago."""

VALUES: Final = 6
"""So many different words at the same places make these places variable."""


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
        """The cluster whose template fits a message; of several the one with the most words in common."""
        leaf = self._leaves.get(self._path(words, grow=False))
        if leaf is None:
            return None
        best, most = None, -1
        for cluster in leaf:
            equal = sum(map(eq, cluster.words, words))
            if equal > most and equal + cluster.words.count(ANY) >= len(words) and _fits(cluster.words, words):
                best, most = cluster, equal
        if best is not None and leaf[-1] is not best:
            leaf.remove(best)
            leaf.append(best)
        return best

    def join(self, words: Sequence[str]) -> list[Cluster]:
        """The clusters that have become one template with a message that fits none: it joins the first; [] for none.

        As many words as differ have to be equal, beside numbers.
        """
        leaf = self._leaves.get(self._path(words, grow=False), [])
        groups: dict[tuple[int, ...], list[Cluster]] = {}
        numbers = sum(NUMBER in word for word in words)
        for cluster in leaf:
            equal = sum(map(eq, cluster.words, words))
            if 2 * equal < len(words) - cluster.words.count(ANY):
                continue
            places = tuple(
                place
                for place, (one, other) in enumerate(zip(cluster.words, words, strict=True))
                if one not in (other, ANY)
            )
            if equal - numbers >= len(places):
                groups.setdefault(places, []).append(cluster)
        found = max(groups.items(), key=lambda item: (len(item[1]), -len(item[0]), item[0]), default=((), []))
        if len(found[1]) < VALUES - 1:
            return []
        for cluster in found[1]:
            cluster.words = tuple(ANY if place in found[0] else word for place, word in enumerate(cluster.words))
        return found[1]

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


def _fits(template: Sequence[str], words: Sequence[str]) -> bool:
    return all(one in (other, ANY) for one, other in zip(template, words, strict=True))

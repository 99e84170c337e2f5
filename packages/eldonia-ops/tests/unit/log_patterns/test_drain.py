"""The tree of templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.log_patterns.drain import MOST_CHILDREN, MOST_IN_LEAF, VALUES, Cluster, Drain, pattern_id
from eldonia_ops.log_patterns.shapes import ANY, NUMBER

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", NUMBER, "x<#>"]), min_size=1, max_size=6)
NAMES = ("alice", "bob", "eve", "mika", "hana", "ken", "lee")


def cluster(text: str) -> Cluster:
    words = tuple(text.split())
    return Cluster(pattern_id(words), words)


def taken(tree: Drain, text: str) -> Cluster:
    """The cluster of a message, as the miner finds it."""
    words = text.split()
    if found := tree.match(words):
        return found
    if joined := tree.join(words):
        return joined[0]
    made = cluster(text)
    tree.add(made)
    return made


def test_a_message_joins_the_template_that_fits_with_the_most_words() -> None:
    near, general = cluster("payment of alice was declined"), cluster("payment of <*> was declined")
    tree = Drain.of([near, general])
    assert taken(tree, "payment of alice was declined") is near
    assert taken(tree, "payment of eve was declined") is general
    assert tree.match(["payment", "of", "eve", "was", "on", "hold"]) is None
    assert tree.match(["other", "of", "eve", "was", "declined"]) is None


def test_a_place_is_variable_when_it_had_several_words() -> None:
    tree = Drain()
    first = [taken(tree, f"payment of {name} was declined") for name in NAMES[: VALUES - 1]]
    assert len(set(map(id, first))) == VALUES - 1
    last = taken(tree, f"payment of {NAMES[VALUES - 1]} was declined")
    assert last in first
    assert {one.words for one in first} == {("payment", "of", ANY, "was", "declined")}
    assert [one.id for one in first] == [pattern_id(f"payment of {name} was declined".split()) for name in NAMES[:5]]
    assert taken(tree, "payment of somebody was declined") in first


def test_states_of_a_thing_stay_apart() -> None:
    tree = Drain()
    texts = [f"payment <#> {state}" for state in ("accepted", "declined", "refunded")]
    assert [taken(tree, text).words for text in texts * 10] == [tuple(text.split()) for text in texts * 10]


def test_several_places_vary_together() -> None:
    tree = Drain()
    cities = ("tokyo", "oslo", "paris", "rome", "lima", "cairo", "delhi")
    for name, city in zip(NAMES, cities, strict=True):
        found = taken(tree, f"user {name} logged in from {city}")
    assert found.words == ("user", ANY, "logged", "in", "from", ANY)  # pyright: ignore[reportPossiblyUnboundVariable]


@pytest.mark.parametrize("text", ["{} <#> <#>", "<#> {}", "a {} {}x {}y", "{}"])
def test_messages_of_which_most_words_differ_are_not_alike(text: str) -> None:
    tree = Drain()
    assert len({id(taken(tree, text.format(*[name] * 3))) for name in NAMES}) == len(NAMES)


@given(st.lists(WORDS, max_size=60))
def test_every_message_fits_the_template_that_it_joined(messages: list[list[str]]) -> None:
    tree = Drain()
    for words in messages:
        found = taken(tree, " ".join(words))
        assert all(one in (other, ANY) for one, other in zip(found.words, words, strict=True))
        again = tree.match(words)
        assert again is not None
        assert again.words == found.words


def test_places_and_leaves_are_bounded() -> None:
    tree = Drain()
    for number in range(3 * MOST_CHILDREN):
        tree.add(cluster(f"w{chr(97 + number % 26)}{'x' * (number // 26)} b c d e"))
    assert len(tree._children[5, ()]) == MOST_CHILDREN
    assert max(map(len, tree._leaves.values())) <= MOST_IN_LEAF
    assert tree.join(["quite-new", "b", "c", "d", "e"]), "where there is no room, all other words lead on alike"


def test_the_template_that_was_matched_the_longest_ago_leaves_a_full_leaf() -> None:
    tree = Drain()
    kept = cluster("a b k k k k k k k k")
    tree.add(kept)
    letters = "cdefghijlmnopqrstuvwxyz"
    for number in range(MOST_IN_LEAF + 20):
        assert tree.match(kept.words) is kept
        word = letters[number % len(letters)] * (1 + number // len(letters))
        tree.add(cluster(f"a b {' '.join([word] * 8)}"))
    assert tree.match(kept.words) is kept
    assert tree.match(["a", "b", *["c"] * 8]) is None

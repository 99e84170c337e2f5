"""The tree of templates."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.log_patterns.drain import MOST_CHILDREN, MOST_IN_LEAF, Cluster, Drain, generalised, pattern_id
from eldonia_ops.log_patterns.shapes import ANY

WORDS = st.lists(st.sampled_from(["a", "b", "c", "<#>", ANY, "x<#>"]), min_size=1, max_size=6)


def cluster(text: str) -> Cluster:
    words = tuple(text.split())
    return Cluster(pattern_id(words), words)


def test_a_message_joins_the_most_similar_template() -> None:
    near, far = cluster("payment of alice was declined"), cluster("payment of bob is on hold")
    tree = Drain.of([near, far])
    assert tree.match(["payment", "of", "eve", "was", "declined"]) is near
    assert tree.match(["payment", "of", "eve", "is", "on", "hold"]) is far
    assert tree.match(["payment", "of", "eve", "x", "y"]) is near, "two of five words are enough"
    assert tree.match(["payment", "of", "a", "b", "c", "d"]) is None
    assert tree.match(["other", "of", "alice", "was", "declined"]) is None, "the first words lead through the tree"


def test_of_two_that_are_as_similar_the_more_general_one_is_joined() -> None:
    first, general = cluster("a b c d x y"), cluster("a b c d <*> <*>")
    assert Drain.of([first, general]).match(["a", "b", "c", "d", "q", "r"]) is general


def test_what_differs_becomes_a_wildcard() -> None:
    assert generalised(("a", "b", "<#>"), ("a", "c", "<#>")) == ("a", ANY, "<#>")
    assert generalised(("a", ANY), ("a", "b")) == ("a", ANY)


@given(st.lists(WORDS, max_size=30))
def test_every_message_matches_the_template_that_it_made(messages: list[list[str]]) -> None:
    tree = Drain()
    for words in messages:
        found = tree.match(words)
        if found is None:
            found = Cluster(pattern_id(words), tuple(words))
            tree.add(found)
        else:
            found.words = generalised(found.words, words)
        assert all(one in (other, ANY) for one, other in zip(found.words, words, strict=True))
        again = tree.match(words)
        assert again is None or len(again.words) == len(words)


def test_places_and_leaves_are_bounded() -> None:
    tree = Drain()
    for number in range(3 * MOST_CHILDREN):
        tree.add(cluster(f"w{chr(97 + number % 26)}{'x' * (number // 26)} b c d e"))
    assert len(tree._children[5, ()]) == MOST_CHILDREN
    assert max(map(len, tree._leaves.values())) <= MOST_IN_LEAF
    assert tree.match(["quite-new", "b", "c", "d", "e"]) is not None, (
        "where there is no room, all other words lead on alike"
    )


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
    assert tree.match(["a", "b", "c", "c", "c", "c", "c", "c", "c", "c"]) is None

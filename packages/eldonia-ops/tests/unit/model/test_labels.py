import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels

label_sets = st.dictionaries(st.text(min_size=1, max_size=5), st.text(max_size=5), max_size=5)


def test_order_and_empty_values_do_not_matter() -> None:
    one = Labels({"b": "2", "a": "1", "c": ""})
    assert one == Labels([("a", "1"), ("b", "2")])
    assert hash(one) == hash(Labels({"a": "1", "b": "2"}))
    assert "c" not in one


def test_notation() -> None:
    assert str(Labels({"__name__": "up", "job": 'a"b'})) == 'up{job="a\\"b"}'
    assert str(Labels({"__name__": "up"})) == "up"
    assert str(Labels()) == "{}"


def test_fingerprint_is_the_one_that_alertmanager_shows() -> None:
    # Worked out by hand from FNV-1a: the empty set is the offset basis.
    assert Labels().fingerprint_hex == "cbf29ce484222325"
    assert Labels({"a": "b"}).fingerprint != Labels({"ab": ""}).fingerprint


@given(label_sets, st.sets(st.text(min_size=1, max_size=5)))
def test_only_and_without_partition_the_set(source: dict[str, str], names: set[str]) -> None:
    labels = Labels(source)
    assert labels.only(names).merged(labels.without(names)) == labels


@given(label_sets, label_sets)
def test_merged_prefers_the_right_side(left: dict[str, str], right: dict[str, str]) -> None:
    assert Labels(left).merged(right) == Labels({**left, **right})


@given(
    st.dictionaries(st.text(st.characters(), min_size=1, max_size=5), st.text(st.characters(), max_size=5), max_size=5)
)
def test_no_label_holds_what_a_store_or_a_terminal_cannot(source: dict[str, str]) -> None:
    labels = Labels(source)
    text = "".join(name + value for name, value in labels.pairs)
    assert not any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\t\n\r" for one in text)
    text.encode("utf-8")


def test_what_is_taken_out_of_a_label_leaves_a_mark() -> None:
    labels = Labels({"a\0b": "x\ud800y\x1bz", "text": "two\nlines\tof 日本語　と"})
    assert dict(labels) == {"a\ufffdb": "x\ufffdy\ufffdz", "text": "two\nlines\tof 日本語　と"}
    assert labels.with_(c="\x7f\x85")["c"] == "\ufffd\ufffd"

"""Relabelling as Prometheus does it; the cases follow what its documentation says of each action."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.relabelling import RelabelAction, RelabelRule, hash_of, relabelled

A = RelabelAction


def rule(action: RelabelAction = A.REPLACE, *sources: str, **values) -> RelabelRule:
    return RelabelRule(action, sources, **values)


LABELS = {"job": "shop", "instance": "web-1.example:9100", "Zone": "Tokyo", "__meta_dc": "east"}
INSTANCE = ("instance",)


@pytest.mark.parametrize(
    ("given_rule", "expected"),
    [
        (rule(A.REPLACE, "instance", regex="([^:]+):.*", target_label="host"), {"host": "web-1.example"}),
        (rule(A.REPLACE, "instance", regex="web", target_label="host"), {}),  # anchored at both ends
        (rule(A.REPLACE, "job", "Zone", target_label="both"), {"both": "shop;Tokyo"}),
        (rule(A.REPLACE, "job", "Zone", separator="/", target_label="both"), {"both": "shop/Tokyo"}),
        (rule(A.REPLACE, "missing", target_label="job"), {"job": None}),  # an empty result takes the label off
        (rule(A.REPLACE, replacement="fixed", target_label="env"), {"env": "fixed"}),
        (rule(A.REPLACE, "job", regex="(s)(.*)", replacement="${2}-$1-$$", target_label="x"), {"x": "hop-s-$"}),
        (rule(A.REPLACE, "job", regex="(.*)", replacement="$1x", target_label="x"), {}),  # the group 1x
        (rule(A.REPLACE, "job", regex="(?P<rest>.*)", replacement="$rest", target_label="x"), {"x": "shop"}),
        (rule(A.REPLACE, "job", regex="(s).*", target_label="is_$1", replacement="yes"), {"is_s": "yes"}),
        (rule(A.KEEP, "job", regex="shop|till"), {}),
        (rule(A.DROP, "job", regex="sho"), {}),
        (rule(A.DROP, "job", regex="shop"), None),
        (rule(A.KEEP, "missing", regex=".+"), None),
        (rule(A.KEEP_EQUAL, "job", target_label="job"), {}),
        (rule(A.KEEP_EQUAL, "job", target_label="Zone"), None),
        (rule(A.DROP_EQUAL, "job", target_label="job"), None),
        (rule(A.DROP_EQUAL, "missing", target_label="other"), None),  # both are empty
        (rule(A.LOWERCASE, "Zone", target_label="zone"), {"zone": "tokyo"}),
        (rule(A.UPPERCASE, "Zone", target_label="zone"), {"zone": "TOKYO"}),
        (rule(A.LABEL_MAP, regex="__meta_(.+)"), {"dc": "east"}),
        (rule(A.LABEL_MAP, regex="__meta_(.+)", replacement="place_${1}"), {"place_dc": "east"}),
        (rule(A.LABEL_DROP, regex="__.*|Zone"), {"__meta_dc": None, "Zone": None}),
        (rule(A.LABEL_KEEP, regex="job"), {"instance": None, "Zone": None, "__meta_dc": None}),
        (rule(A.HASH_MOD, "job", target_label="shard", modulus=8), {"shard": str(hash_of("shop") % 8)}),
    ],
)
def test_each_action(given_rule: RelabelRule, expected) -> None:
    found = relabelled(LABELS, [given_rule])
    if expected is None:
        assert found is None
    else:
        assert found == {name: value for name, value in {**LABELS, **expected}.items() if value is not None}


def test_the_hash_is_that_of_prometheus() -> None:
    """Its own test has ``baz`` modulo 1,000 at 976: targets stay with the shard that they had."""
    assert hash_of("baz") % 1_000 == 976


def test_rules_follow_one_another_and_the_first_that_drops_ends_it() -> None:
    rules = [
        rule(A.REPLACE, "instance", regex="(.*):.*", target_label="host"),
        rule(A.KEEP, "host", regex="web-.*"),
        rule(A.LABEL_DROP, regex="__.*"),
    ]
    found = relabelled(LABELS, rules)
    assert found is not None
    assert found["host"] == "web-1.example"
    assert "__meta_dc" not in found
    assert relabelled({**LABELS, "instance": "db:1"}, rules) is None


def test_a_line_break_is_matched_by_a_dot_and_bad_patterns_are_named() -> None:
    assert relabelled({"a": "x\ny"}, [rule(A.KEEP, "a", regex="x.y")]) is not None
    with pytest.raises(ValueError, match="bad regular expression"):
        rule(A.KEEP, "a", regex="(")


NAMES = st.sampled_from(["a", "b", "c"])
LABEL_SETS = st.dictionaries(NAMES, st.text(max_size=4), max_size=3)
RULES = st.builds(
    RelabelRule,
    st.sampled_from(A),
    st.lists(NAMES, max_size=2).map(tuple),
    regex=st.sampled_from(["(.*)", "a|b", "(.)(.*)", ""]),
    target_label=NAMES,
    replacement=st.sampled_from(["$1", "x", "", "${2}$1"]),
    modulus=st.integers(1, 9),
)


@given(LABEL_SETS, st.lists(RULES, max_size=4))
def test_labels_are_never_empty_and_those_given_stay_as_they_are(labels, rules) -> None:
    before = dict(labels)
    found = relabelled(labels, rules)
    assert labels == before
    assert found is None or all(found.values())

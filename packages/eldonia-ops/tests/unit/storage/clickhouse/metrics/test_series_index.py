"""Postings against the plain definition, and a bound on what is remembered."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import eldonia_ops.storage.clickhouse.metrics.series_index as module
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match
from eldonia_ops.storage.clickhouse.metrics.series_index import SeriesIndex

VALUES = ["", "a", "b", "ab"]
LABELS = st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(VALUES[1:])).map(Labels)
MATCHERS = st.builds(
    Matcher, st.sampled_from(["x", "y", "z"]), st.sampled_from(list(MatchOp)), st.sampled_from([*VALUES, "a.*", "a|b"])
)


@settings(max_examples=200, deadline=None)
@given(st.lists(LABELS, max_size=12), st.sets(st.integers(0, 11)), st.lists(st.lists(MATCHERS, max_size=3), max_size=4))
def test_selections_hold_what_every_matcher_accepts(
    series: list[Labels], gone: set[int], questions: list[list[Matcher]]
) -> None:
    index = SeriesIndex()
    for number, labels in enumerate(series):
        index.add(number, labels)
    for matchers in questions:
        index.select(matchers)  # remembered before some of the series go
    for number in gone & set(range(len(series))):
        index.remove(number)
    for matchers in questions:
        expected = [n for n, labels in enumerate(series) if n not in gone and all_match(matchers, labels)]
        assert index.select(matchers) == expected


def test_what_is_remembered_of_matchers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_VERDICTS", 1_000)
    index = SeriesIndex()
    for number in range(300):
        index.add(number, Labels({"id": str(number)}))
    for turn in range(50):
        matcher = Matcher("id", MatchOp.REGEX, f"{turn}.*")
        assert index.select([matcher]) == [n for n in range(300) if str(n).startswith(str(turn))]
        assert sum(1 + len(verdicts) for verdicts in index._verdicts.values()) == index._verdict_count <= 1_000
    assert len(index._verdicts) == 3  # the latest ones
    for turn in range(3_000):
        index.select([Matcher("no_such_label", MatchOp.REGEX, f"{turn}.+")])
    assert len(index._verdicts) <= 1_000
    monkeypatch.setattr(module, "_MAX_VERDICTS", 100)
    assert index.select([Matcher("id", MatchOp.REGEX, "7|9")]) == [7, 9]  # one that is too large for it
    assert index._verdict_count == 0

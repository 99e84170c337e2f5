"""The head against a model that is too simple to be wrong."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import (
    ABSENT_NAN,
    HISTOGRAM_NAN_BITS,
    STALE_NAN,
    HistogramSample,
    Sample,
    SampleRow,
    SeriesBlock,
    is_absent,
)
from eldonia_ops.ports import TooManySamplesError
from eldonia_ops.storage.clickhouse.identity import series_id
from eldonia_ops.storage.clickhouse.metrics import head as head_module
from eldonia_ops.storage.clickhouse.metrics.head import LATEST_MS, Head


def labels(name: str, **more: str) -> Labels:
    return Labels({"__name__": name, **more})


def row(target: str, at: int, values: dict[Labels, float]) -> SampleRow:
    return SampleRow(target, at, tuple(values), np.array(list(values.values()), np.float64))


def bits(value: float) -> int:
    return int(np.array([value]).view(np.uint64)[0])


def flat(blocks: list[SeriesBlock]) -> dict[Labels, dict[int, int]]:
    """Bits of each sample by series and instant; fails on whatever a block must not be."""
    found: dict[Labels, dict[int, int]] = {}
    for block in blocks:
        assert block.values.shape == (len(block.timestamps), len(block.labels))
        assert (np.diff(block.timestamps) > 0).all()
        absent = is_absent(block.values)
        assert not absent.all(), "a block without a sample"
        for column, name in enumerate(block.labels):
            assert name not in found, "a series in two blocks"
            found[name] = {
                int(at): bits(float(block.values[index, column]))
                for index, at in enumerate(block.timestamps)
                if not absent[index, column]
            }
    return {name: samples for name, samples in found.items() if samples}


def head(**fields: int) -> Head:
    return Head(**{"floor_ms": 0, "retention_ms": 1000, **fields})


A, B, C = labels("a", x="1"), labels("b"), labels("c", x="2")
EVERYTHING: list[Matcher] = []


class Model:
    """Prometheus' rules for appending, one dictionary a series; but what is there already may come again."""

    def __init__(self) -> None:
        self.samples: dict[Labels, dict[int, int]] = {}
        self.floor = 0
        self.accepted: list[tuple[int, int, int]] = []
        self.dropped = 0

    def append(self, name: Labels, at: int, value: float) -> None:
        if bits(value) == bits(ABSENT_NAN):
            return
        mine = self.samples.get(name, {})
        newest = max(mine, default=-1)
        if at > newest:
            self.accepted.append((series_id(name), at, bits(value)))
            if at >= self.floor:
                self.samples.setdefault(name, {})[at] = bits(value)
        elif mine.get(at) != bits(value):
            self.dropped += 1

    def forget(self, floor: int) -> None:
        self.floor = max(self.floor, floor)
        for name, samples in list(self.samples.items()):
            kept = {at: value for at, value in samples.items() if at >= self.floor}
            if kept:
                self.samples[name] = kept
            else:
                del self.samples[name]

    def set_back(self, now: int) -> None:
        self.floor = min(self.floor, now)
        kept = {
            name: {at: value for at, value in samples.items() if at <= now} for name, samples in self.samples.items()
        }
        self.samples = {name: samples for name, samples in kept.items() if samples}

    def select(self, matchers: list[Matcher], start: int, end: int) -> dict[Labels, dict[int, int]]:
        found = {
            name: {at: value for at, value in samples.items() if start <= at <= end}
            for name, samples in self.samples.items()
            if all_match(matchers, name)
        }
        return {name: samples for name, samples in found.items() if samples}


SERIES = [labels(name, **({"x": x} if x else {})) for name in "abc" for x in ("", "1", "2")]
VALUES = st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), STALE_NAN, ABSENT_NAN])
INSTANTS = st.integers(0, 400)
SCRAPE = st.tuples(
    st.just("row"),
    st.sampled_from(["t1", "t2"]),
    INSTANTS,
    st.dictionaries(st.sampled_from(SERIES), VALUES, max_size=5),
)
WRITE = st.tuples(st.just("samples"), st.lists(st.tuples(st.sampled_from(SERIES), INSTANTS, VALUES), max_size=5))
ADVANCE = st.tuples(st.just("advance"), st.integers(0, 450))
SET_BACK = st.tuples(st.just("set_back"), INSTANTS)
MATCHERS = st.lists(
    st.builds(
        Matcher,
        st.sampled_from(["__name__", "x", "missing"]),
        st.sampled_from(list(MatchOp)),
        st.sampled_from(["", "a", "1", "a|b", ".+", ".*", "[12]"]),
    ),
    max_size=3,
)
SELECT = st.tuples(st.just("select"), MATCHERS, INSTANTS, INSTANTS)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(SCRAPE, WRITE, ADVANCE, SET_BACK, SELECT), max_size=25))
def test_it_agrees_with_the_model(steps: list[tuple]) -> None:
    real, model = head(retention_ms=150), Model()
    stored: list[tuple[int, int, int]] = []
    for step in steps:
        match step:
            case ("row", target, at, values):
                accepted = real.append_row(row(target, at, values))
                for name, value in values.items():
                    model.append(name, at, value)
            case ("samples", samples):
                samples = [sample for sample in samples if bits(sample[2]) != bits(ABSENT_NAN)]
                accepted = real.append_samples([Sample(*sample) for sample in samples])
                for name, at, value in sorted(samples, key=lambda item: item[1]):
                    model.append(name, at, value)
            case ("advance", now):
                real.advance(now)
                model.forget(now - 150)
                continue
            case ("set_back", now):
                real.set_back(now)
                model.set_back(now)
                continue
            case ("select", matchers, start, end):
                assert flat(real.select(matchers, start, end)) == model.select(matchers, start, end)
                assert sorted(real.series(matchers, start, end)) == sorted(model.select(matchers, start, end))
                continue
        known = accepted.samples
        stored += zip(
            known["series"].tolist(), known["timestamp"].tolist(), known["value"].view(np.uint64).tolist(), strict=True
        )
    assert flat(real.select(EVERYTHING, 0, 1000)) == model.select(EVERYTHING, 0, 1000)
    assert sorted(stored) == sorted(model.accepted)
    assert real.counters["out_of_order"] + real.counters["duplicate"] == model.dropped
    real.advance(10_000)
    assert (real.series_count, real.nbytes) == (0, 0)


def test_a_target_is_one_block_and_columns_are_views() -> None:
    real = head()
    names = tuple(labels("m", i=str(i)) for i in range(4))
    for at in range(100, 400, 15):
        real.append_row(SampleRow("t", at, names, np.arange(4.0) + at))
    (block,) = real.select(EVERYTHING, 130, 160)
    assert block.labels == names
    assert block.timestamps.tolist() == [130, 145, 160]
    assert block.values.tolist() == [[at + i for i in range(4)] for at in (130, 145, 160)]
    assert block.values.base is not None


def test_what_was_handed_out_is_not_changed_by_later_appends() -> None:
    real = head(retention_ms=50)
    real.append_row(row("t", 1, {A: 1.0}))
    (block,) = real.select(EVERYTHING, 0, 1000)
    for at in range(2, 500):
        real.append_row(row("t", at, {A: 2.0, labels("n", i=str(at)): 0.0}))
        real.advance(at)
    assert (block.timestamps.tolist(), block.values.tolist()) == ([1], [[1.0]])


def test_a_clock_that_was_set_back_finds_its_series_again() -> None:
    real = head()
    gone = labels("gone")
    for at in range(100, 200, 10):
        real.append_row(row("t", at, {A: float(at), B: 0.0} if at < 150 else {A: float(at), gone: 1.0}))
        real.append_samples([Sample(C, at + 5, float(at))])
    handed_out = real.select(EVERYTHING, 0, 1000)
    before = flat(handed_out)
    real.set_back(132)
    assert flat(real.select(EVERYTHING, 0, 1000)) == {
        A: {at: bits(float(at)) for at in (100, 110, 120, 130)},
        B: {at: bits(0.0) for at in (100, 110, 120, 130)},
        C: {at + 5: bits(float(at)) for at in (100, 110, 120)},
    }
    assert real.series_count == 3
    accepted = real.append_row(row("t", 140, {A: 7.0, gone: 8.0}))
    assert len(accepted.samples) == 2
    assert [series.labels for series in accepted.series] == [gone]
    assert len(real.append_samples([Sample(C, 141, 9.0)]).samples) == 1
    assert flat(real.select(EVERYTHING, 135, 1000)) == {
        A: {140: bits(7.0)},
        gone: {140: bits(8.0)},
        C: {141: bits(9.0)},
    }
    assert flat(handed_out) == before
    real.set_back(-50)  # before everything: the floor comes along
    assert (real.series_count, real.floor_ms) == (0, -50)
    assert len(real.append_row(row("t", 0, {A: 1.0})).samples) == 1
    assert flat(real.select(EVERYTHING, -50, 10)) == {A: {0: bits(1.0)}}


def test_a_series_that_moves_to_another_target_stays_one_series() -> None:
    real = head()
    real.append_row(row("t1", 10, {A: 1.0, B: 1.0}))
    real.append_row(row("t2", 20, {A: 2.0}))
    real.append_row(row("t2", 30, {A: 3.0}))
    real.append_row(row("t1", 40, {A: 4.0, B: 4.0}))
    assert flat(real.select([Matcher("__name__", MatchOp.EQUAL, "a")], 0, 99)) == {
        A: {10: bits(1.0), 20: bits(2.0), 30: bits(3.0), 40: bits(4.0)}
    }
    # Both targets now check each other.
    assert len(real.append_row(row("t2", 35, {A: 9.0})).samples) == 0
    assert real.counters["out_of_order"] == 1
    # Both scrape it from now on; that is not a move each time.
    for at in (50, 52):
        assert real.append_row(row("t1", at, {A: 5.0, B: 5.0})).series == ()
        assert real.append_row(row("t2", at + 1, {A: 6.0})).series == ()


def test_refused_series_are_counted_and_taken_when_there_is_room() -> None:
    real = head(max_series=2)
    first = real.append_row(row("t", 1, {A: 1.0, B: 1.0, C: 1.0}))
    assert len(first.samples) == 2
    assert real.counters["refused_series"] == 1
    assert len(real.append_samples([Sample(labels("d"), 1, 1.0)]).samples) == 0
    real.append_row(row("t", 900, {B: 1.0}))
    real.advance(1100)  # A has ended
    assert len(real.append_row(row("t", 1100, {B: 1.0, C: 2.0})).samples) == 2
    assert real.series_count == 2


def test_memory_is_bounded_by_letting_the_oldest_go() -> None:
    real = head(retention_ms=10_000_000, max_bytes=200_000)
    names = tuple(labels("m", i=str(i)) for i in range(20))
    for at in range(0, 8_000_000, 1000):
        real.append_row(SampleRow("t", at, names, np.zeros(20)))
        if at % 100_000 == 0:
            real.advance(at)
    real.advance(8_000_000)
    assert real.nbytes <= 200_000
    assert real.counters["early_evictions"] > 0
    (block,) = real.select(EVERYTHING, 0, 8_000_000)
    assert block.timestamps[0] >= real.floor_ms > 0


def test_churn_does_not_leave_columns_behind() -> None:
    real = head(retention_ms=100)
    for at in range(0, 5000, 10):
        real.append_row(row("t", at, {A: 1.0, labels("pod", i=str(at)): 1.0}))
        real.advance(at)
    assert real.series_count <= 15
    assert real.nbytes < 200_000
    assert len(flat(real.select(EVERYTHING, 0, 5000))[A]) == 11


def test_impossible_instants_and_shapes() -> None:
    real = head()
    for at in (-1, LATEST_MS + 1, 2**62):
        assert len(real.append_row(row("t", at, {A: 1.0})).samples) == 0
        assert len(real.append_samples([Sample(A, at, 1.0)]).samples) == 0
    assert real.counters["out_of_bounds"] == 6
    with pytest.raises(ValueError, match="1 label sets and 2 values"):
        real.append_row(SampleRow("t", 1, (A,), np.zeros(2)))
    assert len(real.append_row(SampleRow("t", 1, (A, A), np.array([1.0, 2.0]))).samples) == 1
    assert real.counters["duplicate"] == 1
    assert real.select(EVERYTHING, 10, 5) == []


def test_loading_puts_back_what_select_gave() -> None:
    real, again = head(), head()
    for at in (1, 2, 3):
        real.append_row(row("t", at, {A: float(at), **({B: 1.0} if at == 2 else {})}))
    real.append_samples([Sample(C, 2, 5.0)])
    for block in real.select(EVERYTHING, 0, 99):
        if C in block.labels:
            again.load_single(C, block.timestamps, block.values[:, 0])
        else:
            again.load("t", block)
    assert flat(again.select(EVERYTHING, 0, 99)) == flat(real.select(EVERYTHING, 0, 99))
    assert flat(again.select(EVERYTHING, 3, 99)) == {A: {3: bits(3.0)}}
    again.append_row(row("t", 4, {A: 4.0}))
    assert len(again.select(EVERYTHING, 4, 4)) == 1


def test_what_is_remembered_of_selections_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eldonia_ops.storage.clickhouse.metrics.head._MAX_SELECTED", 1_000)
    kept, of_m = head(), [Matcher("__name__", MatchOp.EQUAL, "m")]
    names = [labels("m", id=str(number)) for number in range(300)]
    kept.append_row(row("t", 10, dict.fromkeys(names, 1.0)))
    for turn in range(50):
        found = kept.select([*of_m, Matcher("id", MatchOp.NOT_EQUAL, str(turn))], 0, 100)
        assert sum(len(block.labels) for block in found) == 299
        kept.append_row(row("u", 10 + turn, {labels("n", turn=str(turn)): 1.0}))  # every selection is out of date
        assert sum(one.size for one in kept._selections.values()) == kept._selected <= 1_000
    same = [*of_m, Matcher("id", MatchOp.NOT_EQUAL, "7")]
    for turn in range(5):
        kept.append_row(row("v", 10 + turn, {labels("o", turn=str(turn)): 1.0}))
        kept.select(same, 0, 100)
        assert sum(one.size for one in kept._selections.values()) == kept._selected


def test_a_request_that_comes_again_as_a_whole_is_no_fault() -> None:
    real = head()
    request = [Sample(A, at, float(at)) for at in (10, 20, 30)] + [Sample(B, 10, STALE_NAN)]
    assert len(real.append_samples(request).samples) == 4
    assert len(real.append_samples(request).samples) == 0
    assert (real.counters["out_of_order"], real.counters["duplicate"]) == (0, 0)
    real.append_samples([Sample(A, 20, 9.0), Sample(A, 15, 1.0), Sample(B, 10, float("nan"))])
    assert (real.counters["out_of_order"], real.counters["duplicate"]) == (1, 2)
    assert flat(real.select(EVERYTHING, 0, 99))[A] == {at: bits(float(at)) for at in (10, 20, 30)}


def histogram(count: int) -> NativeHistogram:
    return NativeHistogram(0, count, count, positive=((count, float(count)),))


WRITES = st.lists(
    st.tuples(st.sampled_from(SERIES[:4]), INSTANTS, st.integers(0, 3), st.sampled_from([0, 5, 9])), max_size=6
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.tuples(st.just("samples"), WRITES), SCRAPE, ADVANCE, SET_BACK), max_size=25),
    INSTANTS,
    INSTANTS,
)
def test_histograms_are_kept_like_floats(steps: list[tuple], start: int, end: int) -> None:
    """Written as histograms, the samples are those of a head of floats, each with the histogram that was sent."""
    real, floats = head(retention_ms=150), head(retention_ms=150)
    for step in steps:
        match step:
            case ("row", target, at, values):
                real.append_row(row(target, at, values))
                floats.append_row(row(target, at, values))
            case ("samples", samples):
                accepted = real.append_samples([HistogramSample(n, at, histogram(v), s) for n, at, v, s in samples])
                alike = floats.append_samples([Sample(name, at, 1e9 + value) for name, at, value, _ in samples])
                assert accepted.samples["timestamp"].tolist() == alike.samples["timestamp"].tolist()
                assert len(accepted.histograms) == len(accepted.samples)
            case ("advance", now):
                real.advance(now)
                floats.advance(now)
            case ("set_back", now):
                real.set_back(now)
                floats.set_back(now)
    assert real.counters == floats.counters
    seen: dict[Labels, dict[int, float]] = {}
    for block in real.select(EVERYTHING, start, end):
        values = block.values.copy()
        for (place, column), one in block.histograms.items():
            assert bits(float(values[place, column])) == HISTOGRAM_NAN_BITS
            values[place, column] = 1e9 + one.count
        for known in block.starts.values():
            assert [at for at, _ in known] == sorted({at for at, _ in known})
        seen |= flat([SeriesBlock(block.labels, block.timestamps, values)])
    assert seen == flat(floats.select(EVERYTHING, start, end))
    real.advance(10_000)
    assert (real.series_count, real.nbytes) == (0, 0)


def test_a_start_is_noted_where_it_changes_and_in_each_hour() -> None:
    real = head(retention_ms=9 * 3_600_000)
    hour = 3_600_000
    sent = [(1, 5), (2, 5), (3, 7), (4, 0), (5, 0), (hour - 1, 8), (hour, 8), (hour + 1, 8)]
    stored = [
        (int(at), int(start))
        for at, start_ms in sent
        for _, _, at, start in real.append_samples([Sample(A, at, 1.0, start_ms)]).starts.tolist()
    ]
    assert stored == [(1, 5), (3, 7), (4, 0), (hour - 1, 8), (hour, 8)]
    [block] = real.select(EVERYTHING, 2, 3)
    assert block.starts == {0: [(1, 5), (3, 7)]}


def test_many_series_are_selected_in_parts_between_which_others_may_append(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "_SINGLES_AT_ONCE", 3)
    head = Head(floor_ms=0)
    series = [Labels({"__name__": "m", "n": str(number)}) for number in range(10)]
    head.append_samples([Sample(one, 1_000 + number, 1.0) for number, one in enumerate(series)])
    named = (Matcher("__name__", MatchOp.EQUAL, "m"),)
    expected = head.select(named, 1_002, 1_007)
    assert sorted(labels["n"] for block in expected for labels in block.labels) == list("234567")
    found: list[SeriesBlock] = []
    parts = 0
    for _ in head.select_in_parts(found, named, 1_002, 1_007):
        parts += 1
        head.append_samples([Sample(one, 5_000 + parts, 2.0) for one in series])
        head.append_samples([Sample(Labels({"__name__": "m", "n": f"new{parts}"}), 1_005, 2.0)])
    assert parts == 3
    assert [(block.labels, block.timestamps.tolist(), block.values.tolist()) for block in found] == [
        (block.labels, block.timestamps.tolist(), block.values.tolist()) for block in expected
    ]
    assert len(head.select(named, 1_002, 5_000)) > len(expected)


def test_series_without_a_sample_in_the_range_are_passed_over() -> None:
    head = Head(floor_ms=0)
    one = Labels({"__name__": "m"})
    head.append_samples([Sample(one, at, float(at)) for at in (1_000, 3_000)])
    named = (Matcher("__name__", MatchOp.EQUAL, "m"),)
    ranges = [(0, 999), (3_001, 9_000), (1_001, 2_999), (1_000, 1_000), (3_000, 3_000), (0, 9_000), (3_000, 1_000)]
    seen = [[block.timestamps.tolist() for block in head.select(named, *range_)] for range_ in ranges]
    assert seen == [[], [], [], [[1_000]], [[3_000]], [[1_000, 3_000]], []]


@pytest.mark.parametrize("most", [0, 29, 30, 59, 60, 99, 100])
def test_no_more_is_gathered_than_may_be_loaded(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    one = head()
    series = [labels("up", n=str(n)) for n in range(6)]
    for at in range(1, 11):
        # Two targets of 30 cells each, and four series with times of their own.
        one.append_row(row("a", at, dict.fromkeys(series[:3], 1.0)))
        one.append_row(row("b", at, dict.fromkeys(series[3:], 1.0)))
        one.append_samples([Sample(labels("up", n=f"s{n}"), at * 10 + n, 1.0) for n in range(4)])
    gathered = 0
    gather, samples = head_module._gather, head_module.HeadSeries.samples

    def counted(values: Any, columns: Any) -> Any:
        nonlocal gathered
        gathered += len(values) * len(columns)
        return gather(values, columns)

    def counted_samples(one: Any, start: int, end: int) -> Any:
        nonlocal gathered
        found = samples(one, start, end)
        gathered += len(found[0])
        return found

    monkeypatch.setattr(head_module, "_gather", counted)
    monkeypatch.setattr(head_module.HeadSeries, "samples", counted_samples)
    if most == 100:
        assert sum(block.values.size for block in one.select(EVERYTHING, 0, 1_000, most=most)) == 100
    else:
        with pytest.raises(TooManySamplesError, match=f"more than {most} samples"):
            one.select(EVERYTHING, 0, 1_000, most=most)
    assert gathered <= (most if most < 60 else most + 10)

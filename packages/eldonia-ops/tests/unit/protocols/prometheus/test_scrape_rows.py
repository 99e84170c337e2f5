import itertools

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import MetricMetadata, MetricType, Sample, is_stale
from eldonia_ops.protocols.prometheus.scrape_rows import ExpositionError, Readings, ScrapeRows, target_relabel

TARGET = Labels({"job": "shop", "instance": "h:1"})


def cells(row):
    return {
        str(labels): "stale" if stale else value
        for labels, value, stale in zip(row.labels, row.values.tolist(), is_stale(row.values), strict=True)
    }


def test_target_labels_win_and_clashes_are_exported():
    relabel = target_relabel(TARGET)
    assert relabel(Labels({"__name__": "a", "job": "x", "exported_job": "y", "z": "1"})) == Labels(
        {"__name__": "a", "job": "shop", "instance": "h:1", "exported_exported_job": "x", "exported_job": "y", "z": "1"}
    )
    honored = target_relabel(TARGET, honor_labels=True)
    assert honored(Labels({"__name__": "a", "job": "x"})) == Labels({"__name__": "a", "job": "x", "instance": "h:1"})


def test_a_scrape_gives_its_samples_and_the_report():
    rows = ScrapeRows("shop/h:1", TARGET)
    collected = rows.scraped(b"# TYPE a counter\na 1\nb 2 1000\n", 5_000, 0.25)
    assert collected.row.target == "shop/h:1"
    assert collected.row.timestamp_ms == 5_000
    end = '{instance="h:1", job="shop"}'
    assert cells(collected.row) == {
        f"a{end}": 1.0,
        f"up{end}": 1.0,
        f"scrape_duration_seconds{end}": 0.25,
        f"scrape_samples_scraped{end}": 2.0,
        f"scrape_samples_post_metric_relabeling{end}": 2.0,
        f"scrape_series_added{end}": 1.0,
    }
    assert collected.samples == (Sample(TARGET.merged({"__name__": "b"}), 1000, 2.0),)
    assert collected.metadata == (MetricMetadata("a", MetricType.COUNTER),)


def test_steady_series_keep_one_tuple_and_gone_ones_are_marked_once():
    rows = ScrapeRows("t", TARGET)
    first = rows.scraped(b"a 1\nb 2\n", 0, 0.1).row
    second = rows.scraped(b"b 3\na 4\n", 1, 0.1).row
    assert second.labels is first.labels
    assert second.values[:2].tolist() == [4.0, 3.0]
    third = rows.scraped(b"a 5\nc 6\n", 2, 0.1).row
    named = {labels.name: value for labels, value in zip(third.labels, third.values.tolist(), strict=True)}
    assert named["scrape_series_added"] == 1
    assert [labels.name for labels, stale in zip(third.labels, is_stale(third.values), strict=True) if stale] == ["b"]
    fourth = rows.scraped(b"a 5\nc 6\n", 3, 0.1).row
    assert not is_stale(fourth.values).any()


def test_a_failure_ends_everything_and_the_next_success_brings_it_back():
    rows = ScrapeRows("t", TARGET)
    rows.scraped(b"a 1\nb 2\n", 0, 0.1)
    with pytest.raises(ExpositionError):
        rows.scraped(b"a 1\nb\n", 1, 0.1)
    failed = {
        str(labels).split("{")[0]: value for labels, value in zip(*_columns(rows.failed(1, 0.2).row), strict=True)
    }
    assert failed["up"] == 0.0
    assert failed["scrape_duration_seconds"] == 0.2
    assert failed["a"] == failed["b"] == "stale"
    again = cells(rows.failed(2, 0.2).row)
    assert "stale" not in again.values()
    back = rows.scraped(b"a 1\n", 3, 0.1).row
    assert back.values.tolist() == [1.0, 1.0, 0.1, 1.0, 1.0, 1.0]


def _columns(row):
    shown = cells(row)
    return shown.keys(), shown.values()


def test_the_first_of_repeated_lines_counts():
    row = ScrapeRows("t", TARGET).scraped(b"a 1\na 2\n", 0, 0.1).row
    assert row.values[0] == 1.0
    assert row.values[3] == 2.0


def test_timestamps_need_not_be_honoured():
    collected = ScrapeRows("t", TARGET, honor_timestamps=False).scraped(b"b 2 1000\na 1\n", 7, 0.1)
    assert collected.samples == ()
    assert sorted(collected.row.values[:2].tolist()) == [1.0, 2.0]


def test_a_target_that_never_repeats_itself_does_not_grow_for_ever():
    rows = ScrapeRows("t", TARGET)
    for turn in range(40):
        body = "".join(f'a{{id="{turn}-{n}"}} {n}\n' for n in range(100)).encode() + b"steady 1\n"
        row = rows.scraped(body, turn, 0.1).row
        stale = [labels for labels, gone in zip(row.labels, is_stale(row.values), strict=True) if gone]
        assert len(stale) == (0 if turn == 0 else 100)
        assert all(labels["id"].startswith(f"{turn - 1}-") for labels in stale)
        steady = [value for labels, value in zip(row.labels, row.values, strict=True) if labels.name == "steady"]
        assert steady == [1.0]
    assert len(rows._parser.series) < 1_500


def test_a_target_that_spells_its_series_anew_each_time_does_not_grow_for_ever():
    rows = ScrapeRows("t", TARGET)
    names = "abcdefgh"
    for turn, order in enumerate(itertools.islice(itertools.permutations(names), 60)):
        pairs = ",".join(f'{name}="%d"' for name in order)
        body = "".join(f"m{{{pairs.replace('%d', str(n))}}} {turn}\n" for n in range(100))
        row = rows.scraped(body.encode(), turn, 0.1).row
        assert row.values[:100].tolist() == [turn] * 100
        assert not is_stale(row.values).any()
    assert rows._parser.remembered < 1_500


def test_series_with_timestamps_of_their_own_stay_known():
    rows = ScrapeRows("t", TARGET)
    body = "".join(f'a{{id="{n}"}} {n} 5000\n' for n in range(2_000)).encode() + b"plain 1\n"
    first = rows.scraped(body, 1, 0.1)
    known = rows._parser.series
    again = rows.scraped(body, 2, 0.1)
    assert rows._parser.series is known  # nothing was forgotten and read anew
    assert len(first.samples) == len(again.samples) == 2_000
    assert again.samples[7].labels is first.samples[7].labels
    # What is kept of them does not make them part of the row.
    many = "".join(f'b{{id="{n}"}} {n}\n' for n in range(20_000)).encode()
    rows.scraped(many, 3, 0.1)
    last = rows.scraped(body, 4, 0.1)
    assert int(is_stale(last.row.values).sum()) == 20_000
    after = rows.scraped(body, 5, 0.1)
    assert not is_stale(after.row.values).any()
    assert [labels.name for labels in after.row.labels][:1] == ["plain"]


def test_readings_keep_their_tuple_and_mark_what_stops():
    readings = Readings("node/h", Labels({"job": "node", "instance": "h"}))
    first = readings.row(0, [("load", {}, 1.0), ("disk", {"device": "a"}, 2.0), ("disk", {"device": "a"}, 9.0)])
    assert cells(first) == {
        'load{instance="h", job="node"}': 1.0,
        'disk{device="a", instance="h", job="node"}': 2.0,
    }
    second = readings.row(1, [("load", {}, 3.0), ("disk", {"device": "a"}, 4.0)])
    assert second.labels is first.labels
    third = readings.row(2, [("load", {}, 5.0)])
    assert is_stale(third.values).tolist() == [False, True]
    assert np.array_equal(readings.row(3, [("load", {}, 6.0)]).values, [6.0])


def test_a_target_that_exposes_the_labels_of_our_report_does_not_replace_it():
    rows = ScrapeRows("shop/h:1", TARGET, honor_labels=True)
    up = '{instance="h:1", job="shop"}'
    for body in (b"up 7\na 1\n", b"a 1\nup 7\n", b"up 7 1000\na 1\n", b"a 1\n"):
        collected = rows.scraped(body, 5_000, 0.25)
        assert len(set(collected.row.labels)) == len(collected.row.labels)
        assert cells(collected.row)[f"up{up}"] == 1.0
        assert collected.samples == ()
    assert cells(rows.failed(6_000, 0.25).row)[f"up{up}"] == 0.0

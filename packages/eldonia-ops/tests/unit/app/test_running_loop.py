"""What one loop stores, and what it leaves behind."""

import asyncio

import numpy as np

from eldonia_ops.app.running_loop import LoopOutput, closed, ended
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import STALE_NAN, MetricMetadata, MetricType, SampleRow, is_stale
from eldonia_ops.protocols.prometheus.scrape_rows import Collected
from eldonia_ops.services.clock import ManualClock

A, B, C = (Labels({METRIC_NAME: name}) for name in "abc")


def row(at, *labels, target="t", stale=()):
    values = np.array([STALE_NAN if one in stale else 1.0 for one in labels])
    return SampleRow(target, at, labels, values)


class Sink:
    def __init__(self):
        self.collected = []
        self.broken = False

    async def store(self, collected):
        if self.broken:
            raise RuntimeError("disk full")
        self.collected.append(collected)

    def rows(self):
        """Target, time, the series with values and those that ended."""
        return [
            (
                one.row.target,
                one.row.timestamp_ms,
                {label for label, stale in zip(one.row.labels, is_stale(one.row.values), strict=True) if not stale},
                {label for label, stale in zip(one.row.labels, is_stale(one.row.values), strict=True) if stale},
            )
            for one in self.collected
        ]


def output(now=10_000):
    sink = Sink()
    return LoopOutput(ManualClock(now), sink.store), sink


async def test_only_series_that_are_live_end():
    found, sink = output()
    await found.store(Collected(row(1_000, A, B, C)))
    await found.store(Collected(row(2_000, A, B, C, stale=(B,))))
    await found.end()
    assert sink.rows()[2:] == [("t", 10_000, set(), {A, C})]
    await found.end()
    assert len(sink.collected) == 3


async def test_each_block_of_a_loop_ends():
    found, sink = output()
    await found.store(Collected(row(1_000, A, target="one")))
    await found.store(Collected(row(1_000, B, target="two")))
    await found.end()
    assert sink.rows()[2:] == [("one", 10_000, set(), {A}), ("two", 10_000, set(), {B})]


async def test_a_marker_comes_after_the_last_sample():
    assert ended(row(9_000, A), 10_000, (A,)).timestamp_ms == 10_000
    assert ended(row(10_000, A), 10_000, (A,)).timestamp_ms == 10_001
    # The clock was set back by an hour since.
    assert ended(row(3_610_000, A), 10_000, (A,)).timestamp_ms == 10_000


async def test_a_successor_ends_what_it_does_not_bring_in_its_first_row():
    found, sink = output()
    found.inherit([row(1_000, A, B)])
    metadata = (MetricMetadata("b", MetricType.GAUGE),)
    await found.store(Collected(row(2_000, B, C), metadata=metadata))
    await found.store(Collected(row(3_000, B, C)))
    assert sink.rows() == [("t", 2_000, {B, C}, {A}), ("t", 3_000, {B, C}, set())]
    assert [one.metadata for one in sink.collected] == [metadata, ()]


async def test_what_is_inherited_from_another_block_ends_in_that_block():
    found, sink = output()
    found.inherit([row(1_000, A, B, target="old")])
    await found.store(Collected(row(2_000, B, target="new")))
    assert sink.rows() == [("old", 2_000, set(), {A}), ("new", 2_000, {B}, set())]


async def test_what_was_not_stored_is_inherited_still():
    found, sink = output()
    found.inherit([row(1_000, A)])
    sink.broken = True
    try:
        await found.store(Collected(row(2_000, B)))
    except RuntimeError:
        sink.broken = False
    await found.store(Collected(row(3_000, B)))
    assert sink.rows() == [("t", 3_000, {B}, {A})]


async def test_something_that_hangs_or_fails_is_closed_no_longer_than_a_while(monkeypatch, caplog):
    monkeypatch.setattr("eldonia_ops.app.running_loop.STOP_SECONDS", 0.01)

    async def hangs():
        await asyncio.Event().wait()

    async def fails():
        raise OSError("gone")

    await closed("a", hangs)
    await closed("b", fails)
    assert "a does not close" in caplog.text
    assert "b was not closed" in caplog.text

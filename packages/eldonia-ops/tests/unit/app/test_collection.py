"""What runs is what the settings ask for, whatever they asked for before."""

import asyncio
import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from eldonia_ops.app.collection import Collection
from eldonia_ops.collectors.collector import Collector, Independent, LoopPlan
from eldonia_ops.collectors.status import TargetStatus
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import SampleRow, is_stale
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.prometheus.scrape_rows import Collected
from eldonia_ops.services.clock import ManualClock
from eldonia_ops.services.ingest import Origin
from eldonia_ops.services.loops import Loops
from eldonia_ops.settings import Settings


class Intake:
    """An intake that keeps the rows."""

    def __init__(self):
        self.origin = Origin("test", "here")
        self.rows = []
        self.broken = False
        self.refusals = []

    async def row(self, row, metadata=()):
        if self.broken:
            raise RuntimeError("disk full")
        self.rows.append(row)
        return {}

    async def samples(self, samples, metadata=()):
        return {}

    def refused(self, signal, source, reasons):
        if reasons:
            self.refusals.append((signal, source))

    def live(self):
        """The series whose last sample is no marker, with that sample."""
        found = {}
        for row in self.rows:
            for labels, value, stale in zip(row.labels, row.values.tolist(), is_stale(row.values), strict=True):
                found.pop(labels, None)
                if not stale:
                    found[labels] = value
        return found

    def ended(self):
        return {
            labels for row in self.rows for labels, stale in zip(row.labels, is_stale(row.values), strict=True) if stale
        }


@dataclass(frozen=True)
class Wanted:
    """What a test wants collected: a name, and a version of how."""

    name: str
    version: int = 1
    series: int = 1


def series(wanted, number):
    return Labels({METRIC_NAME: f"{wanted.name}_{number}", "job": "test"})


class Ticker:
    """A loop that stores a row each second."""

    running = 0

    def __init__(self, world, wanted, context):
        self.world, self.wanted, self.context = world, wanted, context
        self.turns = 0
        self.closed = 0

    async def run(self):
        assert self.wanted.name not in self.world.busy, "two loops of one name at once"
        self.world.busy.add(self.wanted.name)
        self.world.started.append(self.wanted)
        try:
            while True:
                await self.turn()
                await self.context.clock.sleep_until(self.context.clock.now() + 1_000)
        finally:
            await asyncio.sleep(0)
            self.world.busy.discard(self.wanted.name)

    async def turn(self):
        self.turns += 1
        labels = tuple(series(self.wanted, number) for number in range(self.wanted.series))
        at = self.context.clock.now()
        await self.context.store(Collected(SampleRow(self.wanted.name, at, labels, np.ones(len(labels)))))

    def statuses(self):
        return [TargetStatus("ticker", self.wanted.name, "")]

    async def close(self):
        assert self.wanted.name not in self.world.busy
        self.closed += 1


class World:
    """A collection of tickers; the settings carry what is wanted of them in ``collectors``."""

    def __init__(self, loop=Ticker, **collectors):
        self.loop = loop
        self.clock = ManualClock()
        self.intake = Intake()
        self.loops = Loops()
        self.busy = set()
        self.started = []
        self.built = []
        collectors = collectors or {"ticker": Collector("ticker", lambda _: Independent(self.plans))}
        self.collection = Collection(
            settings(), self.clock, self.intake, None, None, None, self.loops, collectors=collectors
        )
        self.task = None

    def plans(self, settings):
        for wanted in settings.collectors.get("ticker", ()):
            yield LoopPlan(wanted.name, wanted, lambda context, wanted=wanted: self.build(wanted, context))

    def build(self, wanted, context):
        loop = self.loop(self, wanted, context)
        self.built.append(loop)
        return loop

    async def __aenter__(self):
        self.task = asyncio.create_task(self.collection.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.collection.close()

    async def want(self, *wanted, **more):
        await self.collection.apply(settings(ticker=wanted, **more))
        await self.collection.settled()
        await asyncio.sleep(0.001)

    def names(self):
        return [target.name for target in self.collection.targets()]


def settings(**collectors):
    return Settings(Path("/data"), Secret(""), collectors=collectors)


async def test_what_did_not_change_does_not_notice():
    async with World() as world:
        await world.want(Wanted("a"), Wanted("b"))
        await world.clock.advance(3_000)
        [a, b] = world.built
        turns = a.turns
        assert turns > 3
        await world.want(Wanted("b"), Wanted("a"), Wanted("c"))
        assert world.built[:2] == [a, b]
        assert len(world.built) == 3
        assert a.turns == turns
        assert world.intake.ended() == set()
        assert world.names() == ["b", "a", "c"]


async def test_the_series_of_what_is_removed_end_at_once():
    async with World() as world:
        await world.want(Wanted("a", series=2), Wanted("b"))
        await world.clock.advance(500)
        await world.want(Wanted("b"))
        assert world.intake.ended() == {series(Wanted("a"), 0), series(Wanted("a"), 1)}
        assert world.intake.rows[-1].timestamp_ms == world.clock.now()
        assert set(world.intake.live()) == {series(Wanted("b"), 0)}
        assert world.built[0].closed == 1
        assert world.names() == ["b"]


async def test_what_is_changed_is_replaced_without_a_gap():
    async with World() as world:
        await world.want(Wanted("a", version=1, series=3))
        await world.clock.advance(500)
        await world.want(Wanted("a", version=2, series=2))
        assert world.started == [Wanted("a", 1, 3), Wanted("a", 2, 2)]
        assert world.intake.ended() == {series(Wanted("a"), 2)}
        assert set(world.intake.live()) == {series(Wanted("a"), 0), series(Wanted("a"), 1)}
        # The marker is in the row of the successor: no moment without the others.
        assert len([row for row in world.intake.rows if is_stale(row.values).any()]) == 1


async def test_a_successor_that_stored_nothing_passes_the_series_on():
    async with World() as world:
        await world.want(Wanted("a", version=1))
        world.intake.broken = True
        await world.want(Wanted("a", version=2))
        world.intake.broken = False
        await world.want()
        assert world.intake.ended() == {series(Wanted("a"), 0)}


async def test_markers_that_are_not_stored_hold_nothing_up(caplog):
    async with World() as world:
        await world.want(Wanted("a"), Wanted("b"))
        world.intake.broken = True
        await world.want(Wanted("b"))
        assert "was not stored" in caplog.text
        assert world.names() == ["b"]


async def test_settings_applied_before_the_start_are_those_that_run():
    world = World()
    await world.want(Wanted("a"))
    await world.want(Wanted("b"))
    async with world:
        await world.clock.advance(0)
        assert world.started == [Wanted("b")]
    assert world.busy == set()
    assert world.built[1].closed == 1


async def test_two_of_the_same_name_both_run():
    async with World() as world:
        same = dataclasses.replace(Wanted("a"))
        await world.want(Wanted("a"), Wanted("b"))
        world.busy = _Uncounted()
        await world.want(Wanted("a"), same, Wanted("b"))
        assert world.names() == ["a", "a", "b"]
        assert [loop.name for loop in world.loops.all()] == ["ticker a", "ticker b", "ticker a (2)"]


class _Uncounted(set):
    def __contains__(self, _):
        return False


class Failing(Ticker):
    async def turn(self):
        if self.wanted.version == 13:
            raise RuntimeError("broken")
        await super().turn()


async def test_a_loop_that_fails_is_tried_again_and_forgotten_when_it_is_removed():
    async with World(Failing) as world:
        await world.want(Wanted("a", version=13), Wanted("b"))
        for _ in range(4):
            await world.clock.advance(30_000)
        assert [loop.name for loop in world.loops.failing()] == ["ticker a"]
        assert len(world.started) > 3
        assert world.built[1].turns > 100
        changes = []
        world.loops.on_change = lambda: changes.append(len(world.loops.failing()))
        await world.want(Wanted("b"))
        assert world.loops.failing() == []
        assert changes == [0]
        assert [loop.name for loop in world.loops.all()] == ["ticker b"]


class Odd(Ticker):
    """A loop that does what no loop should."""

    async def run(self):
        match self.wanted.name:
            case "returns":
                self.turns += 1
                return
            case "exits":
                raise SystemExit(3)
            case "stays":
                self.world.stays = asyncio.Event()
                while not self.world.stays.is_set():
                    try:
                        await self.world.stays.wait()
                    except asyncio.CancelledError:
                        self.turns += 1
        await super().run()

    def statuses(self):
        if self.wanted.name == "states":
            raise ZeroDivisionError
        return super().statuses()

    async def close(self):
        if self.wanted.name == "closes":
            raise OSError("not now")


@pytest.mark.parametrize("name", ["returns", "exits", "states", "closes"])
async def test_a_loop_that_misbehaves_disturbs_no_other(name):
    async with World(Odd) as world:
        await world.want(Wanted(name), Wanted("good"))
        await world.clock.advance(10_000)
        assert world.built[1].turns == 11
        assert world.built[0].turns < 15
        assert world.names() == [name, "good"]
        await world.want(Wanted("good"))
        assert world.names() == ["good"]


async def test_a_loop_that_does_not_stop_is_left_to_itself(monkeypatch):
    monkeypatch.setattr("eldonia_ops.app.running_loop.STOP_SECONDS", 0.01)
    async with World(Odd) as world:
        await world.want(Wanted("stays"), Wanted("good"))
        await world.want(Wanted("good"), Wanted("other"))
        assert world.started == [Wanted("good"), Wanted("other")]
        world.stays.set()


async def test_what_cannot_be_built_is_shown_and_tried_again():
    async with World() as world:
        build, world.build = world.build, _broken_for("a", world.build)
        await world.want(Wanted("a"), Wanted("b"))
        states = {target.name: (target.health, target.error) for target in world.collection.targets()}
        assert states["a"] == ("down", "cannot be collected: ValueError: no such thing")
        assert states["b"] == ("unknown", "")
        world.build = build
        await world.want(Wanted("a"), Wanted("b"))
        assert {target.health for target in world.collection.targets()} == {"unknown"}


async def test_what_cannot_be_built_anew_goes_on_as_it_was():
    async with World() as world:
        await world.want(Wanted("a", version=1))
        build, world.build = world.build, _broken_for("a", world.build)
        await world.want(Wanted("a", version=2))
        assert world.busy == {"a"}
        assert [(target.name, target.health) for target in world.collection.targets()] == [
            ("a", "down"),
            ("a", "unknown"),
        ]
        world.build = build
        await world.want(Wanted("a", version=2))
        assert world.started == [Wanted("a", 1), Wanted("a", 2)]
        assert world.names() == ["a"]


def _broken_for(name, build):
    def broken(wanted, context):
        if wanted.name == name:
            raise ValueError("no such thing")
        return build(wanted, context)

    return broken


async def test_a_collector_that_cannot_plan_keeps_what_it_has():
    plain = World.plans

    def plans(settings):
        if settings.collectors.get("fault"):
            raise KeyError("place")
        return plain(world, settings)

    def other(settings):
        yield LoopPlan("x", "x", lambda context: world.build(Wanted("x"), context))

    world = World(
        ticker=Collector("ticker", lambda _: Independent(plans)), other=Collector("o", lambda _: Independent(other))
    )
    async with world:
        await world.want(Wanted("a"))
        await world.want(Wanted("b"), fault=(1,))
        assert world.busy == {"a", "x"}
        problems = [target for target in world.collection.targets() if target.error]
        assert [(target.kind, target.health) for target in problems] == [("ticker", "down")]
        assert "KeyError" in problems[0].error
        await world.want(Wanted("b"))
        assert world.busy == {"b", "x"}
        assert not [target for target in world.collection.targets() if target.error]


async def test_a_collector_that_cannot_be_opened_is_shown():
    def broken(_):
        raise OSError("no room")

    world = World(bad=Collector("bad", broken), good=Collector("good", lambda _: Independent(lambda _: [])))
    assert [(target.name, target.error) for target in world.collection.targets()] == [
        ("bad", "cannot be used: OSError: no room")
    ]


_CONFIGURATIONS = st.lists(
    st.lists(
        st.builds(Wanted, st.sampled_from("abcd"), st.integers(1, 2), st.integers(0, 3)),
        max_size=4,
        unique_by=lambda wanted: wanted.name,
    ),
    max_size=8,
)


@given(_CONFIGURATIONS, st.data())
@hypothesis_settings(max_examples=40, deadline=None)
def test_any_sequence_of_configurations(configurations, data):
    async def check():
        async with World() as world:
            before = {}
            for wanted in configurations:
                wait = data.draw(st.booleans())
                loops = {loop.wanted.name: loop for loop in world.built}
                await world.collection.apply(settings(ticker=tuple(wanted)))
                if wait:
                    await world.collection.settled()
                    await world.clock.advance(1_000)
                for one in wanted:
                    if before.get(one.name) == one:
                        latest = [loop for loop in world.built if loop.wanted.name == one.name][-1]
                        assert latest is loops[one.name]
                before = {one.name: one for one in wanted}
            await world.collection.settled()
            # A first row, whatever marker came just before it.
            await world.clock.advance(2_000)
            assert world.busy == set(before)
            assert world.names() == list(before)
            expected = {series(one, number) for one in before.values() for number in range(one.series)}
            assert set(world.intake.live()) == expected
            assert len(world.loops.all()) == len(before)
            # Each loop that is not there any more was closed, once.
            kept = [[loop for loop in world.built if loop.wanted == one][-1] for one in before.values()]
            assert [loop.closed for loop in world.built] == [int(loop not in kept) for loop in world.built]
            # Of one series no sample is older than the one before. (A marker follows the last row by 1 ms where both
            # are of the same instant; the first row of the next loop may be of that instant, too.)
            newest = {}
            for row in world.intake.rows:
                for labels in row.labels:
                    assert row.timestamp_ms >= newest.get(labels, 0) - 1
                    newest[labels] = row.timestamp_ms
        assert world.busy == set()

    asyncio.run(check())

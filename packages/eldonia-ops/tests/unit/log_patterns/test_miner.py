"""Which pattern each message has."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.log_patterns import miner as mining
from eldonia_ops.log_patterns.miner import NO_PATTERN, RENEWED_MS, Miner
from eldonia_ops.log_patterns.service_form import NEW_AT_ONCE
from eldonia_ops.model.log_patterns import LogPattern

DAY = 86_400_000
TEXTS = st.lists(
    st.one_of(
        st.builds(lambda n, m: f"user {n} logged in after {m} ms", st.integers(0, 10**6), st.integers(0, 10**4)),
        st.builds(lambda n: f"payment of {n} was declined", st.sampled_from(["alice", "bob", "eve"])),
        st.builds(lambda n: f"order {n:x}-{n:x} is late", st.integers(0, 2**60)),
        st.text(max_size=30),
    ),
    max_size=30,
)


def templates(miner: Miner, messages: list[str], now: int = 0) -> list[str]:
    ids = miner.assign(messages, "shop", now)
    known = {one.id: one.template for one in miner.changed()}
    return [known.get(id, id) for id in ids]


NAMES = ("alice", "bob", "eve", "mika", "hana", "ken", "lee")


def test_messages_that_differ_in_numbers_have_one_pattern() -> None:
    miner = Miner()
    ids = miner.assign(["paid 5 of 9", "paid 17 of 20", "paid by card"], "shop", 7)
    assert ids[0] == ids[1] != ids[2]
    assert miner.changed() == [
        LogPattern(id=ids[0], template="paid <#> of <#>", first_seen_ms=7, last_seen_ms=7),
        LogPattern(id=ids[2], template="paid by card", first_seen_ms=7, last_seen_ms=7),
    ]
    assert miner.changed() == []


def test_a_pattern_keeps_its_id_when_its_template_becomes_more_general_and_after_a_restart() -> None:
    miner = Miner()
    messages = [f"payment of {name} was declined" for name in NAMES]
    ids = miner.assign(messages[:5], "shop", 5)
    stored = {one.id: one for one in miner.changed()}
    assert len(set(ids)) == len(stored) == 5
    [joined] = miner.assign(messages[5:6], "shop", 5)
    general = {one.id: one for one in miner.changed()}
    assert joined in ids
    assert general.keys() == stored.keys()
    assert {one.template for one in general.values()} == {"payment of <*> was declined"}
    assert all(one.last_seen_ms > stored[id].last_seen_ms for id, one in general.items()), (
        "what is written later counts"
    )
    assert miner.assign(messages[:5], "shop", 6) == ids
    again = Miner(general.values())
    assert set(again.assign(messages, "shop", 9)) <= set(ids)
    assert again.changed() == []


@given(st.lists(TEXTS, max_size=6), st.randoms(use_true_random=False))
def test_the_same_messages_in_the_same_order_have_the_same_patterns(
    batches: list[list[str]], rng: random.Random
) -> None:
    one, other = Miner(), Miner()
    for batch in batches:
        assert one.assign(batch, "a", 1) == other.assign(batch, ["a"] * len(batch), 1)
        assert one.changed() == other.changed()


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_id_is_written_before_or_with_the_batch_that_has_it(batches: list[list[str]]) -> None:
    miner, written = Miner(), set[str]()
    for now, batch in enumerate(batches):
        ids = miner.assign(batch, "a", now)
        written |= {one.id for one in miner.changed()}
        assert set(ids) - {NO_PATTERN} <= written
        assert miner.assign(batch, "a", now) == ids, "a message that is known keeps its pattern"


@settings(max_examples=20)
@given(TEXTS)
def test_a_batch_is_as_its_messages_one_by_one(batch: list[str]) -> None:
    together, alone = Miner(), Miner()
    assert together.assign(batch, "a", 0) == [alone.assign([message], "a", 0)[0] for message in batch]


def words(rng: random.Random, count: int = 9) -> str:
    return " ".join("".join(rng.choices("abcdefghijkl", k=6)) for _ in range(count))


def test_text_without_form_makes_few_patterns_and_hides_no_other_service() -> None:
    rng, miner = random.Random(1), Miner()
    for _ in range(20):
        noise = [words(rng) for _ in range(500)]
        miner.assign([*noise, "request 5 done"], ["noise"] * 500 + ["shop"], 0)
    assert len(miner) <= NEW_AT_ONCE + 1
    assert miner.unmined > 9_000
    assert miner.assign(["request 7 done", "order 9 is late"], "shop", 0)[1] != NO_PATTERN
    written = len(miner.changed())
    for minute in range(1, 4):
        miner.assign([words(rng) for _ in range(640)], "noise", minute * 60_000)
    assert len(miner.changed()) <= 4 < written


def test_a_known_message_counts_in_full_beside_text_without_form() -> None:
    rng, miner = random.Random(2), Miner()
    found = 0
    for _ in range(20):
        batch = [words(rng) if place % 3 else f"heartbeat {place} ok" for place in range(300)]
        found += sum(
            id != NO_PATTERN for id, text in zip(miner.assign(batch, "a", 0), batch, strict=True) if "heartbeat" in text
        )
    assert found == 20 * 100


def test_a_service_that_finds_its_form_again_is_looked_at_in_full() -> None:
    rng, miner = random.Random(3), Miner()
    for _ in range(10):
        miner.assign([words(rng) for _ in range(400)], "a", 0)
    assert miner._services["a"].barren
    for minute in range(1, 8):
        ids = miner.assign([f"disk {number} is full" for number in range(400)], "a", minute * 60_000)
    assert NO_PATTERN not in ids  # pyright: ignore[reportPossiblyUnboundVariable]


def test_a_pattern_that_is_still_seen_is_renewed_once_a_day() -> None:
    miner = Miner()
    miner.assign(["job 1 ended"], "a", DAY)
    miner.changed()
    miner.assign(["job 2 ended"], "a", DAY + RENEWED_MS - 1)
    assert miner.changed() == []
    miner.assign(["job 3 ended"], "a", DAY + RENEWED_MS)
    [renewed] = miner.changed()
    assert (renewed.first_seen_ms, renewed.last_seen_ms) == (DAY, DAY + RENEWED_MS)
    miner.assign(["job 3 ended"], "a", 0)  # a clock that is set back
    assert miner.changed() == []


def test_patterns_are_bounded_and_those_seen_the_longest_ago_are_dropped() -> None:
    miner = Miner(most_patterns=20)
    for number in range(60):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        miner.assign([f"{name} {name} {name}"], f"service {number}", number)
        miner.assign(["always here today"], "a", number)
        assert len(miner) <= 20
        miner.changed()
    [id] = miner.assign(["always here today"], "a", 99)
    assert {one.id: one for one in [*miner.changed()]} == {}, "it was never dropped"
    assert miner._states[id].first_ms == 0


def test_a_pattern_that_is_forgotten_begins_anew_and_is_written_again() -> None:
    miner = Miner()
    [hers] = miner.assign(["the key of alice was lost"], "shop", 1)
    [other] = miner.assign(["order 7 was paid"], "shop", 1)
    miner.changed()
    miner.forget([hers])
    assert miner.assign(["order 8 was paid"], "shop", 2) == [other]
    assert miner.changed() == []
    assert miner.assign(["the key of alice was lost"], "shop", 3) == [hers]
    assert [(one.template, one.first_seen_ms) for one in miner.changed()] == [("the key of alice was lost", 3)]


def test_memory_of_shapes_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(mining, "MOST_SHAPES", 50)
    monkeypatch.setattr(mining, "MOST_SERVICES", 5)
    miner = Miner()
    for number in range(300):
        name = "".join(chr(97 + int(digit)) for digit in str(number))
        miner.assign([f"user {name} logged in"], f"service {number}", 0)
    assert len(miner._shapes) <= 50
    assert len(miner._masked) <= 50
    assert len(miner._services) <= 6

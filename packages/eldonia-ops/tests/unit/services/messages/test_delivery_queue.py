"""Whose delivery is next: order within a group, places for each integration, turns between causes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.ports import QueuedRow
from eldonia_ops.services.messages.delivery_queue import DeliveryQueue


def row(id: int, group: str = "", *, to: str = "team", urgent: bool = False, cause: str = "", at: int = 0) -> QueuedRow:
    return QueuedRow(id, to, "webhook", 0, group or f"group {id}", urgent, cause, at)


def ids(queue: DeliveryQueue, now: int = 0) -> list[int]:
    return [one.id for one in queue.take(now)]


def test_rows_of_one_group_wait_for_one_another_and_for_their_time() -> None:
    queue = DeliveryQueue(at_once=10, each=10)
    queue.add([row(1, "a"), row(2, "a"), row(3, "b", at=50)])
    assert (ids(queue), ids(queue)) == ([1], [])
    assert queue.next_at() == 50
    queue.end(1, 100)
    assert ids(queue, 60) == [3]
    assert ids(queue, 100) == [1]
    queue.end(1, None)
    assert ids(queue, 100) == [2]
    queue.end(2, None)
    queue.end(3, None)
    assert (len(queue), queue.next_at()) == (0, None)


def test_an_integration_that_hangs_takes_no_place_of_another() -> None:
    queue = DeliveryQueue(at_once=5, each=2)
    queue.add([row(number, to="hangs") for number in range(1, 10)])
    queue.add([row(10), row(11)])
    assert ids(queue) == [1, 2, 10, 11]
    queue.add([row(12, to="third"), row(13, to="third")])
    assert ids(queue) == [12], "five at once"


def test_fewer_may_go_while_there_is_more_to_do() -> None:
    queue = DeliveryQueue(at_once=5, each=5)
    queue.add([row(number) for number in range(1, 10)])
    assert ids(queue) == [1, 2, 3, 4, 5]
    queue.end(1, None)
    assert (queue.take(0, at_once=3), queue.ready) == ([], True)
    assert ids(queue) == [6]


def test_a_page_of_another_cause_takes_the_next_place() -> None:
    queue = DeliveryQueue(at_once=1, each=1)
    queue.add([row(number, urgent=True, cause="storm") for number in range(1, 1_000)])
    assert ids(queue) == [1]
    queue.add([row(1_000, urgent=True, cause="database"), row(1_001, cause="note")])
    queue.end(1, None)
    assert ids(queue) == [2]
    queue.end(2, None)
    assert ids(queue) == [1_000]


def test_what_somebody_asks_to_try_again_is_tried() -> None:
    queue = DeliveryQueue(at_once=5, each=5)
    queue.add([row(1, "a", at=900), row(2, "a")])
    queue.revive(row(1, "a", at=10))
    assert ids(queue, 10) == [1]
    queue.revive(row(1, "a", at=11))
    assert ids(queue, 11) == [], "it is under way"
    queue.revive(row(7, "a", at=11))  # it was given up long ago
    assert ids(queue, 11) == [7]
    queue.end(7, None)
    queue.end(1, None)
    assert ids(queue, 11) == [2]


def test_nothing_waits_for_a_clock_that_was_set_back() -> None:
    queue = DeliveryQueue(at_once=5, each=5)
    queue.add([row(1, at=1_000_000), row(2, at=500)])
    assert queue.bring_forward(100, 1_000) == [1]
    assert ids(queue, 100) == [1]


@settings(deadline=None)  # it is no test of speed
@given(st.data())
def test_every_row_goes_out_once_in_the_order_of_its_group(data: st.DataObject) -> None:
    rows = [
        row(
            number,
            data.draw(st.sampled_from("abc")),
            to=data.draw(st.sampled_from("xy")),
            at=data.draw(st.integers(0, 9)),
        )
        for number in range(1, 15)
    ]
    queue = DeliveryQueue(at_once=3, each=2)
    queue.add(rows)
    queue.add(rows)
    done: list[int] = []
    under_way: list[int] = []
    for now in range(400):
        under_way += ids(queue, now)
        assert len(under_way) <= 3
        if under_way:
            ended = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
            again = data.draw(st.integers(0, 3)) == 0 and now < 200
            queue.end(ended, now + 5 if again else None)
            if not again:
                done.append(ended)
    assert sorted(done) == [one.id for one in rows]
    for group in "abc":
        mine = [one.id for one in rows if one.order_key == group]
        assert [id for id in done if id in mine] == mine


def test_a_place_is_free_when_the_receiver_has_answered_and_the_row_still_holds_up_its_group() -> None:
    queue = DeliveryQueue(at_once=5, each=1, unwritten=2)
    queue.add([row(1, "a"), row(2, "a"), row(3, "b"), row(4, "c")])
    assert ids(queue) == [1]
    assert queue.upcoming(10) == [3, 4]
    queue.answered(1)
    assert ids(queue) == [3], "not 2, which follows 1"
    queue.answered(3)
    assert ids(queue) == [], "two outcomes are to be written first"
    queue.revive(row(3, "b"))
    assert ids(queue) == []
    queue.end(1, None)
    assert ids(queue) == [4]
    queue.answered(4)
    queue.end(3, 50)
    assert ids(queue) == [2]
    queue.end(2, None)
    queue.end(4, None)
    assert ids(queue, 50) == [3]
    queue.end(3, None)
    assert len(queue) == 0

"""Which attempts are counted together."""

import pytest

from eldonia_ops.web.login_throttle import FailedAttempts, network_of


class Time:
    now = 0


def attempts(limit: int = 3, capacity: int = 10) -> tuple[FailedAttempts, Time]:
    time = Time()
    return FailedAttempts(lambda: time.now, limit, 1_000, capacity), time


def test_the_wait_ends_although_somebody_goes_on_trying() -> None:
    counted, time = attempts()
    assert [counted.failed("192.0.2.1", "") for _ in range(5)] == [0, 0, 0, 1_000, 1_000]
    time.now = 600
    assert counted.failed("192.0.2.1", "") == 400
    time.now = 1_000
    assert counted.failed("192.0.2.1", "") == 0


def test_guesses_at_one_token_from_many_addresses_are_counted_together() -> None:
    counted, _ = attempts()
    waits = [counted.failed(f"192.0.2.{number}", f"eops_a_AAAAAAAAAA{number}") for number in range(4)]
    assert waits == [0, 0, 0, 1_000]
    assert counted.failed("192.0.2.9", "eops_a_BBBBBBBBBB") == 0


def test_a_clock_that_is_set_back_locks_no_one_out() -> None:
    counted, time = attempts()
    time.now = 10_000_000
    for _ in range(4):
        counted.failed("192.0.2.1", "")
    time.now = 0
    assert counted.failed("192.0.2.1", "") == 0


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    counted, _ = attempts(capacity=10)
    for number in range(1_000):
        counted.failed(str(number), "x" * 20 + str(number))
    assert len(counted._failures) <= 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_ipv6_client_has_a_whole_network(address: str, network: str) -> None:
    assert network_of(address) == network

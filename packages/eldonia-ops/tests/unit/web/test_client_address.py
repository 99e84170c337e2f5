"""Who a request comes from behind proxies, and what clients write into headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.web.client_address import client_address, within

TRUSTED = ("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32")
ADDRESSES = st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # no proxy of ours: what it says counts for nothing
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the first was sent by the client
        ("127.0.0.1", ["198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7", "10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("127.0.0.1", ["[2001:db9::1]:4711"], "2001:db9::1"),
        ("127.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("::ffff:127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["198.51.100.7, nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["unknown, 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("", ["198.51.100.7"], ""),
        ("127.0.0.1", ["198.51.100.7" + ", 10.0.0.1" * 30], "10.0.0.1"),  # bounded
    ],
)
def test_the_header_is_read_as_far_as_trusted_proxies_wrote_it(peer: str, forwarded: list[str], client: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == client


@given(peer=ADDRESSES, forged=st.lists(st.one_of(ADDRESSES, st.text(max_size=20)), max_size=5))
def test_a_client_that_reaches_us_directly_cannot_choose_its_address(peer: str, forged: list[str]) -> None:
    if not within(peer, TRUSTED):
        assert client_address(peer, [", ".join(forged)], TRUSTED) == peer


@given(real=st.ip_addresses(v=4).map(str), forged=st.lists(ADDRESSES, max_size=5))
def test_nor_can_one_behind_a_trusted_proxy(real: str, forged: list[str]) -> None:
    if not within(real, TRUSTED):
        assert client_address("127.0.0.1", [", ".join([*forged, real])], TRUSTED) == real

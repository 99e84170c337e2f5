import asyncio
import socket

import pytest

from eldonia_ops.collectors.addresses import resolve


def entry(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, 80))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_an_address_stands_for_itself(address):
    assert await resolve(address, 80) == address  # no name service is asked: unit tests have no network


@pytest.mark.parametrize(
    ("found", "chosen"), [(["::1", "192.0.2.1", "192.0.2.2"], "192.0.2.1"), (["2001:db8::1", "::1"], "2001:db8::1")]
)
async def test_version_4_is_preferred(monkeypatch, found, chosen):
    async def answer(host, port, *, type):
        assert (host, port, type) == ("shop.example", 80, socket.SOCK_STREAM)
        return [entry(address) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", answer)
    assert await resolve("shop.example", 80) == chosen

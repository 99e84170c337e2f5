"""Who a request comes from when proxies stand in between."""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.types import Scope

PEER: Final = "eldonia_ops.peer"
"""The key in the ASGI scope under which the gate notes the address that a connection really comes from."""

_MOST_HOPS: Final = 20
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def peer_of(scope: Scope) -> str:
    """The address that the connection of a request comes from, whatever its headers say."""
    return scope.get(PEER) or (scope["client"][0] if scope.get("client") else "")


def note_client(scope: Scope, trusted: Sequence[str]) -> None:
    """Put the client's address into a scope, in the place of a trusted proxy's, which :func:`peer_of` still gives."""
    peer = scope["client"][0] if scope.get("client") else ""
    found = client_address(peer, Headers(scope=scope).getlist("x-forwarded-for"), trusted) if trusted else peer
    scope[PEER] = peer
    if found != peer:
        scope["client"] = (found, 0)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[str]) -> str:
    """The address of the client: ``X-Forwarded-For`` is read from its end, as far as trusted proxies wrote it.

    What is before the first address that is not trusted was sent by the client, who can write there what it likes.
    """
    if not within(peer, trusted):
        return peer
    found = peer
    for text in reversed(",".join(forwarded).split(",")[-_MOST_HOPS:]):
        address = _address(text)
        if address is None:
            break
        found = str(address)
        if not within(found, trusted):
            break
    return found


def within(address: str, networks: Sequence[str]) -> bool:
    """Whether an address lies in one of some networks; IPv4 addresses that are written as IPv6 count as IPv4."""
    parsed = _address(address)
    return parsed is not None and any(parsed in network for network in _networks(tuple(networks)))


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[_Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed

"""The client's address behind proxies: ``X-Forwarded-For``, believed only from those that are trusted."""

import ipaddress
from collections.abc import Iterable
from typing import Final

from eldonia_telemetry import dropped_data

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAX_HOPS: Final = 20
_MAX_KNOWN: Final = 4096


class ClientAddress:
    """Decides who the client is. Entries that are no address or network are reported and ignored."""

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        self._trusted: list[Network] = []
        for entry in trusted:
            try:
                self._trusted.append(ipaddress.ip_network(entry, strict=False))
            except ValueError as error:
                dropped_data.count("setup", "trusted_proxies holds something that is no address", error)
        self._known: dict[str, bool] = {}

    def of(self, peer: str, forwarded: bytes | None) -> str:
        """The nearest address, seen from the server, that is not a trusted proxy.

        ``peer`` is the other end of the connection, ``forwarded`` the header's value. Whatever a
        client itself put in front of the header stays without effect.
        """
        if forwarded is None or not self._trusted or not self._is_trusted(peer):
            return peer
        hops = forwarded[-2048:].decode("latin-1").split(",")[-_MAX_HOPS:]
        address = peer
        for hop in reversed(hops):
            candidate = _plain(hop)
            if candidate is None:
                break  # not written by a trusted proxy: the entries before it are not trusted either
            address = candidate
            if not self._is_trusted(candidate):
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        known = self._known.get(address)
        if known is None:
            try:
                parsed = ipaddress.ip_address(address)
                known = any(parsed in network for network in self._trusted)
            except ValueError:
                known = False
            if len(self._known) < _MAX_KNOWN:
                self._known[address] = known
        return known


def _plain(hop: str) -> str | None:
    """An address without port and brackets, in its usual spelling; None when it is none."""
    hop = hop.strip()
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        parsed = ipaddress.ip_address(hop)
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)

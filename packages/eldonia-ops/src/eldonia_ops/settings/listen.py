"""Addresses to listen on."""

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listen:
    """Where a listener binds. ``host`` is a name or an IP address without brackets; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Listen:
    """Read ``host:port``, ``[v6]:port``, ``:port`` (every address) or ``port`` (loopback).

    Raises:
        ValueError: it is none of these; the message says what was expected.
    """
    host, colon, port = text.strip().rpartition(":")
    if not colon:
        host = "127.0.0.1"
    elif host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError(f"{host!r} is not an IPv6 address") from None
    elif ":" in host:
        raise ValueError("write an IPv6 address in brackets, like [::1]:9600")
    elif not host:
        host = "0.0.0.0"  # noqa: S104 - what an empty host means everywhere
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("write an address like 127.0.0.1:9600, with a port from 0 to 65535")
    return Listen(host, int(port))

"""From a host's name to the address that a probe connects to."""

import asyncio
import ipaddress
import socket


async def resolve(host: str, port: int) -> str:
    """The address of a host; an address is its own.

    Raises:
        OSError: the name cannot be resolved.
    """
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    # IPv4 first: many hosts have an IPv6 address and no way to use it.
    return next((address for address in addresses if ":" not in address), addresses[0])

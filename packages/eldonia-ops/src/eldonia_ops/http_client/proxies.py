"""Which proxy a request goes through.

Rules of exceptions: https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config, which Alertmanager follows.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Proxies:
    """Addresses of proxies by scheme; '' for none.

    ``exempts`` says that hosts of ``no_proxy`` and this very machine are asked directly. A ``proxy_url`` alone
    serves every host.
    """

    http: str = ""
    https: str = ""
    no_proxy: str = ""
    exempts: bool = False

    def __bool__(self) -> bool:
        return bool(self.http or self.https)

    def of(self, scheme: str, host: str, port: int) -> str:
        """The address of the proxy for a host, or ''."""
        proxy = self.https if scheme == "https" else self.http
        if not proxy or (self.exempts and is_exempt(host, port, self.no_proxy)):
            return ""
        return proxy


def from_environment(environment: Mapping[str, str]) -> Proxies:
    """What ``HTTP_PROXY``, ``HTTPS_PROXY`` and ``NO_PROXY`` say, in capitals or in small letters."""

    def value(name: str) -> str:
        return (environment.get(name) or environment.get(name.lower()) or "").strip()

    def address(name: str) -> str:
        found = value(name)
        return f"http://{found}" if found and "://" not in found else found

    # In a CGI program HTTP_PROXY is a header of the client: https://httpoxy.org/
    plain = "" if environment.get("REQUEST_METHOD") else address("HTTP_PROXY")
    return Proxies(plain, address("HTTPS_PROXY"), value("NO_PROXY"), exempts=True)


def is_exempt(host: str, port: int, no_proxy: str) -> bool:
    """Whether a host is asked directly: loopback always is.

    ``no_proxy`` is a comma-separated list of host names (with all below them; only those with a dot in front),
    addresses and networks, names and addresses perhaps with a port; ``*`` means every host.
    """
    host = host.lower().strip().strip("[]").rstrip(".")
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(entry.strip().lower(), host, address, port) for entry in no_proxy.split(","))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None


def _matches(entry: str, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None, port: int) -> bool:
    if entry == "*":
        return True
    network = _network(entry)
    if network is not None:
        return address is not None and address in network
    name, wanted = _split_port(entry)
    if not name or (wanted and wanted != str(port)):
        return False
    exact = _address(name)
    if exact is not None or address is not None:
        return exact is not None and exact == address
    name = name.removeprefix("*") if name.startswith("*.") else name
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith("." + name)


def _split_port(entry: str) -> tuple[str, str]:
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""

"""The section ``nginx`` of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from eldonia_ops.collectors.urls import default_instance
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.reader import SettingsReader, unique

_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class NginxSettings:
    """A server of nginx. ``url`` is that of its ``stub_status``; times are milliseconds.

    ``instance`` is the label, host and port of the URL where it is empty. ``headers`` go along with each request.
    """

    url: str
    instance: str = ""
    interval: int = 15 * _SECOND
    timeout: int = 5 * _SECOND
    headers: Mapping[str, Secret] = field(default_factory=dict)
    verify_certificate: bool = True
    labels: Labels = EMPTY


def read_nginx(root: SettingsReader) -> tuple[NginxSettings, ...]:
    """``nginx``: the servers whose status is read."""
    found: list[NginxSettings] = []
    readers = root.list_of("nginx")
    for reader in readers:
        interval = reader.period("interval", 15 * _SECOND, minimum=_SECOND)
        timeout = reader.period("timeout", min(5 * _SECOND, interval))
        if timeout > interval:
            reader.fault("timeout", "timeout is longer than interval", "the next request would wait for this one")
        url = reader.url("url", required=True)
        if "@" in urlsplit(url).netloc:
            hint = "write headers: {Authorization: ...} with a variable of the environment"
            reader.fault("url", "url holds a user or a password, and is shown on the targets page", hint)
        found.append(
            NginxSettings(
                url=url,
                instance=reader.string("instance"),
                interval=interval,
                timeout=timeout,
                headers=reader.headers(),
                verify_certificate=reader.boolean("verify_certificate", True),
                labels=reader.labels(reserved=("job", "instance")),
            )
        )
        reader.done()
    instances = [server.instance or (default_instance(server.url) if server.url else "") for server in found]
    unique(list(zip(readers, instances, strict=True)), "instance", "servers of nginx")
    return tuple(found)

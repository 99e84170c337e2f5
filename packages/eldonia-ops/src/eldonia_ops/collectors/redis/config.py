"""The section ``redis`` of the settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.reader import SettingsReader, is_url, unique

_SECOND = 1_000
_NO_SECRET: Final = Secret("")
_TLS_KEYS: Final = ("ca_file", "cert_file", "key_file", "verify_certificate")
PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """A server of Redis. Times are milliseconds.

    ``url`` is ``redis://host:port``, ``rediss://host:port`` for TLS, or ``unix:///path`` of a socket. ``username`` is
    that of an ACL user, empty for the default user. ``ca_file``, ``cert_file`` and ``key_file`` are for TLS:
    certificates to trust instead of the system's, and our own.
    """

    url: str
    instance: str = ""
    username: str = ""
    password: Secret = _NO_SECRET
    interval: int = 15 * _SECOND
    timeout: int = 5 * _SECOND
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    verify_certificate: bool = True
    labels: Labels = EMPTY

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.url.startswith("rediss://")

    @property
    def socket(self) -> str:
        """The path of a Unix socket, empty for TCP."""
        return urlsplit(self.url).path if self.url.startswith("unix://") else ""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or PORT

    @property
    def name(self) -> str:
        """What its series have as ``instance``."""
        host, port = self.address
        return self.instance or self.socket or (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def read_redis(root: SettingsReader) -> tuple[RedisSettings, ...]:
    """``redis``: the servers that are watched."""
    found: list[RedisSettings] = []
    readers = root.list_of("redis")
    for reader in readers:
        interval = reader.period("interval", 15 * _SECOND, minimum=_SECOND)
        timeout = reader.period("timeout", min(5 * _SECOND, interval))
        if timeout > interval:
            reader.fault("timeout", "timeout is longer than interval", "the next look would wait for this one")
        server = RedisSettings(
            url=_url(reader),
            instance=reader.string("instance"),
            username=reader.string("username"),
            password=reader.secret("password"),
            interval=interval,
            timeout=timeout,
            ca_file=reader.absolute("ca_file"),
            cert_file=reader.absolute("cert_file"),
            key_file=reader.absolute("key_file"),
            verify_certificate=reader.boolean("verify_certificate", True),
            labels=reader.labels(reserved=("job", "instance")),
        )
        _check(reader, server)
        found.append(server)
        reader.done()
    names = [server.name if server.url else "" for server in found]
    unique(list(zip(readers, names, strict=True)), "instance", "servers of Redis")
    return tuple(found)


def _url(reader: SettingsReader) -> str:
    text = reader.string("url", required=True)
    if not text:
        return ""
    socket = text.startswith("unix:///") and len(text) > len("unix:///")
    if not socket and not is_url(text, ("redis", "rediss")):
        reader.fault("url", "url is not one of a Redis", "redis://host:port, rediss://host:port or unix:///path")
        return ""
    parts = urlsplit(text)
    if "@" in parts.netloc:
        hint = "write username: ... and password: ... beside it"
        reader.fault("url", "url holds a user or a password, and is shown on the targets page", hint)
        return ""
    if not socket and (parts.path.strip("/") or parts.query or parts.fragment):
        reader.fault("url", "url holds more than host and port", "a server is read with all of its databases")
        return ""
    return text


def _check(reader: SettingsReader, server: RedisSettings) -> None:
    if server.url and not server.tls:
        for key in _TLS_KEYS:
            if reader.has(key):
                reader.fault(key, f"{key} means nothing without TLS", "write rediss:// for TLS")
    if bool(server.cert_file) != bool(server.key_file):
        reader.fault("cert_file", "cert_file and key_file belong together")
    if server.username and not server.password:
        reader.fault("username", "username is without a password", "write password or password_file")

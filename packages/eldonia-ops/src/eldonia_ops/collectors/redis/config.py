"""The section ``redis`` of the settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Items, LabelSet
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag, Period, any_of
from eldonia_ops.settings.reader import SettingsReader, is_url, unique
from eldonia_ops.settings.texts import FilePath, SecretText, Text
from eldonia_ops.settings.units import SECOND

_NO_SECRET: Final = Secret("")
_TLS_KEYS: Final = ("ca_file", "cert_file", "key_file", "verify_certificate")
PORT: Final = 6379


@dataclass(frozen=True, slots=True)
class RedisUrl(Text):
    """Where a server listens, without user, password and database."""

    what: str = "URL of `redis`, `rediss` or `unix`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> str:
        """The URL; an empty text where it is none."""
        text = reader.string(key, required=required)
        if not text:
            return ""
        socket = text.startswith("unix:///") and len(text) > len("unix:///")
        if not socket and not is_url(text, ("redis", "rediss")):
            hint = "redis://host:port, rediss://host:port or unix:///path"
            reader.fault(key, f"{key} is not one of a Redis", hint)
            return ""
        parts = urlsplit(text)
        if "@" in parts.netloc:
            hint = "write username: ... and password: ... beside it"
            reader.fault(key, f"{key} holds a user or a password, and is shown on the targets page", hint)
            return ""
        if not socket and (parts.path.strip("/") or parts.query or parts.fragment):
            reader.fault(key, f"{key} holds more than host and port", "a server is read with all of its databases")
            return ""
        return text

    def schema(self) -> dict[str, Any]:
        """A text that begins with one of the schemes."""
        return any_of({"type": "string", "pattern": "^(rediss?|unix)://"})


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """A server of Redis. Times are milliseconds."""

    url: Annotated[
        str,
        Setting(RedisUrl(), "`redis://host:6379`, `rediss://host:6380` for TLS, or `unix:///run/redis/redis.sock`."),
    ]
    instance: Annotated[str, Setting(Text(), "Its label; without it host and port, or the socket.")] = ""
    username: Annotated[str, Setting(Text(), "Of an ACL user; without it the default user.")] = ""
    password: Annotated[Secret, Setting(SecretText(), "Of that user.")] = _NO_SECRET
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one look to the next.")] = 15 * SECOND
    timeout: Annotated[
        int,
        Setting(
            Period(at_most="interval", because="the next look would wait for this one"), "The longest time of a look."
        ),
    ] = 5 * SECOND
    ca_file: Annotated[
        Path | None,
        Setting(FilePath(), "TLS only. Certificates to trust instead of the system's.", applies=lambda one: one.tls),
    ] = None
    cert_file: Annotated[
        Path | None, Setting(FilePath(), "TLS only. Our own certificate.", applies=lambda one: one.tls)
    ] = None
    key_file: Annotated[
        Path | None, Setting(FilePath(), "TLS only. The key of our certificate.", applies=lambda one: one.tls)
    ] = None
    verify_certificate: Annotated[
        bool, Setting(Flag(), "TLS only. `false` trusts any certificate.", applies=lambda one: one.tls)
    ] = True
    service: Annotated[
        str, Setting(Text(), "The service that it is; without it the one of the same name under `services`.")
    ] = ""
    labels: Annotated[Labels, Setting(LabelSet(reserved=("job", "instance")), "Any but `job` and `instance`.")] = EMPTY

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


def check_redis(readers: list[SettingsReader], found: tuple[RedisSettings, ...]) -> None:
    """Note what does not go together, and servers of the same name."""
    for reader, server in zip(readers, found, strict=True):
        _check(reader, server)
    names = [server.name if server.url and not server.instance else "" for server in found]
    unique(list(zip(readers, names, strict=True)), "url", "servers of Redis")


def _check(reader: SettingsReader, server: RedisSettings) -> None:
    if server.url and not server.tls:
        for key in _TLS_KEYS:
            if reader.has(key):
                reader.fault(key, f"{key} means nothing without TLS", "write rediss:// for TLS")
    if bool(server.cert_file) != bool(server.key_file):
        reader.fault("cert_file", "cert_file and key_file belong together")
    if server.username and not server.password:
        reader.fault("username", "username is without a password", "write password or password_file")


SECTION: Final = Setting(
    Items(RedisSettings, "instance", "servers of Redis", check_all=check_redis), "Servers of Redis, by `INFO`."
)

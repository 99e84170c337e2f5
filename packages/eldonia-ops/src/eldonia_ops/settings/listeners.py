"""Listeners on the usual ports of other tools, beside the main one of ``listen``.

Which there are is said by :data:`DIALECTS` and by the intakes (:mod:`eldonia_ops.intake.registry`). A protocol
without a codec has no name.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from eldonia_ops.intake import StreamListener
from eldonia_ops.intake.registry import built_in, installed_intakes, listeners_of, stream_named
from eldonia_ops.model.places import is_loopback
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Items
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import NULL, Choice, Clean, Kind, Whole
from eldonia_ops.settings.listen import Listen
from eldonia_ops.settings.objects import object_schema, plain_section, read_section
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.sign_on import Networks
from eldonia_ops.settings.texts import FilePath, SecretText, Text

DIALECTS: Final[Mapping[str, int]] = {"prometheus": 9090, "alertmanager": 9093, "jaeger": 16686}
"""APIs of the platform that can have a listener, with the port at which their clients look for them."""

_NO_KEY: Final = Secret("")
ANONYMOUS: Final = ("none", "ingest", "viewer")
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}+")
_EVERY: Final = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True, slots=True)
class Host(Text):
    """A name or an IP address without a port; an IPv6 address has no brackets."""

    what: str = "host name or IP address"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The host."""
        found = reader.string(key, default, required=required)
        if _is_ip_address(found) or (_HOST_NAME.fullmatch(found) and not found.replace(".", "").isdigit()):
            return found
        reader.fault(key, f"{key} is neither a host name nor an IP address", "the port is a setting of its own")
        return default


@dataclass(frozen=True, slots=True)
class StreamUser:
    """Somebody who may send to a listener that asks for users."""

    username: Annotated[str, Setting(Text(), "The name that the client sends.")]
    password: Annotated[Secret, Setting(SecretText(), "And the password.")]


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One listener. Port 0 is any free one. The TLS files are PEM; without ``cert_file`` there is no TLS."""

    port: Annotated[
        int,
        Setting(Whole(minimum=0, maximum=65_535), "The usual one without it; 0: any that is free.", required=False),
    ]
    address: Annotated[str, Setting(Host(), "Beyond loopback only once there is a token.")] = "127.0.0.1"
    anonymous: Annotated[
        str,
        Setting(
            Choice(ANONYMOUS),
            "What a request without a token may do, as a token of that role. Only on a loopback address, and only for "
            "programs of this machine: what a proxy passes on needs a token.",
        ),
    ] = "none"
    cert_file: Annotated[
        Path | None,
        Setting(FilePath(), "The certificate for TLS, and its chain. Without it there is no TLS.", under="tls"),
    ] = None
    key_file: Annotated[Path | None, Setting(FilePath(), "Its private key, without a password.", under="tls")] = None
    client_ca_file: Annotated[
        Path | None,
        Setting(FilePath(), "Clients have to show a certificate that one of these vouches for.", under="tls"),
    ] = None

    shared_key: Annotated[
        Secret,
        Setting(
            SecretText(),
            "`forward` alone: clients have to prove that they know it, as Fluentd's `<security>` asks for.",
            applies=lambda one: bool(one.shared_key),
        ),
    ] = _NO_KEY
    users: Annotated[
        tuple[StreamUser, ...],
        Setting(
            Items(StreamUser, "username", "user"),
            "`forward` alone: with `shared_key`, clients also have to be one of these.",
            applies=lambda one: bool(one.users),
        ),
    ] = ()
    udp_from: Annotated[
        tuple[str, ...],
        Setting(
            Networks(),
            "`syslog` alone: whose datagrams are taken. Datagrams prove nothing of their sender; "
            "with `anonymous: ingest` this machine always can.",
            applies=lambda one: bool(one.udp_from),
        ),
    ] = ()

    @property
    def listen(self) -> Listen:
        """Where it binds."""
        return Listen(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Listeners(Kind):
    """A section for each listener that is to be open, by its name."""

    empty: ClassVar[Any] = {}

    @property
    def words(self) -> str:
        """The kind in words."""
        return "mapping by name, below"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The listeners that are to be open. Their names are looked up only when there are any."""
        inner = reader.section(key)
        if inner is None or not inner.node.is_mapping:
            return default
        named = {name.text: name for name, _ in inner.node.items() if name.is_scalar}
        kinds = usual_listeners(named) if named else {}
        found: dict[str, ListenerSettings] = {}
        readers: dict[str, SettingsReader] = {}
        for name, port in kinds.items():
            one = inner.section(name)
            if one is not None:
                found[name] = read_section(one, ListenerSettings, ListenerSettings(port), _check)
                readers[name] = one
                if (stream := stream_named(name)) is not None:
                    _check_stream(one, name, found[name], shared_key=stream.shared_key)
                _check_applies(one, name, found[name], stream)
            elif name in named:
                inner.problems.add(named[name], f"{name} is empty", f"open it as it is by {name}: {{}}")
        inner.done()
        for first, second in conflicts(found, reader.values.get("listen")):
            readers[second].fault("port", f"{second} has the address of {first}", "give each a port of its own")
        return found

    def schema(self) -> dict[str, Any]:
        """A mapping with a key for each listener."""
        one = object_schema(ListenerSettings)
        properties = {name: _with_port(one, port) for name, port in usual_listeners().items()}
        return {"anyOf": [{"type": "object", "properties": properties, "additionalProperties": False}, NULL]}

    def plain(self, value: Mapping[str, Any], clean: Clean) -> Any:
        """A mapping of those that are open."""
        return {name: plain_section(one, clean) for name, one in value.items()}


def usual_listeners(wanted: Iterable[str] | None = None) -> dict[str, int]:
    """The names of listeners with their usual ports. Plug-ins are asked only if a name that is ``wanted`` is none of
    ours (None: always)."""
    ours = {**DIALECTS, **{name: one.port for name, (_, one) in listeners_of(built_in()).items()}}
    if wanted is not None and ours.keys() >= set(wanted):
        return ours
    return {**{name: one.port for name, (_, one) in listeners_of(installed_intakes()).items()}, **ours}


def conflicts(found: Mapping[str, ListenerSettings], main: Listen | None) -> Iterator[tuple[str, str]]:
    """Pairs of listeners that cannot both bind; the main one is called ``listen``."""
    places = {**({"listen": main} if main is not None else {}), **{name: one.listen for name, one in found.items()}}
    for (first, one), (second, other) in combinations(places.items(), 2):
        if one.port == other.port != 0 and _overlap(one.host, other.host):
            yield first, second


def _overlap(one: str, other: str) -> bool:
    hosts = {"127.0.0.1" if host.lower() == "localhost" else host.lower() for host in (one, other)}
    return len(hosts) == 1 or not hosts.isdisjoint(_EVERY)


def _check(reader: SettingsReader, found: ListenerSettings) -> None:
    if found.anonymous != "none" and not is_loopback(found.address):
        hint = "listen on 127.0.0.1, or give every client a token"
        reader.fault(
            "anonymous",
            "requests without a token are let in on a loopback address only, not on one that others reach",
            hint,
        )
    if (found.cert_file is None) != (found.key_file is None):
        reader.fault("tls", "cert_file and key_file belong together")
    elif found.client_ca_file is not None and found.cert_file is None:
        reader.fault("tls", "client_ca_file needs cert_file and key_file")


def _check_stream(reader: SettingsReader, name: str, found: ListenerSettings, *, shared_key: bool) -> None:
    """A protocol without tokens is open only to whom the settings say, or who shows a certificate or knows a key."""
    if found.client_ca_file is not None or (shared_key and found.shared_key):
        return
    other = "shared_key, " if shared_key else ""
    if not is_loopback(found.address):
        if found.udp_from:
            return  # over TCP nobody is let in
        hint = f"write {other}tls with client_ca_file, or listen on 127.0.0.1 with anonymous: ingest"
        reader.fault("address", f"{name} has no tokens: everybody could send to {found.address}", hint)
    elif found.anonymous != "ingest":
        hint = f"write anonymous: ingest, {other}or tls with client_ca_file"
        reader.fault("anonymous", f"{name} has no tokens: nothing could be sent to it", hint)


def _check_applies(reader: SettingsReader, name: str, found: ListenerSettings, stream: StreamListener | None) -> None:
    """What only some protocols have must not look as if it protected another."""
    if stream is None or not stream.shared_key:
        for key in ("shared_key", "users"):
            if getattr(found, key):
                reader.fault(key, f"{name} has no {key}", "forward alone has one")
    elif found.users and not found.shared_key:
        reader.fault("users", "users need a shared_key", "the protocol asks for users only behind one")
    if found.udp_from and (stream is None or stream.datagrams is None):
        reader.fault("udp_from", f"{name} takes no datagrams", "syslog alone does")


def _with_port(schema: dict[str, Any], port: int) -> dict[str, Any]:
    properties = {**schema["properties"], "port": {**schema["properties"]["port"], "default": port}}
    return {**schema, "properties": properties}


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

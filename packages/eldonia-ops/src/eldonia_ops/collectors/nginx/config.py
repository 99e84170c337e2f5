"""The section ``nginx`` of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import urlsplit

from eldonia_ops.collectors.urls import default_instance
from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Headers, Items, LabelSet
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag, Period
from eldonia_ops.settings.reader import SettingsReader, unique
from eldonia_ops.settings.texts import Text, Url
from eldonia_ops.settings.units import SECOND


@dataclass(frozen=True, slots=True)
class NginxSettings:
    """A server of nginx. Times are milliseconds."""

    url: Annotated[str, Setting(Url(), "The page of `stub_status`: `http://127.0.0.1:8080/nginx_status`.")]
    instance: Annotated[str, Setting(Text(), "Its label; without it host and port of the URL.")] = ""
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one look to the next.")] = 15 * SECOND
    timeout: Annotated[
        int,
        Setting(
            Period(at_most="interval", because="the next look would wait for this one"), "The longest time of a look."
        ),
    ] = 5 * SECOND
    headers: Annotated[Mapping[str, Secret], Setting(Headers(), "Values are never shown.")] = field(
        default_factory=dict
    )
    verify_certificate: Annotated[bool, Setting(Flag(), "`false` trusts any certificate.")] = True
    service: Annotated[
        str, Setting(Text(), "The service that it is; without it the one of the same name under `services`.")
    ] = ""
    labels: Annotated[Labels, Setting(LabelSet(reserved=("job", "instance")), "Any but `job` and `instance`.")] = EMPTY


def check_nginx(readers: list[SettingsReader], found: tuple[NginxSettings, ...]) -> None:
    """Note credentials in a URL, which is shown, and servers of the same name."""
    for reader, server in zip(readers, found, strict=True):
        if "@" in urlsplit(server.url).netloc:
            hint = "write headers: {Authorization: ...} with a variable of the environment"
            reader.fault("url", "url holds a user or a password, and is shown on the targets page", hint)
    names = [default_instance(server.url) if server.url and not server.instance else "" for server in found]
    unique(list(zip(readers, names, strict=True)), "url", "servers of nginx")


SECTION: Final = Setting(
    Items(NginxSettings, "instance", "servers of nginx", check_all=check_nginx), "Servers of nginx, by `stub_status`."
)

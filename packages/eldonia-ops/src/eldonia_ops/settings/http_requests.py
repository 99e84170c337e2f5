"""How an HTTP request authenticates itself, and which way it takes: the keys of Prometheus' ``scrape_config``.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config. The values are those of
a receiver's ``http_config``, so one client applies both (:mod:`eldonia_ops.http_client`). Files with secrets are read
when the settings are read: a reload takes renewed ones.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final

from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.containers import Headers, TextMap, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Choice, Flag
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import SecretText, SecretUrl, Text, Url

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, section 11.1
_NONE: Final = Secret("")
_VERSION: Final = Choice(("", "TLS10", "TLS11", "TLS12", "TLS13"))


@dataclass(frozen=True, slots=True)
class Certificate(SecretText):
    """Certificates in PEM. They are no secret, and too long to be shown."""

    secret: ClassVar[bool] = False
    what: str = "PEM"


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """TLS, OAuth 2, a proxy, headers and redirects of requests."""

    authorization_type: Annotated[
        str, Setting(Text(), "The first word of the header `Authorization`.", key="type", under="authorization")
    ] = "Bearer"
    credentials: Annotated[Secret, Setting(SecretText(), "What follows it.", under="authorization")] = _NONE
    ca: Annotated[Secret, Setting(Certificate(), "Trusted instead of the system's.", under="tls_config")] = _NONE
    cert: Annotated[Secret, Setting(Certificate(), "The certificate that is shown.", under="tls_config")] = _NONE
    key: Annotated[Secret, Setting(SecretText(), "Belongs to `cert`.", under="tls_config")] = _NONE
    server_name: Annotated[
        str, Setting(Text(), "The name that the certificate must bear instead of the host's.", under="tls_config")
    ] = ""
    insecure_skip_verify: Annotated[bool, Setting(Flag(), "Trusts any certificate.", under="tls_config")] = False
    min_version: Annotated[str, Setting(_VERSION, "The oldest TLS; usually 1.2.", under="tls_config")] = ""
    max_version: Annotated[str, Setting(_VERSION, "The newest TLS.", under="tls_config")] = ""
    client_id: Annotated[str, Setting(Text(), "Client credentials (RFC 6749).", under="oauth2")] = ""
    client_secret: Annotated[Secret, Setting(SecretText(), "Belongs to `client_id`.", under="oauth2")] = _NONE
    token_url: Annotated[str, Setting(Url(), "Where tokens are asked for, by the same way.", under="oauth2")] = ""
    scopes: Annotated[tuple[str, ...], Setting(Texts(), "Scopes to ask for.", under="oauth2")] = ()
    endpoint_params: Annotated[
        Mapping[str, str], Setting(TextMap(), "Further parameters of the question for a token.", under="oauth2")
    ] = field(default_factory=dict[str, str])
    proxy_url: Annotated[Secret, Setting(SecretUrl(), "The proxy that requests go through.")] = _NONE
    no_proxy: Annotated[str, Setting(Text(), "Hosts, domains and networks without it, separated by commas.")] = ""
    proxy_from_environment: Annotated[
        bool, Setting(Flag(), "Whether `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say it.")
    ] = False
    proxy_connect_header: Annotated[
        Mapping[str, Secret], Setting(Headers(), "Sent to the proxy where it opens a tunnel. Values are never shown.")
    ] = field(default_factory=dict[str, Secret])
    follow_redirects: Annotated[bool, Setting(Flag(), "Whether redirects are followed.")] = True
    http_headers: Annotated[
        Mapping[str, Secret], Setting(Headers(), "Sent with every request. Values are never shown.")
    ] = field(default_factory=dict)


def check_http(reader: SettingsReader, found: HttpSettings) -> None:
    """Note what contradicts itself."""
    if bool(found.cert) != bool(found.key):
        reader.fault("tls_config", "tls_config needs cert with its key, or neither")
    if found.max_version and found.min_version > found.max_version:
        reader.fault("tls_config", "tls_config: max_version is below min_version")
    if found.authorization_type.lower() == "basic":
        reader.fault("authorization", "authorization.type cannot be Basic", "write basic_auth")
    elif not _TOKEN.fullmatch(found.authorization_type):
        reader.fault("authorization", "authorization.type is not one word")
    if found.credentials and found.token_url:
        reader.fault("oauth2", "oauth2 is given beside authorization", "keep one of them")
    if bool(found.client_id) != bool(found.token_url):
        reader.fault("oauth2", "oauth2 needs client_id and token_url")
    if found.proxy_from_environment and (found.proxy_url or found.no_proxy):
        reader.fault("proxy_from_environment", "proxy_from_environment goes with neither proxy_url nor no_proxy")
    elif found.no_proxy and not found.proxy_url:
        reader.fault("no_proxy", "no_proxy without proxy_url")

"""How a receiver is reached by HTTP: ``http_config`` of Alertmanager, as configured.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#http_config
"""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.secret import Secret

_NONE: Final = Secret()


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret given inline or as a file that is read when it is needed.

    ``missing`` says why there is none although the configuration is in order (an unset environment
    variable): what needs it then fails to deliver, saying so.
    """

    inline: Secret = _NONE
    file: str = ""
    missing: str = ""

    def __bool__(self) -> bool:
        return bool(self.inline or self.file or self.missing)


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Which certificates are trusted and shown (PEM), and the versions of TLS that may be spoken.

    ``ca`` replaces the certificates that the system trusts. ``server_name`` is the name that the far side's
    certificate must bear instead of the host of the address. Versions are written ``TLS12``; '' leaves the usual ones.
    """

    ca: Credential = Credential()
    cert: Credential = Credential()
    key: Credential = Credential()
    server_name: str = ""
    insecure_skip_verify: bool = False
    min_version: str = ""
    max_version: str = ""


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """Through which proxy requests go. ``connect_headers`` (name, value) are sent to it where it opens a tunnel."""

    url: Credential = Credential()
    no_proxy: str = ""
    from_environment: bool = False
    connect_headers: tuple[tuple[str, Credential], ...] = ()


@dataclass(frozen=True, slots=True)
class OAuth2Config:
    """Client credentials (RFC 6749, section 4.4) that a token is asked for with."""

    client_id: str
    client_secret: Credential
    token_url: Credential
    scopes: tuple[str, ...] = ()
    endpoint_params: tuple[tuple[str, str], ...] = ()
    proxy: ProxyConfig = ProxyConfig()
    tls: TlsConfig = TlsConfig()


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """How an HTTP request authenticates itself, and the way it takes. ``headers`` (name, value) are added to it."""

    authorization_type: str = "Bearer"
    authorization: Credential = Credential()
    basic_username: str = ""
    basic_username_file: str = ""
    basic_password: Credential = Credential()
    oauth2: OAuth2Config | None = None
    follow_redirects: bool = True
    headers: tuple[tuple[str, Credential], ...] = ()
    proxy: ProxyConfig = ProxyConfig()
    tls: TlsConfig = TlsConfig()
    unsupported: str = ""
    """Why nothing is sent with these settings, '' when all of them can be applied."""


NO_CREDENTIAL: Final = Credential()
PLAIN_HTTP: Final = HttpConfig()

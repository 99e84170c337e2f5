"""The ``http_config`` sections of ``alertmanager.yml``.

Source: https://prometheus.io/docs/alerting/latest/configuration/#http_config; what contradicts itself is refused as
Alertmanager refuses it.
"""

import re
from collections.abc import Callable, Collection
from typing import Final, Protocol
from urllib.parse import urlsplit

from eldonia_ops.alerting.http_config import Credential, HttpConfig, OAuth2Config, ProxyConfig, TlsConfig
from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode

_VERSIONS: Final = ("TLS10", "TLS11", "TLS12", "TLS13")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_RESERVED: Final = frozenset(
    {"accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "host",
     "keep-alive", "proxy-authenticate", "proxy-authorization", "user-agent", "www-authenticate"}
)  # fmt: skip
"""Headers that the request gives itself."""
_NO_HOST: Final = re.compile(r"[\x00-\x20\x7f{}|\\^`]")
_NOT_SENT: Final = "nothing is sent with it"


class Credentials(Protocol):
    """How secrets of the file are read."""

    def credential(self, reader: MappingReader, key: str, file_key: str = "", *, url: bool = False) -> Credential:
        """The one under ``key``, or in the file that ``file_key`` names."""
        ...

    def credential_of(self, node: YamlNode, key: str, what: str, *, url: bool = False) -> Credential:
        """The one that a single value is."""
        ...


class HttpReader:
    """Reads ``http_config``. ``relative`` makes paths those that can be opened."""

    def __init__(self, problems: Problems, credentials: Credentials, relative: Callable[[str], str]) -> None:
        self._problems = problems
        self._credential = credentials.credential
        self._credential_of = credentials.credential_of
        self._relative = relative
        self._unsupported = ""

    def http(self, reader: MappingReader, default: HttpConfig) -> HttpConfig:
        """The section of an integration, or ``default`` when it has none."""
        inner = reader.mapping("http_config")
        if inner is None:
            return default
        self._unsupported = ""
        inner.boolean("enable_http2")
        authorization, kind = self._authorization(inner)
        basic = inner.mapping("basic_auth")
        oauth2 = inner.mapping("oauth2")
        given = [found.node for found in (basic, oauth2) if found is not None]
        if len(given) + bool(authorization or inner.has("authorization")) > 1:
            self._problems.add(given[-1], "http_config takes one of authorization, basic_auth, oauth2 and bearer_token")
        username, username_file, password = self._basic(basic)
        found = HttpConfig(
            authorization_type=kind,
            authorization=authorization,
            basic_username=username,
            basic_username_file=username_file,
            basic_password=password,
            oauth2=self._oauth2(oauth2),
            follow_redirects=inner.boolean("follow_redirects", True),
            headers=self._headers(inner),
            proxy=self._proxy(inner, "http_config"),
            tls=self._tls(inner),
            unsupported=self._unsupported,
        )
        inner.done()
        return found

    def _lacking(self, node: YamlNode | None, reason: str) -> None:
        self._unsupported = reason
        self._problems.add(node, reason, _NOT_SENT, Level.WARNING)

    def _refuse_references(self, reader: MappingReader, *keys: str) -> None:
        """Secrets that Alertmanager takes from a store of its own."""
        for key in keys:
            node = reader.get(key)
            if node is not None and node.text:
                self._lacking(node, f"{reader.what}: {key} is not supported yet")

    def _authorization(self, inner: MappingReader) -> tuple[Credential, str]:
        bearer = self._credential(inner, "bearer_token", "bearer_token_file")
        reader = inner.mapping("authorization")
        if reader is None:
            return bearer, "Bearer"
        if bearer:
            self._problems.add(reader.node, "http_config takes one of authorization and bearer_token")
        kind = reader.string("type", "Bearer").strip() or "Bearer"
        if kind.lower() == "basic":
            self._problems.add(reader.get("type"), 'authorization: type cannot be "basic"', "use basic_auth")
        elif _HEADER.fullmatch(kind) is None:
            self._problems.add(reader.get("type"), "authorization: type is no name of an authentication scheme")
        found = self._credential(reader, "credentials", "credentials_file")
        self._refuse_references(reader, "credentials_ref")
        reader.done()
        return found, kind

    def _basic(self, reader: MappingReader | None) -> tuple[str, str, Credential]:
        if reader is None:
            return "", "", Credential()
        username, file = reader.string("username"), reader.string("username_file")
        if username and file:
            self._problems.add(reader.node, "basic_auth has both username and username_file", "keep one of them")
        self._refuse_references(reader, "username_ref", "password_ref")
        if not username and not file and not reader.has("username_ref"):
            self._problems.add(reader.node, "basic_auth needs username or username_file")
        password = self._credential(reader, "password", "password_file")
        reader.done()
        return username, self._relative(file) if file else "", password

    def _oauth2(self, reader: MappingReader | None) -> OAuth2Config | None:
        if reader is None:
            return None
        client_id = reader.string("client_id")
        if not client_id:
            self._problems.add(reader.node, "oauth2 needs client_id")
        self._refuse_references(reader, "client_secret_ref", "client_certificate_key_ref")
        grant = reader.get("grant_type")
        if grant is not None and grant.text not in ("", "client_credentials"):
            self._lacking(grant, "oauth2: of the grant types only client_credentials is supported")
            for key in (
                "client_certificate_key_id", "client_certificate_key", "client_certificate_key_file",
                "signature_algorithm", "iss", "audience", "claims",
            ):  # fmt: skip
                reader.get(key)
        secret = self._credential(reader, "client_secret", "client_secret_file")
        url = self._credential(reader, "token_url", url=True)
        if not url:
            self._problems.add(reader.node, "oauth2 needs token_url")
        found = OAuth2Config(
            client_id=client_id,
            client_secret=secret,
            token_url=url,
            scopes=reader.text_list("scopes"),
            endpoint_params=tuple(sorted(reader.string_map("endpoint_params").items())),
            proxy=self._proxy(reader, "oauth2"),
            tls=self._tls(reader),
        )
        reader.done()
        return found

    def _proxy(self, reader: MappingReader, what: str) -> ProxyConfig:
        node = reader.get("proxy_url")
        url = self._credential(reader, "proxy_url")
        if url.inline and "${" not in url.inline.reveal():
            address = url.inline.reveal()
            if "://" in address and not address.startswith(("http://", "https://")):
                scheme = address.partition("://")[0]
                shown = f"proxies of the kind {scheme}://" if scheme.isalnum() and len(scheme) < 16 else "such proxies"
                self._lacking(node, f"{what}: proxy_url: {shown} are not supported yet")
            elif not is_http(address):
                self._lacking(node, f"{what}: proxy_url is not an http:// or https:// address")
        from_environment = reader.boolean("proxy_from_environment")
        no_proxy = reader.string("no_proxy")
        headers = self._connect_headers(reader)
        if from_environment and url:
            self._problems.add(node, f"{what} takes one of proxy_from_environment and proxy_url")
        elif from_environment and no_proxy:
            self._problems.add(
                reader.get("no_proxy"), f"{what} takes one of proxy_from_environment and no_proxy", "set NO_PROXY"
            )
        elif no_proxy and not url:
            self._problems.add(reader.get("no_proxy"), f"{what} has no_proxy without proxy_url")
        if headers and not url and not from_environment:
            self._problems.add(reader.get("proxy_connect_header"), f"{what} has proxy_connect_header without a proxy")
        return ProxyConfig(url, no_proxy, from_environment, headers)

    def _connect_headers(self, reader: MappingReader) -> tuple[tuple[str, Credential], ...]:
        inner = reader.mapping("proxy_connect_header")
        found: list[tuple[str, Credential]] = []
        for name, node in inner.node.items() if inner is not None else ():
            if self._is_header(name, ()):
                found += self._values(name.text, node, f"proxy_connect_header.{name.text}")
        return tuple(found)

    def _headers(self, reader: MappingReader) -> tuple[tuple[str, Credential], ...]:
        inner = reader.mapping("http_headers")
        found: list[tuple[str, Credential]] = []
        for name, node in inner.node.items() if inner is not None else ():
            if not self._is_header(name, _RESERVED):
                continue
            header = MappingReader(node, self._problems, f"http_headers.{name.text}")
            for key in ("values", "secrets"):
                found += self._values(name.text, header.get(key), f"{key} of {header.what}")
            found += [(name.text, Credential(file=self._relative(path))) for path in header.text_list("files")]
            header.done()
        return tuple(found)

    def _values(self, name: str, node: YamlNode | None, what: str) -> list[tuple[str, Credential]]:
        items = [] if node is None else (node.elements() or [node])
        found = [(name, self._credential_of(item, what, what)) for item in items]
        return [(name, value) for name, value in found if value]

    def _is_header(self, name: YamlNode, reserved: Collection[str]) -> bool:
        if not name.is_scalar or _HEADER.fullmatch(name.text) is None:
            self._problems.add(name, "this is not the name of a header", "letters, digits and hyphens")
            return False
        if name.text.lower() in reserved or name.text.lower().startswith("x-prometheus-"):
            self._problems.add(name, f"the header {name.text} cannot be set here", "the request sets it itself")
            return False
        return True

    def _tls(self, reader: MappingReader) -> TlsConfig:
        inner = reader.mapping("tls_config")
        if inner is None:
            return TlsConfig()
        found = {key: self._credential(inner, key, f"{key}_file") for key in ("ca", "cert", "key")}
        self._refuse_references(inner, "ca_ref", "cert_ref", "key_ref")
        has_references = inner.has("cert_ref") or inner.has("key_ref")
        if bool(found["cert"]) != bool(found["key"]) and not has_references:
            self._problems.add(
                inner.node, "tls_config needs a certificate (cert, cert_file) with its key (key, key_file), or neither"
            )
        lowest, highest = (inner.choice(key, _VERSIONS, "") for key in ("min_version", "max_version"))
        if highest and lowest > highest:
            self._problems.add(inner.get("max_version"), "tls_config: max_version is below min_version")
        config = TlsConfig(
            **found,
            server_name=inner.string("server_name"),
            insecure_skip_verify=inner.boolean("insecure_skip_verify"),
            min_version=lowest,
            max_version=highest,
        )
        inner.done()
        return config


def is_http(text: str) -> bool:
    """Whether a text is an ``http://`` or ``https://`` address with a host."""
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return is_web and _NO_HOST.search(parts.netloc) is None
    except ValueError:
        return False

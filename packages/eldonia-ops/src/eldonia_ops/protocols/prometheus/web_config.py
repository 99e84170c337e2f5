"""Prometheus' web configuration: who may talk to a listener, and by which certificate it shows itself.

Format: https://prometheus.io/docs/prometheus/latest/configuration/https/
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, load

_HASH: Final = re.compile(r"\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}")
_MOST_ROUNDS: Final = 16
"""Of bcrypt's cost: one more takes twice as long, and each request may have to wait for it."""
_CLIENT_AUTH: Final = {
    "": "",
    "NoClientCert": "",
    "RequestClientCert": "given",
    "VerifyClientCertIfGiven": "given",
    "RequireAndVerifyClientCert": "required",
}
_VERSIONS: Final = ("TLS12", "TLS13")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """The certificate of a listener (PEM files). ``client_certificate`` is whether clients show one that
    ``client_ca_file`` vouches for: '' (never asked), ``given`` (checked if there is one) or ``required``."""

    cert_file: str
    key_file: str
    client_ca_file: str = ""
    client_certificate: str = ""
    min_version: str = "TLS12"


@dataclass(frozen=True, slots=True)
class WebConfig:
    """``users`` are bcrypt hashes by name; without any, no password is asked for."""

    users: Mapping[str, Secret] = field(default_factory=dict)
    tls: ServerTls | None = None


def parse_web_config(text: str, file: str) -> WebConfig:
    """Read a web configuration. Paths in it are relative to its own folder.

    Raises:
        ConfigError: with every fault found; among them what is not supported.
    """
    problems = Problems(file)
    document = load(text, file, problems)
    if document is None:
        return WebConfig()
    reader = MappingReader(document, problems, "the web configuration")
    users: dict[str, Secret] = {}
    node = reader.get("basic_auth_users")
    for name, text_of in reader.string_map("basic_auth_users").items():
        problems.concealed.add(text_of)
        match = _HASH.fullmatch(text_of)
        if match is None:
            problems.add(node, f"the password of {name!r} is not a bcrypt hash", "make one: htpasswd -nBC 10 NAME")
        elif int(match[1]) > _MOST_ROUNDS:
            problems.add(node, f"the bcrypt hash of {name!r} has a cost above {_MOST_ROUNDS}", "make one of cost 10")
        users[name] = Secret(text_of)
    tls = _tls(reader, posixpath.dirname(file), problems)
    if reader.get("http_server_config") is not None:
        problems.add(reader.get("http_server_config"), "http_server_config is not supported yet", "leave it out")
    reader.done()
    problems.raise_if_any()
    return WebConfig(users, tls)


def _tls(outer: MappingReader, folder: str, problems: Problems) -> ServerTls | None:
    node = outer.get("tls_server_config")
    if node is None:
        return None
    reader = MappingReader(node, problems, "tls_server_config")
    cert, key = reader.string("cert_file", required=True), reader.string("key_file", required=True)
    authority = reader.string("client_ca_file")
    kind = reader.choice("client_auth_type", [name for name in _CLIENT_AUTH if name], "")
    if _CLIENT_AUTH[kind] and not authority:
        problems.add(node, f"client_auth_type {kind} needs client_ca_file")
    version = reader.choice("min_version", _VERSIONS, "TLS12")
    for name in (
        "cert",
        "key",
        "client_ca",
        "client_allowed_sans",
        "max_version",
        "cipher_suites",
        "curve_preferences",
    ):
        if reader.get(name) is not None:
            problems.add(reader.get(name), f"{name} of tls_server_config is not supported yet", "leave it out")
    reader.get("prefer_server_cipher_suites")  # without effect at Prometheus as well
    reader.done()

    def path(text: str) -> str:
        return posixpath.join(folder, text) if text else ""

    return ServerTls(path(cert), path(key), path(authority), _CLIENT_AUTH[kind], version)

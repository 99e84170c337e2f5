"""TLS of the main listener: from files, or by ACME (RFC 8555)."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from eldonia_ops.settings.containers import Section, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Whole
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import FilePath, Text, Url

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
_DOMAIN: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*")


@dataclass(frozen=True, slots=True)
class AcmeSettings:
    """Certificates from an ACME server, by HTTP-01. Without ``domains`` there are none."""

    domains: Annotated[
        tuple[str, ...], Setting(Texts(), "The names of the certificate; the server asks each for a challenge.")
    ] = ()
    email: Annotated[str, Setting(Text(), "Whom the server writes to, if it does.")] = ""
    directory: Annotated[str, Setting(Url(), "The server. To use one is to agree to its terms.")] = LETS_ENCRYPT
    http_port: Annotated[
        int, Setting(Whole(1, 65_535), "Where challenges are answered; the server asks at port 80, so one leads here.")
    ] = 80
    http_address: Annotated[str, Setting(Text(), "The address of that port; every one without it.")] = ""
    directory_ca_file: Annotated[
        Path | None, Setting(FilePath(), "Whom to trust for the server itself, instead of the system's authorities.")
    ] = None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """TLS of the main listener; neither files nor domains: plain HTTP."""

    cert_file: Annotated[Path | None, Setting(FilePath(), "The certificate, and its chain.")] = None
    key_file: Annotated[Path | None, Setting(FilePath(), "Its private key, without a password.")] = None
    acme: Annotated[AcmeSettings, Setting(Section(AcmeSettings), "Certificates that are fetched and renewed.")] = field(
        default_factory=AcmeSettings
    )

    @property
    def enabled(self) -> bool:
        """Whether the listener speaks TLS."""
        return self.cert_file is not None or bool(self.acme.domains)


def check_tls(reader: SettingsReader, found: TlsSettings) -> None:
    """Files and ACME exclude each other, and each is whole."""
    if (found.cert_file is None) != (found.key_file is None):
        reader.fault("cert_file", "cert_file and key_file belong together")
    if found.cert_file is not None and found.acme.domains:
        reader.fault("acme", "tls has both cert_file and acme", "keep one of them")
    for domain in found.acme.domains:
        if _DOMAIN.fullmatch(domain) is None:
            reader.fault("acme", f"{domain[:80]!r} is not the name of a host", "wildcards need DNS, not HTTP")
    if found.acme.email and not found.acme.domains:
        reader.fault("acme", "acme names no domains", "write domains: [ops.example]")

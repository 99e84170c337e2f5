"""Certificates and the account, in the data folder. Key and chain are one file, so they always belong together."""

import contextlib
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from eldonia_ops.app.acme.schedule import Validity
from eldonia_ops.app.managed_files import replace_file

FOLDER: Final = "acme"
_OWN_DAYS: Final = 7


class CertificateStore:
    """The files of one set of domains and one server, readable by this user alone."""

    def __init__(self, data: Path, domains: tuple[str, ...], directory: str) -> None:
        self._folder = data / FOLDER
        self._domains = domains
        name = hashlib.sha256("\n".join((directory, *sorted(domains))).encode()).hexdigest()[:16]
        self.certificate = self._folder / f"{name}.pem"
        self.account = self._folder / f"account-{hashlib.sha256(directory.encode()).hexdigest()[:16]}.json"
        self.placeholder = self._folder / f"{name}.self-signed.pem"

    def held(self) -> Validity | None:
        """How long the certificate holds; None when there is none that can be read."""
        try:
            found = x509.load_pem_x509_certificate(_certificate_in(self.certificate.read_bytes()))
        except (OSError, ValueError):
            return None
        return Validity(_ms(found.not_valid_before_utc), _ms(found.not_valid_after_utc))

    def put(self, key: bytes, chain: bytes) -> None:
        """Keep a key with its chain, both in PEM."""
        self._make()
        replace_file(self.certificate, key.rstrip() + b"\n" + chain)
        with contextlib.suppress(FileNotFoundError):
            self.placeholder.unlink()

    def put_account(self, text: str) -> None:
        """Keep the account."""
        self._make()
        replace_file(self.account, text.encode())

    def stand_in(self) -> Path:
        """A self-signed certificate, until there is a real one: browsers warn of it."""
        self._make()
        key = new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._domains[0][:64])])
        now = datetime.now(UTC)
        found = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=_OWN_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in self._domains]), critical=False)
            .sign(key, hashes.SHA256())
        )
        replace_file(self.placeholder, key_pem(key) + found.public_bytes(serialization.Encoding.PEM))
        return self.placeholder

    def _make(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A key for a certificate."""
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key in PEM, without a password."""
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())


def _certificate_in(data: bytes) -> bytes:
    """The first certificate of a PEM."""
    return data[data.index(b"-----BEGIN CERTIFICATE-----") :]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)

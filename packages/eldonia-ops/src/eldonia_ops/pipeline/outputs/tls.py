"""TLS towards a receiver, as outputs declare it."""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.pipeline.section import SectionReader


@dataclass(frozen=True, slots=True)
class OutputTls:
    """Paths of PEM files; '' uses what the system trusts, and shows no certificate."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    verify: bool = True
    server_name: str = ""


PLAIN: Final = OutputTls()


def read_tls(reader: SectionReader, *, ca: str, cert: str, key: str, verify: bool, password: str) -> OutputTls:
    """TLS by the names that an output has for its parameters."""
    if reader.string(password):
        reader.problem(f"{password} is not supported: use a key file without a password", password)
    return OutputTls(reader.string(ca), reader.string(cert), reader.string(key), verify)

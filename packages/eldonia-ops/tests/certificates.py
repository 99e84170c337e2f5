"""An authority and its certificates, made by openssl: for tests of TLS with both sides proved."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from required_tools import tool


@dataclass(frozen=True, slots=True)
class Issued:
    """PEM files."""

    certificate: str
    key: str


class Authority:
    """Vouches for what it issues. Tests that use it ask for ``requires_tool("openssl")``."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._name = name
        self.certificate, self._key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
        self._run(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
            "-keyout", self._key, "-out", self.certificate,
        )  # fmt: skip

    def issue(self, name: str) -> Issued:
        """A certificate for 127.0.0.1 with a common name; for servers and clients."""
        base = self._folder / f"{self._name}-{name}"
        issued = Issued(f"{base}.pem", f"{base}.key")
        request, extensions = f"{base}.csr", Path(f"{base}.ext")
        extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n")
        self._run(
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", issued.key, "-out", request,
        )  # fmt: skip
        self._run(
            "x509", "-req", "-days", "1", "-in", request, "-CA", self.certificate, "-CAkey", self._key,
            "-CAcreateserial", "-extfile", str(extensions), "-out", issued.certificate,
        )  # fmt: skip
        return issued

    @staticmethod
    def _run(*arguments: str) -> None:
        subprocess.run([tool("openssl"), *arguments], check=True, capture_output=True)

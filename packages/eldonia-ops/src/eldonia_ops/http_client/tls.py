"""``tls_config`` as a context of Python's ssl module."""

import os
import ssl
import tempfile
import warnings
from pathlib import Path
from typing import Final

from eldonia_ops.alerting.http_config import Credential, TlsConfig
from eldonia_ops.http_client.credentials import UnresolvedError

_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_MAX_CERTIFICATES: Final = 4 * 1024 * 1024


class _NamedContext(ssl.SSLContext):
    """A context whose connections ask for one server name, whatever host they go to (also through a proxy)."""

    wanted: str = ""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """What asyncio speaks TLS with."""
        del server_hostname
        return super().wrap_bio(incoming, outgoing, server_side, self.wanted, session)


def tls_context(config: TlsConfig, what: str) -> ssl.SSLContext:
    """A context for connections to ``what``; files are read anew each time.

    Raises:
        UnresolvedError: a certificate or key is missing or of no use; the message says which, never what is in it.
    """
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT) if config.server_name else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(context, _NamedContext):
        context.wanted = config.server_name
    if config.ca:
        try:
            context.load_verify_locations(cadata=_pem(config.ca, "ca", what))
        except (ssl.SSLError, ValueError):
            raise UnresolvedError(f"tls_config for {what}: ca is not a certificate in PEM format") from None
    else:
        context.load_default_certs()
    if config.cert:
        _show(context, _pem(config.cert, "cert", what), _pem(config.key, "key", what), what)
    if config.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.0 and 1.1 are asked for by name only
        if config.min_version:
            context.minimum_version = _VERSIONS[config.min_version]
        if config.max_version:
            context.maximum_version = _VERSIONS[config.max_version]
    return context


def _show(context: ssl.SSLContext, cert: str, key: str, what: str) -> None:
    """Load a certificate of our own with its key. OpenSSL reads them from files only: these are ours alone."""
    with tempfile.TemporaryDirectory(prefix="eldonia-ops-tls-") as folder:
        names = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        for name, content in zip(names, (cert, key), strict=True):
            with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(content)
        try:
            # Without a password given OpenSSL asks for it at the terminal, and waits.
            context.load_cert_chain(*names, password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", "") or type(error).__name__
            hint = (
                "the key is not that of the certificate" if "MISMATCH" in reason else "PEM without a password is needed"
            )
            raise UnresolvedError(f"tls_config for {what}: cert and key cannot be used: {hint}") from None


def _pem(credential: Credential, name: str, what: str) -> str:
    if credential.missing:
        raise UnresolvedError(f"tls_config for {what}: {name}: {credential.missing}")
    if not credential.file:
        return credential.inline.reveal()
    try:
        with Path(credential.file).open("rb") as file:
            return file.read(_MAX_CERTIFICATES).decode("ascii", "replace")
    except OSError as error:
        raise UnresolvedError(f"tls_config for {what}: cannot read {credential.file}: {error.strerror}") from None


def stamp(config: TlsConfig) -> tuple[tuple[int, int, int] | None, ...]:
    """What changes when one of the files does: a context made before is then made anew."""
    found: list[tuple[int, int, int] | None] = []
    for credential in (config.ca, config.cert, config.key):
        try:
            state = os.stat(credential.file) if credential.file else None
        except OSError:
            state = None
        found.append(state and (state.st_mtime_ns, state.st_size, state.st_ino))
    return tuple(found)

"""The TLS context of a listener, from the files of its certificate."""

import ssl

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.protocols.prometheus.web_config import ServerTls


def server_tls(tls: ServerTls) -> ssl.SSLContext:
    """What a listener shows itself by.

    Raises:
        ConfigError: certificate or key cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3 if tls.min_version == "TLS13" else ssl.TLSVersion.TLSv1_2
    try:
        # A key with a password is refused: without the last argument OpenSSL would ask for it at the terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        if tls.client_ca_file:
            context.load_verify_locations(tls.client_ca_file)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror or str(error)
        raise ConfigError(Diagnostic(f"the certificate cannot be used: {reason}", tls.cert_file)) from None
    if tls.client_certificate:
        required = tls.client_certificate == "required"
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
    return context

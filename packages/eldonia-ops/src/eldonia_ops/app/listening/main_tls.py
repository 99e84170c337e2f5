"""TLS of the main listener: certificates from files, read again at a reload, or fetched and renewed by ACME."""

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.modules import Inert
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.prometheus.web_config import ServerTls
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.settings import Settings

if TYPE_CHECKING:
    from eldonia_ops.app.acme.store import CertificateStore

log = logging.getLogger("eldonia_ops.tls")


class MainTls(Inert):
    """The TLS context of the main listener (None: plain HTTP), and what keeps its certificate valid.

    Raises:
        ConfigError: a certificate cannot be used, or ACME lacks its extra.
    """

    name = "tls"

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._settings = settings
        self._store: CertificateStore | None = None
        self.context: ssl.SSLContext | None = None
        tls = settings.tls
        if tls.acme.domains:
            self._store = _store(settings)
            settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = str(self._store.certificate if self._store.held() else self._store.stand_in())
            self.context = server_tls(ServerTls(path, path))
        elif tls.cert_file is not None:
            self.context = server_tls(ServerTls(str(tls.cert_file), str(tls.key_file)))

    async def apply(self, configuration: Configuration) -> None:
        """Read the files again: they may have been renewed. Which they are, and ACME, take the next start."""
        tls = self._settings.tls
        if self.context is not None and tls.cert_file is not None:
            server_tls(ServerTls(str(tls.cert_file), str(tls.key_file)))  # before the one that is in use
            self.context.load_cert_chain(tls.cert_file, tls.key_file, password="")

    async def run(self) -> None:
        """Fetch a certificate when it is time, until cancelled. What fails is tried again."""
        if self._store is None or self.context is None:
            return
        from eldonia_ops.app.acme.order import OrderError, order
        from eldonia_ops.app.acme.schedule import next_fetch

        failures = failed_at = 0
        while True:
            held = await asyncio.to_thread(self._store.held)
            # In pieces: a clock that jumps, or a machine that slept, is noticed within the hour.
            due = next_fetch(held, failures, failed_at)
            now = self._clock.now()
            if due > now:
                await self._clock.sleep_until(min(due, now + 3_600_000))
                continue
            try:
                await asyncio.to_thread(order, self._settings.tls.acme, self._store)
                self.context.load_cert_chain(self._store.certificate, password="")
            except (OrderError, OSError) as error:
                failures, failed_at = failures + 1, self._clock.now()
                log.error("no certificate for %s: %s", ", ".join(self._settings.tls.acme.domains), error)
            else:
                failures = 0
                log.info("a certificate for %s is in use", ", ".join(self._settings.tls.acme.domains))


def _store(settings: Settings) -> "CertificateStore":
    try:
        import acme  # noqa: F401 - a part of the extra

        from eldonia_ops.app.acme.store import CertificateStore
    except ImportError:
        hint = "pip install 'eldonia-ops[acme]'"
        raise ConfigError(Diagnostic("tls.acme needs an extra", str(settings.file or ""), hint=hint)) from None
    return CertificateStore(settings.data, settings.tls.acme.domains, settings.tls.acme.directory)

"""Delivery over SMTP, with STARTTLS or TLS from the start (port 465)."""

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Final

from eldonia_ops.http_client.credentials import UnresolvedError, resolve, shorten
from eldonia_ops.http_client.endpoint import TIMEOUT_SECONDS
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.email.line import Line, PlainClient, TlsClient
from eldonia_ops.notifiers.email.payload import compose, recipients_of
from eldonia_ops.ports import Delivery, DeliveryResult

LONGEST_SECONDS: Final = 3 * TIMEOUT_SECONDS
"""How long one mail may take."""

TLS_PORT: Final = 465
"""Where TLS is spoken from the start."""

_THREADS: Final = 12
"""As many as there are deliveries at once to one integration."""


class EmailNotifier:
    """Delivers through one SMTP server."""

    def __init__(self, config: EmailConfig, context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._context = context
        # Threads of its own: those of the event loop are few, and all others need them.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="smtp")

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Send the mail from a thread; a temporary SMTP answer (4xx) is worth another try. When time is up the
        connection is cut, so that a server that never ends its answer does not keep the thread."""
        try:
            password = ""
            if self._config.auth_username:
                password = resolve(self._config.auth_password, "SMTP password")
            mail = compose(outgoing.payload, outgoing.idempotency_key, outgoing.created_at)
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        except (ValueError, KeyError, IndexError) as error:
            return Delivery(DeliveryResult.REJECTED, f"the mail cannot be composed: {shorten(str(error))}")
        line = Line()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._send, mail, password, line)
        except TimeoutError:
            return Delivery(DeliveryResult.RETRY, f"{self._config.smarthost} took too long")
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            result = DeliveryResult.REJECTED if codes and min(codes) >= 500 else DeliveryResult.RETRY
            return Delivery(result, f"{self._config.smarthost} refused every recipient")
        except smtplib.SMTPResponseException as error:
            said = (
                error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            result = DeliveryResult.REJECTED if error.smtp_code >= 500 else DeliveryResult.RETRY
            return Delivery(
                result, f"{self._config.smarthost} answered {error.smtp_code}: {shorten(str(said), password)}"
            )
        except smtplib.SMTPNotSupportedError as error:
            return Delivery(DeliveryResult.REJECTED, f"{self._config.smarthost}: {shorten(str(error), password)}")
        except (OSError, smtplib.SMTPException, UnicodeError) as error:  # UnicodeError: a host name with an empty part
            return Delivery(
                DeliveryResult.RETRY, f"cannot reach {self._config.smarthost}: {shorten(str(error), password)}"
            )
        finally:
            line.cut()

    def _send(self, mail: EmailMessage, password: str, line: Line) -> Delivery:
        config = self._config
        host, _, port_text = config.smarthost.rpartition(":")
        host, port = host.removeprefix("[").removesuffix("]"), int(port_text)
        context = self._context or ssl.create_default_context()
        if port == TLS_PORT:
            server: smtplib.SMTP = TlsClient(
                line, host, port, local_hostname=config.hello, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = PlainClient(line, host, port, local_hostname=config.hello, timeout=TIMEOUT_SECONDS)
        with server:
            server.ehlo()
            if port != TLS_PORT and (config.require_tls or server.has_extn("starttls")):
                if not server.has_extn("starttls"):
                    raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS, and require_tls is set")
                server.starttls(context=context)
                server.ehlo()
            if config.auth_username:
                server.login(config.auth_username, password)
            recipients = recipients_of(mail)
            refused = server.send_message(mail, to_addrs=recipients)
        count = len(recipients) - len(refused)
        return Delivery(
            DeliveryResult.DELIVERED, f"{config.smarthost} took it for {count} of {len(recipients)} recipients"
        )

"""Delivery over SMTP, with STARTTLS or TLS from the start (port 465)."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.email.payload import compose, recipients_of
from eldonia_ops.notifiers.http.credentials import UnresolvedError, resolve, shorten
from eldonia_ops.notifiers.http.endpoint import TIMEOUT_SECONDS
from eldonia_ops.ports import Delivery, DeliveryResult


class EmailNotifier:
    """Delivers through one SMTP server."""

    def __init__(self, config: EmailConfig, context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._context = context

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Send the mail from a thread of its own; a temporary SMTP answer (4xx) is worth another try."""
        try:
            password = ""
            if self._config.auth_username:
                password = resolve(self._config.auth_password, "SMTP password")
            mail = compose(outgoing.payload, outgoing.idempotency_key)
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        except (ValueError, KeyError, IndexError) as error:
            return Delivery(DeliveryResult.REJECTED, f"the mail cannot be composed: {shorten(str(error))}")
        try:
            return await asyncio.wait_for(asyncio.to_thread(self._send, mail, password), 3 * TIMEOUT_SECONDS)
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

    def _send(self, mail: EmailMessage, password: str) -> Delivery:
        config = self._config
        host, _, port_text = config.smarthost.rpartition(":")
        host, port = host.removeprefix("[").removesuffix("]"), int(port_text)
        context = self._context or ssl.create_default_context()
        if port == 465:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, local_hostname=config.hello, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            server = smtplib.SMTP(host, port, local_hostname=config.hello, timeout=TIMEOUT_SECONDS)
        with server:
            server.ehlo()
            if port != 465 and (config.require_tls or server.has_extn("starttls")):
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

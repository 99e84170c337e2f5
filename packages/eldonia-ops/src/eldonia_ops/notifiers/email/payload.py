"""Electronic mail over SMTP, with STARTTLS or TLS from the start (port 465)."""

import email.policy
import html
from email.message import EmailMessage
from email.utils import formatdate, getaddresses
from typing import Any, Final

from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.expansion import Expansion
from eldonia_ops.notifiers.message import Message
from eldonia_ops.template import NotificationData, TemplateSet

LONGEST_HEADER: Final = 1_000
"""Characters of a header. Its words may be a stranger's, and folding and encoding tens of thousands takes a second."""

LONGEST_ADDRESSES: Final = 10_000
"""Characters of all addresses; reading them takes time by the square of their number."""


def render(config: EmailConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """Addresses, headers and bodies as plain data."""
    expand = Expansion(data, templates)
    headers = {name: _one_line(expand.text(text, fallback=expand.subject())) for name, text in config.headers}
    # Labels and annotations may hold a stranger's words: in HTML they are text, whatever they look like.
    rich = Expansion(data.escaped(html.escape), templates, expand.errors)
    body = {"html": rich.text(config.html), "text": expand.text(config.text)}
    if expand.errors:
        body["text"] = f"{body['text']}\n{expand.subject()}\n{expand.complaint()}".strip()
    return {"to": expand.text(config.to), "from": expand.text(config.from_), "headers": headers, **body}


def render_message(config: EmailConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
    """A message that is not about a group of alerts."""
    expand = Expansion(NotificationData(receiver="", group_labels={}, alerts=(), now=0), templates)
    links = "".join(f'<p><a href="{html.escape(url)}">{html.escape(text)}</a></p>' for text, url in message.links)
    return {
        "to": expand.text(config.to),
        "from": expand.text(config.from_),
        "headers": {"Subject": _one_line(message.title)},
        "html": f"<h2>{html.escape(message.title)}</h2><pre>{html.escape(message.text)}</pre>{links}",
        "text": "\n".join([message.title, "", message.text, *(f"{text}: {url}" for text, url in message.links)]),
    }


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_HEADER else f"{line[: LONGEST_HEADER - 1]}…"


def compose(payload: dict[str, Any], idempotency_key: str, created_at: int) -> EmailMessage:
    """The mail itself. Its Message-ID follows from the notification's key, and its Date from when that was made (Unix
    ms): a repetition has the same. Mails without a Date are not allowed (RFC 5322, section 3.6) and taken for spam.

    Raises:
        ValueError: an address or header is malformed or too long, or there is no recipient.
    """
    try:
        return _composed(payload, idempotency_key, created_at)
    except RecursionError:  # of parentheses within each other, which addresses may hold
        raise ValueError("a header is nested too deeply") from None


def _composed(payload: dict[str, Any], idempotency_key: str, created_at: int) -> EmailMessage:
    if len(payload["to"]) > LONGEST_ADDRESSES or len(payload["from"]) > LONGEST_ADDRESSES:
        raise ValueError(f"the addresses are longer than {LONGEST_ADDRESSES} characters")
    mail = EmailMessage(policy=email.policy.SMTP)
    mail["From"] = payload["from"]
    mail["To"] = payload["to"]
    headers = dict(payload["headers"])
    for name, value in headers.items():
        if name.lower() in ("from", "to"):
            del mail[name]
        mail[name] = value
    if "Date" not in mail:
        mail["Date"] = formatdate(created_at / 1000)
    if "Message-ID" not in mail:
        mail["Message-ID"] = f"<{idempotency_key}@eldonia-ops>"
    if not recipients_of(mail):
        raise ValueError("it has no recipient")
    plain, rich = payload.get("text") or "", payload.get("html") or ""
    mail.set_content(plain or "This mail is best read as HTML.")
    if rich:
        mail.add_alternative(rich, subtype="html")
    return mail


def recipients_of(mail: EmailMessage) -> list[str]:
    """The addresses in its To header, without names."""
    return [address for _, address in getaddresses([str(mail["To"])]) if address]

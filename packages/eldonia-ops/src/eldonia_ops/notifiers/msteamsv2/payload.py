"""The Adaptive Card of Microsoft Teams, as workflows take it.

Format: https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook and
https://adaptivecards.io/explorer/TextBlock.html

The text of a block is Markdown without HTML. Labels and annotations may hold a stranger's words, so in them nothing
makes a link.
"""

from bisect import bisect_right
from typing import Any, Final

import msgspec

from eldonia_ops.notifiers.expansion import Expansion, truncate
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteamsv2.config import MsTeamsV2Config
from eldonia_ops.template import NotificationData, TemplateSet

_MAX_TITLE: Final = 1_024
_MAX_BYTES: Final = 27_000
"""Teams refuses a message of more than 28 KB."""
_MARKUP: Final = str.maketrans({"[": "\\[", "]": "\\]"})


def escape(text: str) -> str:
    """A text that makes no link in a card."""
    return text.translate(_MARKUP)


def render(config: MsTeamsV2Config, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The request's body; the address, which is the secret, is no part of it."""
    expand = Expansion(data.escaped(escape), templates)
    title = expand.text(config.title, fallback=expand.subject())
    text = expand.text(config.text)
    if expand.errors:
        text = f"{text}\n\n{expand.complaint()}".strip()
    return _body(title, text, (), resolved=data.status == "resolved")


def render_message(message: Message) -> dict[str, Any]:
    """The body of a message that is not about a group of alerts. It takes nothing of the configuration."""
    return _body(escape(message.title), escape(message.text), message.links, resolved=message.resolved)


def title_of(payload: Any) -> str:
    """The title of a body."""
    return str(payload["attachments"][0]["content"]["body"][0]["text"])


def _body(title: str, text: str, links: tuple[tuple[str, str], ...], *, resolved: bool) -> dict[str, Any]:
    color = "good" if resolved else "attention"
    heading = {"type": "TextBlock", "text": truncate(title, _MAX_TITLE), "weight": "bolder", "size": "medium"}
    block = {"type": "TextBlock", "text": text, "wrap": True}
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{**heading, "wrap": True, "style": "heading", "color": color}, block],
        "msteams": {"width": "full"},
    }
    if links:
        card["actions"] = [{"type": "Action.OpenUrl", "title": name, "url": url} for name, url in links]
    content_type = "application/vnd.microsoft.card.adaptive"
    body = {"type": "message", "attachments": [{"contentType": content_type, "contentUrl": None, "content": card}]}

    def size(length: int) -> int:
        block["text"] = truncate(text, length)
        return len(msgspec.json.encode(body))

    if size(len(text)) > _MAX_BYTES:
        size(max(1, bisect_right(range(len(text)), _MAX_BYTES, lo=1, key=size) - 1))
    return body

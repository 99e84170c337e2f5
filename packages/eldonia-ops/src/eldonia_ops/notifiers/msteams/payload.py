"""The MessageCard of Microsoft Teams.

Format: https://learn.microsoft.com/en-us/outlook/actionable-messages/message-card-reference

A card's text is Markdown. Labels and annotations may hold a stranger's words, so in them nothing makes a link or a tag.
"""

from bisect import bisect_right
from typing import Any, Final

import msgspec

from eldonia_ops.notifiers.expansion import Expansion, truncate
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteams.config import MsTeamsConfig
from eldonia_ops.template import NotificationData, TemplateSet

_MAX_TITLE: Final = 1_024
_MAX_BYTES: Final = 27_000
"""Teams refuses a message of more than 28 KB."""
_FIRING: Final = "8C1A1A"
_RESOLVED: Final = "2DC72D"
_MARKUP: Final = str.maketrans({"[": "\\[", "]": "\\]", "<": "&lt;", ">": "&gt;", "&": "&amp;"})


def escape(text: str) -> str:
    """A text that makes no link and no tag in a card."""
    return text.translate(_MARKUP)


def render(config: MsTeamsConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The request's body; the address, which is the secret, is no part of it."""
    plain = Expansion(data, templates)
    expand = Expansion(data.escaped(escape), templates, plain.errors)
    title = plain.text(config.title, fallback=plain.subject())
    summary = plain.text(config.summary, fallback=plain.subject())
    text = expand.text(config.text)
    if plain.errors:
        text = f"{text}\n\n{plain.complaint()}".strip()
    return _bounded(_card(title, summary, text, resolved=data.status == "resolved"))


def render_message(message: Message) -> dict[str, Any]:
    """The body of a message that is not about a group of alerts. It takes nothing of the configuration."""
    card = _card(message.title, message.title, escape(message.text), resolved=message.resolved)
    if message.links:
        card["potentialAction"] = [
            {"@type": "OpenUri", "name": text, "targets": [{"os": "default", "uri": url}]}
            for text, url in message.links
        ]
    return _bounded(card)


def _card(title: str, summary: str, text: str, *, resolved: bool) -> dict[str, Any]:
    title = truncate(title, _MAX_TITLE)
    return {
        "@context": "http://schema.org/extensions",
        "@type": "MessageCard",
        "title": title,
        "summary": truncate(summary, _MAX_TITLE) or title,  # a card without summary and text is refused
        "text": text,
        "themeColor": _RESOLVED if resolved else _FIRING,
    }


def _bounded(card: dict[str, Any]) -> dict[str, Any]:
    """The card with as much of its text as Teams takes."""

    def size(length: int) -> int:
        return len(msgspec.json.encode({**card, "text": truncate(text, length)}))

    text = card["text"]
    if size(len(text)) > _MAX_BYTES:
        card["text"] = truncate(text, max(1, bisect_right(range(len(text)), _MAX_BYTES, lo=1, key=size) - 1))
    return card

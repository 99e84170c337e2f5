"""Slack: incoming webhooks and chat.postMessage.

Formats: https://api.slack.com/reference/messaging/attachments and
https://api.slack.com/messaging/webhooks#handling_errors

In Slack's text ``<!channel>`` calls everybody and ``<https://...|name>`` hides an address. Labels and
annotations may hold a stranger's words (a user name, a path, a log line), so they are escaped as
https://api.slack.com/reference/surfaces/formatting#escaping says; what a template itself says is not.
"""

from typing import Any

from eldonia_ops.notifiers.expansion import Expansion, truncate, without_empty
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.template import NotificationData, TemplateSet

_MAX_TITLE = 1_024
_MAX_TEXT = 30_000
_COLORS = {"critical": "danger", "high": "danger", "medium": "warning", "low": "#439FE0", "info": "#439FE0"}


def escape(text: str) -> str:
    """A text in which Slack sees no markup of links, mentions and commands."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(config: SlackConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The request's body; the address, which is the secret, is no part of it."""
    plain = Expansion(data, templates)
    expand = Expansion(data.escaped(escape), templates, plain.errors)
    subject = expand.subject()
    attachment: dict[str, Any] = {
        "title": truncate(expand.text(config.title, fallback=subject), _MAX_TITLE),
        "title_link": plain.text(config.title_link),
        "pretext": expand.text(config.pretext),
        "text": expand.text(config.text),
        "fallback": expand.text(config.fallback, fallback=subject),
        "callback_id": plain.text(config.callback_id),
        "footer": expand.text(config.footer),
        "color": plain.text(config.color, fallback="danger" if data.status == "firing" else "good"),
        "image_url": plain.text(config.image_url),
        "thumb_url": plain.text(config.thumb_url),
        "fields": [
            {
                "title": expand.text(item.title),
                "value": expand.text(item.value),
                "short": config.short_fields if item.short is None else item.short,
            }
            for item in config.fields
        ],
        "actions": [
            without_empty(
                {
                    name: (expand if name == "text" else plain).text(getattr(item, name))
                    for name in ("type", "text", "url", "style", "name", "value")
                }
            )
            for item in config.actions
        ],
    }
    if expand.errors:
        attachment["text"] = f"{attachment['text']}\n{expand.complaint()}".strip()
    attachment["text"] = truncate(attachment["text"], _MAX_TEXT)
    return _request(config, attachment, plain.text(config.channel), plain)


def render_message(config: SlackConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
    """The body of a message that is not about a group of alerts."""
    data = NotificationData(receiver="", group_labels={}, alerts=(), now=0)
    expand = Expansion(data, templates)
    attachment = {
        "title": truncate(escape(message.title), _MAX_TITLE),
        "title_link": message.links[0][1] if message.links else "",
        "text": truncate(escape(message.text), _MAX_TEXT),
        "fallback": escape(message.title),
        "color": "good" if message.resolved else _COLORS.get(message.severity, "warning"),
        "actions": [{"type": "button", "text": text, "url": url} for text, url in message.links],
    }
    return _request(config, attachment, expand.text(config.channel), expand)


def _request(config: SlackConfig, attachment: dict[str, Any], channel: str, expand: Expansion) -> dict[str, Any]:
    body = without_empty(
        {
            "channel": channel,
            "username": expand.text(config.username),
            "icon_emoji": expand.text(config.icon_emoji),
            "icon_url": expand.text(config.icon_url),
        }
    )
    if config.link_names:
        body["link_names"] = True
    # Slack wants these two even when there is nothing in them.
    kept = {"text": "", "fallback": "", **without_empty(attachment), "mrkdwn_in": list(config.mrkdwn_in)}
    return {**body, "attachments": [kept]}

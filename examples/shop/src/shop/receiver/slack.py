"""What Slack's incoming webhooks accept and answer (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

import json
from typing import Any
from urllib.parse import parse_qs

MAX_ATTACHMENTS = 100
MAX_BLOCKS = 50


def judge(content_type: str, body: bytes) -> tuple[int, str, dict[str, Any] | None]:
    """Slack's status and plain-text answer for a request body, and the message if it is one.

    A message is JSON, or JSON in the form field ``payload``, and needs text, attachments or blocks.
    """
    try:
        if content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            body = parse_qs(body.decode(), strict_parsing=True)["payload"][0].encode()
        message = json.loads(body)
    except (ValueError, KeyError):
        return 400, "invalid_payload", None
    if not isinstance(message, dict):
        return 400, "invalid_payload", None
    attachments, blocks = message.get("attachments") or [], message.get("blocks") or []
    if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
        return 400, "invalid_attachments", None
    if len(attachments) > MAX_ATTACHMENTS:
        return 400, "too_many_attachments", None
    if not isinstance(blocks, list) or len(blocks) > MAX_BLOCKS:
        return 400, "invalid_blocks", None
    if not all(isinstance(block, dict) and isinstance(block.get("type"), str) for block in blocks):
        return 400, "invalid_blocks", None
    text = message.get("text", "")
    if not isinstance(text, str):
        return 400, "invalid_payload", None
    if not text.strip() and not attachments and not blocks:
        return 400, "no_text", None
    return 200, "ok", message


def title(message: dict[str, Any]) -> str:
    """The message in one line, for the page."""
    parts = [message.get("text") or ""]
    for attachment in message.get("attachments") or []:
        parts += [attachment.get("title") or attachment.get("fallback") or "", attachment.get("text") or ""]
    for block in message.get("blocks") or []:
        content = block.get("text")
        if isinstance(content, dict):
            parts.append(str(content.get("text", "")))
    return " · ".join(part for part in parts if part)

# ruff: noqa: E501 - tables are read by the line
"""Workflows of Microsoft Teams: from the routing file to what an HTTP server receives."""

import json

import pytest
from http_receiver import http_receiver

from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteamsv2.config import MsTeamsV2Config
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import base_templates, parse_alertmanager_config
from eldonia_ops.template import NotificationData

NOW = 1_767_323_045_000
KINDS = built_in()
TEMPLATES = base_templates(KINDS)


def config_of(text: str) -> MsTeamsV2Config:
    head = "route: {receiver: r}\nreceivers:\n- name: r\n  msteamsv2_configs:\n"
    parsed = parse_alertmanager_config(head + text, "am.yml", kinds=KINDS)
    [integration] = parsed.routing.receivers["r"].integrations
    assert isinstance(integration.config, MsTeamsV2Config)
    return integration.config


def data(*, ended: bool = False, summary: str = "gateway is down") -> NotificationData:
    alert = Alert(
        Labels({"alertname": "Down"}), Labels({"summary": summary}), NOW - 60_000, NOW - 1 if ended else NOW + 60_000
    )
    return NotificationData(receiver="r", group_labels={"alertname": "Down"}, alerts=(alert,), now=NOW)


@pytest.mark.parametrize(
    ("status", "headers", "result", "retry_after"),
    [
        (202, {}, "delivered", 0),
        (429, {"Retry-After": "9"}, "retry", 9_000),
        (502, {}, "retry", 0),
        (401, {}, "rejected", 0),
    ],
)
async def test_a_card_arrives(status: int, headers: dict[str, str], result: str, retry_after: int) -> None:
    async with http_receiver() as receiver, HttpClient() as client:
        receiver.answer(status, "", headers)
        config = config_of(f"  - webhook_url: {receiver.url}S3CRET99\n")
        payload = KINDS.render(config, data(), TEMPLATES)
        outgoing = Outgoing(1, "k", "r", "msteamsv2", 0, "o", payload)
        delivery = await KINDS.notifier(config, client).deliver(outgoing)
        [request] = receiver.received
    assert (delivery.result, delivery.retry_after_ms) == (result, retry_after)
    assert "S3CRET99" not in delivery.detail
    assert request.json["type"] == "message"
    [attachment] = request.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["type"] == "AdaptiveCard"
    [title, text] = attachment["content"]["body"]
    assert (title["text"], title["color"], title["style"]) == ("[FIRING:1] gateway is down", "attention", "heading")
    assert "  - summary = gateway is down" in text["text"]
    assert (KINDS.title("msteamsv2"), KINDS.subject(outgoing)) == (
        "Microsoft Teams (workflow)",
        "[FIRING:1] gateway is down",
    )


def test_an_end_is_good_and_a_strangers_words_make_no_link() -> None:
    config = config_of("  - webhook_url: http://x/\n")
    [title, text] = KINDS.render(config, data(ended=True, summary="[a](http://evil)"), TEMPLATES)["attachments"][0][
        "content"
    ]["body"]
    assert title["color"] == "good"
    assert "\\[a\\](http://evil)" in text["text"]


@pytest.mark.parametrize("summary", ["x" * 60_000, "停電" * 30_000])
def test_a_card_is_not_larger_than_teams_takes(summary: str) -> None:
    payload = KINDS.render(config_of("  - webhook_url: http://x/\n"), data(summary=summary), TEMPLATES)
    assert 26_000 < len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()) <= 27_000


def test_a_message_has_its_links() -> None:
    message = Message("INC-1 escalated", "Nobody", "critical", (("INC-1", "http://ops/i/1"),), "INC-1")
    card = KINDS.render_message(config_of("  - webhook_url: http://x/\n"), message, TEMPLATES)
    assert card["attachments"][0]["content"]["actions"] == [
        {"type": "Action.OpenUrl", "title": "INC-1", "url": "http://ops/i/1"}
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("  - {title: t}\n", "am.yml:5:5: error: msteamsv2_configs of receiver 'r' needs webhook_url or webhook_url_file"),
        ("  - webhook_url: http://x/\n    summary: t\n", "am.yml:6:5: error: unknown key 'summary' in msteamsv2_configs"),
    ],
)  # fmt: skip
def test_faults_have_their_places(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(text)
    assert any(str(one).startswith(fault) for one in caught.value.diagnostics), caught.value

# ruff: noqa: E501 - tables are read by the line
"""Microsoft Teams: from the routing file to what an HTTP server receives."""

import json
from pathlib import Path

import pytest
from http_receiver import http_receiver

from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteams.config import MsTeamsConfig
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.ports import Delivery
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig, base_templates, parse_alertmanager_config
from eldonia_ops.protocols.alertmanager.config_text import configuration_text
from eldonia_ops.template import NotificationData

NOW = 1_767_323_045_000
KINDS = built_in()
TEMPLATES = base_templates(KINDS)


def parse(text: str, **more: object) -> AlertmanagerConfig:
    head = "route: {receiver: r}\nreceivers:\n- name: r\n  msteams_configs:\n"
    return parse_alertmanager_config(head + text, "am.yml", kinds=KINDS, **more)  # type: ignore[arg-type]


def config_of(text: str) -> MsTeamsConfig:
    [integration] = parse(text).routing.receivers["r"].integrations
    assert integration.key == "r/msteams/0"
    assert isinstance(integration.config, MsTeamsConfig)
    return integration.config


def data(*, ended: bool = False, summary: str = "gateway is down") -> NotificationData:
    alert = Alert(
        Labels({"alertname": "Down", "service": "pay"}),
        Labels({"summary": summary}),
        starts_at=NOW - 60_000,
        ends_at=NOW - 1 if ended else NOW + 60_000,
        generator_url="http://g/?a=1",
    )
    return NotificationData(receiver="r", group_labels={"alertname": "Down"}, alerts=(alert,), now=NOW)


async def deliver(config: MsTeamsConfig, payload: dict[str, object]) -> Delivery:
    async with HttpClient() as client:
        return await KINDS.notifier(config, client).deliver(Outgoing(1, "k", "r", "msteams", 0, "o", payload))


async def test_a_card_arrives() -> None:
    async with http_receiver() as receiver:
        receiver.answer(200, "1")
        config = config_of(
            f"  - webhook_url: {receiver.url}hook/S3CRET\n    http_config: {{http_headers: {{X-Team: {{values: [a]}}}}}}\n"
        )
        payload = KINDS.render(config, data(), TEMPLATES)
        assert "S3CRET" not in json.dumps(payload)
        delivery = await deliver(config, payload)
        assert (delivery.result, delivery.detail) == ("delivered", "Microsoft Teams answered 200")
        [request] = receiver.received
    assert (request.method, request.path) == ("POST", "/hook/S3CRET")
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-team"] == "a"
    assert request.json == {
        "@context": "http://schema.org/extensions",
        "@type": "MessageCard",
        "title": "[FIRING:1] gateway is down",
        "summary": "[FIRING:1] gateway is down",
        "text": "## Firing\n\nLabels:\n  - alertname = Down\n  - service = pay\n\nAnnotations:\n"
        "  - summary = gateway is down\n\nSource: http://g/?a=1\n",
        "themeColor": "8C1A1A",
    }


@pytest.mark.parametrize(
    ("status", "body", "headers", "result", "detail", "retry_after"),
    [
        (202, "", {}, "delivered", "answered 202", 0),
        (429, "slow down", {"Retry-After": "17"}, "retry", "answered 429: slow down", 17_000),
        (429, "", {}, "retry", "answered 429", 0),
        (503, "", {"Retry-After": "2"}, "retry", "answered 503", 2_000),
        (500, "", {}, "retry", "answered 500", 0),
        (400, "Bad payload received by generic incoming webhook.", {}, "rejected", "answered 400: Bad payload", 0),
        (404, "", {}, "rejected", "answered 404", 0),
        (200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x", {}, "retry", "refused it", 0),
        (200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId x", {}, "rejected", "refused it", 0),
        (403, "{url}", {}, "rejected", "answered 403: <secret>", 0),
    ],
)  # fmt: skip
async def test_failure_classes(
    status: int, body: str, headers: dict[str, str], result: str, detail: str, retry_after: int
) -> None:
    async with http_receiver() as receiver:
        url = f"{receiver.url}hook/S3CRET99"
        receiver.answer(status, body.replace("{url}", url), headers)
        config = config_of(f"  - webhook_url: {url}\n")
        delivery = await deliver(config, KINDS.render(config, data(), TEMPLATES))
    assert delivery.result == result
    assert detail in delivery.detail
    assert "S3CRET99" not in delivery.detail
    assert delivery.retry_after_ms == retry_after


async def test_the_address_may_be_in_a_file_that_comes_later(tmp_path: Path) -> None:
    async with http_receiver() as receiver:
        config = config_of(f"  - webhook_url_file: {tmp_path}/url\n")
        delivery = await deliver(config, {})
        assert delivery.result == "retry"
        assert "no Microsoft Teams address: cannot read" in delivery.detail
        (tmp_path / "url").write_text(f"{receiver.url}\n")
        assert (await deliver(config, {"a": 1})).result == "delivered"
        assert receiver.received[0].json == {"a": 1}


def test_an_end_is_green_and_a_failing_template_does_not_cost_the_page() -> None:
    config = config_of("  - {webhook_url: 'http://x/', title: '{{ .Nope }}', text: '{{ index .Alerts 9 }}'}\n")
    card = KINDS.render(config, data(ended=True), TEMPLATES)
    assert card["themeColor"] == "2DC72D"
    assert card["title"] == "[RESOLVED] Down"
    assert "template error" in card["text"]


def test_a_strangers_words_make_no_link_and_no_tag() -> None:
    config = config_of("  - webhook_url: http://x/\n")
    card = KINDS.render(config, data(summary="[runbook](https://evil.example) <img src=x>"), TEMPLATES)
    assert "\\[runbook\\](https://evil.example) &lt;img src=x&gt;" in card["text"]


def test_a_card_is_not_larger_than_teams_takes() -> None:
    for summary in ("x" * 60_000, "停電" * 30_000, '"' * 60_000):
        config = config_of("  - webhook_url: http://x/\n")
        size = len(json.dumps(KINDS.render(config, data(summary=summary), TEMPLATES), ensure_ascii=False).encode())
        assert 24_000 < size < 28_000


def test_a_message_has_its_links() -> None:
    config = config_of("  - webhook_url: http://x/\n")
    message = Message("INC-1 escalated", "Nobody <answered>", "critical", (("INC-1", "http://ops/i/1"),), "INC-1")
    card = KINDS.render_message(config, message, TEMPLATES)
    assert (card["title"], card["text"], card["themeColor"]) == ("INC-1 escalated", "Nobody &lt;answered&gt;", "8C1A1A")
    assert card["potentialAction"] == [
        {"@type": "OpenUri", "name": "INC-1", "targets": [{"os": "default", "uri": "http://ops/i/1"}]}
    ]
    outgoing = Outgoing(1, "k", "r", "msteams", 0, "o", card)
    assert (KINDS.title("msteams"), KINDS.subject(outgoing)) == ("Microsoft Teams", "INC-1 escalated")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("  - {title: t}\n", "am.yml:5:5: error: msteams_configs of receiver 'r' needs webhook_url or webhook_url_file"),
        ("  - webhook_url: http://x/\n    webhook_url_file: f\n", "am.yml:5:18: error: msteams_configs of receiver 'r' has both"),
        ("  - webhook_url: teams\n", "am.yml:5:18: error: webhook_url must be an http:// or https:// address"),
        ("  - webhook_url: http://x/\n    colour: red\n", "am.yml:6:5: error: unknown key 'colour' in msteams_configs"),
        ("  - webhook_url: http://x/\n    title: '{{ template \"gone\" . }}'\n", "am.yml:6:"),
        ("  - webhook_url: http://x/\n    summary: [a]\n", "am.yml:6:14: error: summary must be a text, not a list"),
    ],
)  # fmt: skip
def test_faults_have_their_places(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert any(str(one).startswith(fault) for one in caught.value.diagnostics), caught.value


def test_the_address_is_not_shown() -> None:
    shown = configuration_text(parse("  - {webhook_url: 'https://teams.example/hunter2', title: Down}\n"))
    assert "hunter2" not in shown
    assert "webhook_url: <secret>" in shown.replace('"', "")


def test_a_variable_that_is_not_set_is_an_obstacle() -> None:
    config = parse("  - webhook_url: '${TEAMS}'\n", environment={})
    [warning] = config.warnings
    assert "the environment variable TEAMS is not set" in str(warning)

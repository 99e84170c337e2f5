"""One line that says who is notified."""

import pytest

from eldonia_ops.discovery.receiver import receiver_of, routing_text
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config

PAGERDUTY = "R0123456789ABCDEFGHIJKLMNOPQRSTU"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", "slack"),
        (f" {PAGERDUTY}\n", "pagerduty"),
        ("https://corp.webhook.office.com/webhookb2/x", "msteams"),
        ("https://prod-1.westus.logic.azure.com:443/workflows/x", "msteamsv2"),
        ("http://127.0.0.1:8080/hook", "webhook"),
    ],
)
def test_the_kind_follows_from_the_text_and_the_routing_is_taken(text: str, kind: str) -> None:
    given = receiver_of(text)
    assert given.kind == kind
    routing = routing_text(given)
    assert given.secret not in routing
    config = parse_alertmanager_config(routing, "/etc/alertmanager.yml", kinds=built_in(), environment={})
    (integration,) = config.routing.receivers["team"].integrations
    assert (integration.kind, integration.config.send_resolved) == (kind, True)


@pytest.mark.parametrize("text", ["", "nobody", "ftp://x/", "https://", "https://x/ y", "mail@example.com"])
def test_anything_else_is_refused_with_what_is_meant(text: str) -> None:
    with pytest.raises(ValueError, match="address of a webhook, or a PagerDuty integration key"):
        receiver_of(text)

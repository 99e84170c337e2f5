import pytest

from eldonia_ops.alerting.http_config import Credential, HttpConfig, ProxyConfig
from eldonia_ops.alerting.receivers import IntegrationConfig, UndeliverableConfig, obstacle
from eldonia_ops.model.secret import Secret
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.notifiers.webhook.config import WebhookConfig

URL = Credential(Secret("http://x/"))
UNSET = Credential(missing="the environment variable X is not set")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (WebhookConfig(url=URL), ""),
        (UndeliverableConfig("sns is lacked"), "sns is lacked"),
        (WebhookConfig(url=URL, http=HttpConfig(unsupported="socks is lacked")), "socks is lacked"),
        (SlackConfig(api_url=UNSET), UNSET.missing),
        (EmailConfig("a@b", "c@d", "h:25", auth_password=UNSET), UNSET.missing),
        (WebhookConfig(url=URL, http=HttpConfig(proxy=ProxyConfig(UNSET))), UNSET.missing),
        (WebhookConfig(url=URL, http=HttpConfig(authorization=UNSET)), UNSET.missing),
    ],
)
def test_what_keeps_an_integration_from_delivering(config: IntegrationConfig, reason: str) -> None:
    assert obstacle(config) == reason

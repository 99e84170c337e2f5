"""``webhook_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from dataclasses import dataclass
from typing import ClassVar

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.protocols import integration_fields as declare


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Posts Alertmanager's webhook payload, version 4. ``timeout`` is ms, 0 for the usual one."""

    KIND: ClassVar = "webhook"

    url: Credential = declare.secret_address(required=True)
    send_resolved: bool = declare.boolean(True)
    max_alerts: int = declare.integer(minimum=0)
    timeout: int = declare.duration()
    http: HttpConfig = declare.http()

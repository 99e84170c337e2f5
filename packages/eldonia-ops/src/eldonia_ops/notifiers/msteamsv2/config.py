"""``msteamsv2_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#msteamsv2_config
"""

from dataclasses import dataclass

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.protocols import integration_fields as declare


@dataclass(frozen=True, slots=True)
class MsTeamsV2Config:
    """Posts an Adaptive Card to a workflow of Microsoft Teams."""

    webhook_url: Credential = declare.secret_address(required=True)
    send_resolved: bool = declare.boolean(True)
    title: str = declare.template('{{ template "msteamsv2.default.title" . }}')
    text: str = declare.template('{{ template "msteamsv2.default.text" . }}')
    http: HttpConfig = declare.http()

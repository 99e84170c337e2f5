"""``msteams_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#msteams_config
"""

from dataclasses import dataclass

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.protocols import integration_fields as declare


@dataclass(frozen=True, slots=True)
class MsTeamsConfig:
    """Posts a MessageCard to an incoming webhook of Microsoft Teams."""

    webhook_url: Credential = declare.secret_address(required=True)
    send_resolved: bool = declare.boolean(True)
    title: str = declare.template('{{ template "msteams.default.title" . }}')
    summary: str = declare.template('{{ template "msteams.default.summary" . }}')
    text: str = declare.template('{{ template "msteams.default.text" . }}')
    http: HttpConfig = declare.http()

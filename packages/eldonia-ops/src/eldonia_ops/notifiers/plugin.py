"""What a plug-in needs to add a notifier, in one place: these names stay, whatever moves behind them."""

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.http_client.credentials import UnresolvedError, resolve, shorten
from eldonia_ops.http_client.endpoint import Answer, classify, post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.expansion import Expansion, truncate, without_empty
from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import Delivery, DeliveryResult, Notifier
from eldonia_ops.protocols import integration_fields as declare
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.template import NotificationData, TemplateSet

__all__ = [
    "Answer",
    "Credential",
    "Delivery",
    "DeliveryResult",
    "Expansion",
    "HttpConfig",
    "Message",
    "NotificationData",
    "Notifier",
    "NotifierKind",
    "Outgoing",
    "SectionReader",
    "TemplateSet",
    "UnresolvedError",
    "classify",
    "declare",
    "packaged_templates",
    "post",
    "resolve",
    "shorten",
    "truncate",
    "without_empty",
]

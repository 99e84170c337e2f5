"""Go's text/template, as alert rules and notifications use it."""

from eldonia_ops.template.errors import TemplateError
from eldonia_ops.template.execute import RenderLimits
from eldonia_ops.template.notification_data import NotificationData
from eldonia_ops.template.queries import QueryCall
from eldonia_ops.template.rule_functions import QuerySample
from eldonia_ops.template.rule_template import RuleTemplate, rule_template
from eldonia_ops.template.template_set import Template, TemplateSet, parse

__all__ = [
    "NotificationData",
    "QueryCall",
    "QuerySample",
    "RenderLimits",
    "RuleTemplate",
    "Template",
    "TemplateError",
    "TemplateSet",
    "parse",
    "rule_template",
]

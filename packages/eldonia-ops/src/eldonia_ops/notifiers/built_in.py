"""The notifiers that are built in: one line for each, in the order in which a receiver's integrations are notified.

A line names a class as an entry point does. Plug-ins add theirs by the entry point group ``eldonia_ops.notifiers``.
"""

from typing import Final

BUILT_IN: Final = (
    "eldonia_ops.notifiers.slack:Slack",
    "eldonia_ops.notifiers.pagerduty:PagerDuty",
    "eldonia_ops.notifiers.webhook:Webhook",
    "eldonia_ops.notifiers.email:Email",
    "eldonia_ops.notifiers.msteams:MsTeams",
    "eldonia_ops.notifiers.msteamsv2:MsTeamsV2",
)

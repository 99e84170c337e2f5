"""Rule groups: recording rules and alerting rules, from inactive over pending to firing."""

from eldonia_ops.rules.alerting import RuleError
from eldonia_ops.rules.groups import (
    AlertingRule,
    RecordingRule,
    Rule,
    RuleGroup,
    rule_plan,
    scale,
    sequential,
    template_plan,
)
from eldonia_ops.rules.reload import GroupMemory, Reloaded, reload
from eldonia_ops.rules.rendering import Answer, Render, RuleRenderer
from eldonia_ops.rules.state import ActiveAlert, AlertState, RuleGroupState, RuleHealth, RuleState
from eldonia_ops.rules.tick import (
    Outcome,
    RuleEffects,
    TickSettings,
    evaluate_rule,
    numbers,
    resume,
)

__all__ = [
    "ActiveAlert",
    "AlertState",
    "AlertingRule",
    "Answer",
    "GroupMemory",
    "Outcome",
    "RecordingRule",
    "Reloaded",
    "Render",
    "Rule",
    "RuleEffects",
    "RuleError",
    "RuleGroup",
    "RuleGroupState",
    "RuleHealth",
    "RuleRenderer",
    "RuleState",
    "TickSettings",
    "evaluate_rule",
    "numbers",
    "reload",
    "resume",
    "rule_plan",
    "scale",
    "sequential",
    "template_plan",
]

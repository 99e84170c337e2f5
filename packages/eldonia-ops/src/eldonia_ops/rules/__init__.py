"""Rule groups: recording rules and alerting rules, from inactive over pending to firing."""

from eldonia_ops.rules.alerting import RuleError, Transition, TransitionKind
from eldonia_ops.rules.groups import (
    AlertingRule,
    RecordingRule,
    Rule,
    RuleGroup,
    plans,
    rule_plan,
    scale,
    sequential,
)
from eldonia_ops.rules.rendering import Render, template_renderer
from eldonia_ops.rules.state import ActiveAlert, AlertState, GroupState, Health, RuleState
from eldonia_ops.rules.tick import (
    GroupEffects,
    Outcome,
    RuleEffects,
    TickSettings,
    Written,
    evaluate_rule,
    resume,
    tick,
)

__all__ = [
    "ActiveAlert",
    "AlertState",
    "AlertingRule",
    "GroupEffects",
    "GroupState",
    "Health",
    "Outcome",
    "RecordingRule",
    "Render",
    "Rule",
    "RuleEffects",
    "RuleError",
    "RuleGroup",
    "RuleState",
    "TickSettings",
    "Transition",
    "TransitionKind",
    "Written",
    "evaluate_rule",
    "plans",
    "resume",
    "rule_plan",
    "scale",
    "sequential",
    "template_renderer",
    "tick",
]

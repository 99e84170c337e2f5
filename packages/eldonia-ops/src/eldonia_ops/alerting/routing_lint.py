"""Routes and inhibit rules that look right and never do what they say."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from eldonia_ops.alerting.inhibition import InhibitRule
from eldonia_ops.alerting.route import Route, spell_matchers
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.model.matchers import Matcher, MatchOp

MOST_PAIRS: Final = 100_000
"""Of routes that are held against each other in one file: beyond it nothing is said of those that shadow others."""
_LITERALS = re.compile(r"[\w \-.:/@]+(?:\|[\w \-.:/@]+)*")


def lint_routes(root: Route, file: str = "") -> list[Diagnostic]:
    """Warnings about routes that can never match, and about those that lose alerts to an earlier sibling."""
    found: list[Diagnostic] = []
    pairs = 0
    for parent in root.walk():
        for index, route in enumerate(parent.routes):
            pairs += index
            earlier = parent.routes[:index] if pairs <= MOST_PAIRS else ()
            warning = _never(route, parent) or _shadowed(route, earlier)
            if warning:
                message, hint = warning
                found.append(Diagnostic(message, file, route.line, 0, hint, Level.WARNING))
    return found


def _never(route: Route, parent: Route) -> tuple[str, str] | None:
    if contradict(route.matchers, route.matchers):
        return f"the route to {route.receiver!r} can never match: its own matchers contradict each other", ""
    if contradict(route.matchers, parent.matchers):
        return (
            f"the route to {route.receiver!r} can never match: its parent (line {parent.line}) asks for the opposite",
            "",
        )
    return None


def _shadowed(route: Route, earlier: Sequence[Route]) -> tuple[str, str] | None:
    stopping = [item for item in earlier if not item.continues and not contradict(item.matchers, route.matchers)]
    hint = "set continue: true on the earlier route, or move this one before it"
    for sibling in stopping:
        if implies(route.matchers, sibling.matchers):
            return (
                f"the route to {route.receiver!r} can never match: the earlier route at line {sibling.line} "
                f"{spell_matchers(sibling.matchers)} takes everything that it would and does not continue",
                hint,
            )
    names = {matcher.name for matcher in route.matchers}
    for sibling in stopping:
        # Two conditions on unrelated labels: most likely the author expects both routes to be taken.
        if names and sibling.receiver != route.receiver and not any(item.name in names for item in sibling.matchers):
            return (
                f"the route to {route.receiver!r} {spell_matchers(route.matchers)} never sees alerts with "
                f"{spell_matchers(sibling.matchers)}: the earlier route at line {sibling.line} takes them and "
                "does not continue",
                hint,
            )
    return None


def lint_inhibition(
    rules: Iterable[InhibitRule], file: str = "", known: Sequence[Mapping[str, str]] | None = None
) -> list[Diagnostic]:
    """Warnings about inhibit rules that can never apply.

    ``known`` are the static labels of every alert that can occur (``alertname`` and the labels of
    its rule), when all of them are known; a pair is then looked for that a rule could apply to.
    """
    found: list[Diagnostic] = []
    for rule in rules:
        message, hint = _dead_rule(rule, known)
        if message:
            found.append(
                Diagnostic(f"this inhibit rule can never apply: {message}", file, rule.line, 0, hint, Level.WARNING)
            )
    return found


def _dead_rule(rule: InhibitRule, known: Sequence[Mapping[str, str]] | None) -> tuple[str, str]:
    for side, matchers in (("source", rule.source_matchers), ("target", rule.target_matchers)):
        if contradict(matchers, matchers):
            return f"its {side} matchers contradict each other", ""
    for name in rule.equal:
        source = [matcher for matcher in rule.source_matchers if matcher.name == name]
        target = [matcher for matcher in rule.target_matchers if matcher.name == name]
        if contradict(source, target):
            return (
                f"{name} must be equal on both sides, and its matchers demand different values",
                f"drop {name} from equal",
            )
    if known is not None:
        sources = [labels for labels in known if _could(rule.source_matchers, labels)]
        targets = [labels for labels in known if _could(rule.target_matchers, labels)]
        if not sources or not targets:
            return f"no rule raises an alert that its {'source' if not sources else 'target'} matchers take", ""
        pairs = ((one, other) for one in sources for other in targets if one is not other)
        if not any(all(one.get(name, "") == other.get(name, "") for name in rule.equal) for one, other in pairs):
            return (
                f"no two alerts of the rules, one for each side, share {', '.join(rule.equal)}",
                "name in equal only labels that both alerts carry with the same value, such as service",
            )
        return "", ""
    return "", ""


def _could(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether an alert with these static labels, and possibly others from its series, may match."""
    return all(matcher.name not in labels or matcher.matches(labels) for matcher in matchers)


def implies(stronger: Sequence[Matcher], weaker: Sequence[Matcher]) -> bool:
    """Whether everything that ``stronger`` matches is certain to be matched by ``weaker``.

    False when it cannot be decided.
    """
    return all(
        (weak.op is MatchOp.REGEX and weak.value == ".*") or any(_implies_one(strong, weak) for strong in stronger)
        for weak in weaker
    )


def _implies_one(strong: Matcher, weak: Matcher) -> bool:
    if strong.name != weak.name:
        return False
    if strong == weak:
        return True
    values = possible_values(strong)
    return values is not None and all(weak.matches_value(value) for value in values)


def possible_values(matcher: Matcher) -> tuple[str, ...] | None:
    """The values that a matcher takes, when they can be listed."""
    if matcher.op is MatchOp.EQUAL:
        return (matcher.value,)
    if matcher.op is MatchOp.REGEX and _LITERALS.fullmatch(matcher.value) and "." not in matcher.value:
        return tuple(matcher.value.split("|"))
    return None


def contradict(one: Sequence[Matcher], other: Sequence[Matcher]) -> bool:
    """Whether certainly nothing matches both."""
    for left in one:
        for right in other:
            if left is right or left.name != right.name:
                continue
            for first, second in ((left, right), (right, left)):
                values = possible_values(first)
                if values is not None and not any(second.matches_value(value) for value in values):
                    return True
    return False

"""Rules evaluated over series that are written down, minute by minute."""

from eldonia_ops.promql import evaluate
from eldonia_ops.promql.testing import Storage, expand_values, split_series
from eldonia_ops.rules import AlertingRule, RuleGroupState, RuleRenderer, TickSettings, evaluate_rule, rule_plan
from eldonia_ops.rules.groups import template_plan
from eldonia_ops.template import QuerySample

MINUTE = 60_000


class Replay:
    """Groups of rules over series in promtool's notation, whose samples are 30 s apart from the instant 0 on.

    What rules write is stored, so that others can read it.
    """

    def __init__(self, groups, series):
        self._groups = list(groups)
        self._storage = Storage(loads=1)
        self._states = {group.key: RuleGroupState() for group in self._groups}
        self._written = {}
        self._firing = {}
        for line in series.strip().splitlines():
            labels, values, _ = split_series(line.strip())
            self.add(labels, [(index * 30_000, value) for index, value in enumerate(expand_values(values))])

    def add(self, labels, points):
        """A series; a value that is no number leaves a gap."""
        self._storage.add(labels, [(when, value) for when, value in points if isinstance(value, float)])

    def run(self, minutes):
        """Evaluate every group at these minutes."""
        for minute in minutes:
            self._firing[minute] = []
            for group in self._groups:
                self._evaluate(group, minute)

    def firing(self, alert, minute):
        """The alerts of a name that fired at a minute."""
        return [item for name, item in self._firing[minute] if name == alert]

    def names(self):
        """The names of all alerts that ever fired."""
        return {name for found in self._firing.values() for name, _ in found}

    def _evaluate(self, group, minute):
        now = minute * MINUTE
        states = {}
        for key, rule in group.keyed_rules():
            planned = rule_plan(group, rule, now)
            data = [self._storage.select(item.matchers, item.start_ms, item.end_ms) for item in planned.fetches]
            vector = evaluate(planned, data).vector
            written = self._written.get(key, frozenset())
            settings = TickSettings(render=self._knowing(rule, vector, now))
            state = self._states[group.key].rule(key)
            effects = evaluate_rule(group, rule, state, vector, now, written=written, settings=settings)
            states[key], self._written[key] = effects.state, effects.written
            for sample in effects.samples:
                self._storage.add(sample.labels, [(sample.timestamp_ms, sample.value)])
            self._firing[minute] += [
                (rule.name, item) for item in effects.state.alerts.values() if item.state == "firing"
            ]
        self._states[group.key] = self._states[group.key].with_rules(states, now)

    def _knowing(self, rule, vector, now):
        """A renderer that knows what the queries in a rule's templates yield."""
        answers = {}
        render = RuleRenderer().knowing(answers)
        texts = rule.querying_texts if isinstance(rule, AlertingRule) else ()
        while wanted := render.unanswered(texts, vector) if texts else ():
            for expression in wanted:
                planned = template_plan(expression, now)
                data = [self._storage.select(item.matchers, item.start_ms, item.end_ms) for item in planned.fetches]
                answers[expression] = [QuerySample(*one) for one in evaluate(planned, data).vector]
        return render

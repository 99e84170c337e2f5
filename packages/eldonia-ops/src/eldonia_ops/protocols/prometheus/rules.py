"""Prometheus' rule files.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and ``.../alerting_rules/``.

Beside ``expr`` a rule may have ``logs``, a search of logs that counts, with the ``range`` of time that it looks at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.promql import Expr, ParseError, ValueType, parse, value_type
from eldonia_ops.protocols.yaml_document import (
    MappingReader,
    Problems,
    YamlNode,
    load,
    mapping_of,
    sequence_of,
    text_of,
)
from eldonia_ops.rules.groups import NO_EXPRESSION, AlertingRule, RecordingRule, Rule, RuleGroup
from eldonia_ops.rules.log_expression import (
    DEFAULT_RANGE_MS,
    LONGEST_RANGE_MS,
    LogExpression,
    LogExpressionError,
    read_log_expression,
)
from eldonia_ops.search import SearchError
from eldonia_ops.template import TemplateError, rule_template

_MOST_COMMENT_LINES: Final = 100

# What both yield never changes; when a file is read again, most of it says what it said.
_parsed = lru_cache(maxsize=8192)(parse)
_template = lru_cache(maxsize=8192)(rule_template)


@dataclass(frozen=True, slots=True)
class ExaminedRules:
    """What a rule file holds: the rules that are in order, each with its mapping in the file, and every fault."""

    groups: list[RuleGroup]
    rules: list[tuple[Rule, YamlNode]]
    diagnostics: list[Diagnostic]


def examine_rule_file(text: str, file: str) -> ExaminedRules:
    """Read a rule file as far as it can be read.

    Raises:
        ConfigError: the text is not YAML.
    """
    return _RuleFile(text, file).examine()


def examine_rules(rules: Sequence[YamlNode], text: str, file: str, *, group: str = "managed") -> ExaminedRules:
    """Read rules that are written in a file of another kind, as one group; ``text`` is that file's."""
    like = rules[0]
    named = [(text_of("name", like), text_of(group, like)), (text_of("rules", like), sequence_of([*rules], like))]
    groups = sequence_of([mapping_of(named, like)], like)
    return _RuleFile(text, file, mapping_of([(text_of("groups", like), groups)], like)).examine()


def parse_rule_file(text: str, file: str) -> list[RuleGroup]:
    """Read a rule file.

    Raises:
        ConfigError: with every fault found: unknown keys, bad durations, PromQL and template errors with their
            own line and column inside the file, duplicate groups, invalid label names.
    """
    found = examine_rule_file(text, file)
    if any(item.level is Level.ERROR for item in found.diagnostics):
        raise ConfigError(found.diagnostics)
    return found.groups


class _RuleFile:
    def __init__(self, text: str, file: str, root: YamlNode | None = None) -> None:
        self._lines = text.splitlines()
        self._file = file
        self._problems = Problems(file)
        self._rules: list[tuple[Rule, YamlNode]] = []
        self._root = load(text, file, self._problems) if root is None else root

    def examine(self) -> ExaminedRules:
        groups = [] if self._root is None else self._groups(self._root)
        found = sorted(self._problems.diagnostics, key=lambda item: (item.line, item.column))
        return ExaminedRules(groups, self._rules, found)

    def _groups(self, root: YamlNode) -> list[RuleGroup]:
        reader = MappingReader(root, self._problems, "the rule file")
        groups = [self._group(node) for node in reader.elements("groups")]
        reader.done()
        seen: dict[str, YamlNode] = {}
        for group, node in groups:
            if group.name in seen:
                self._problems.add(
                    node, f"groupname: {group.name!r} is repeated in the same file", "give every group its own name"
                )
            seen[group.name] = node
        return [group for group, _ in groups]

    def _group(self, node: YamlNode) -> tuple[RuleGroup, YamlNode]:
        reader = MappingReader(node, self._problems, "a rule group")
        name = reader.string("name", required=True)
        labels = self._labels(reader, "labels", templates=False)
        group = RuleGroup(
            name,
            tuple(rule for item in reader.elements("rules") if (rule := self._rule(item, labels)) is not None),
            reader.duration("interval"),
            reader.integer("limit", minimum=0),
            reader.duration("query_offset"),
            self._file,
            node.line,
            node.column,
        )
        reader.done()
        return group, node

    def _rule(self, node: YamlNode, group_labels: Labels) -> Rule | None:
        reader = MappingReader(node, self._problems, "a rule")
        alert, record = reader.string("alert"), reader.string("record")
        if bool(alert) == bool(record):
            message = "a rule needs either record or alert" if not alert else "a rule has both record and alert"
            self._problems.add(node, message)
        logs_node = reader.get("logs")
        range_ms = reader.duration("range", default=DEFAULT_RANGE_MS)
        expr_node = reader.get("expr", required=logs_node is None)
        expr = self._expression(expr_node)
        query = expr_node.text.strip() if expr_node else ""
        logs = None
        if logs_node is not None:
            if expr_node is not None:
                message = "a rule has both expr and logs"
                self._problems.add(logs_node, message, "keep expr for PromQL, or logs for a search of logs")
            logs = self._log_expression(logs_node, range_ms, reader.get("range") or logs_node)
            expr, query = (None, "") if logs is None else (NO_EXPRESSION, logs.text)
        elif (range_node := reader.get("range")) is not None:
            self._problems.add(range_node, "range is for rules with logs", "in PromQL the range is part of expr")
        is_alert = reader.has("alert") or not reader.has("record")
        labels = Labels({**group_labels, **self._labels(reader, "labels", templates=is_alert)})
        place = (self._file, node.line, node.column, self._comment(node.line), logs)
        rule: Rule | None = None
        if is_alert:
            for_ms, keep_ms = reader.duration("for"), reader.duration("keep_firing_for")
            annotations = self._labels(reader, "annotations", templates=True)
            if expr is not None:
                rule = AlertingRule(alert, query, expr, for_ms, keep_ms, labels, annotations, *place)
        else:
            for key in ("for", "keep_firing_for", "annotations"):
                wrong = reader.get(key)
                if wrong is not None:
                    self._problems.add(wrong, f"invalid field {key!r} in recording rule")
            record_node = reader.get("record")
            if record and (not is_name(record) or "{" in record or "}" in record):
                hint = "the name alone: labels go under labels, an expression under expr"
                self._problems.add(record_node, f"invalid recording rule name: {record!r}", hint)
            if expr is not None:
                rule = RecordingRule(record, query, expr, labels, *place)
        reader.done()
        if rule is not None:
            self._rules.append((rule, node))
        return rule

    def _labels(self, reader: MappingReader, key: str, *, templates: bool) -> Labels:
        what = "annotation" if key == "annotations" else "label"
        found = reader.string_map(key)
        node = reader.get(key)
        for name_node, value_node in node.items() if node is not None else ():
            name = name_node.text
            if not is_name(name) or (name == METRIC_NAME and what == "label"):
                hint = "any text that is not empty, other than __name__"
                self._problems.add(name_node, f"invalid {what} name: {name!r}", hint)
            if templates and value_node.is_scalar:
                self._template(value_node, f"{what} {name}")
        return Labels(found)

    def _template(self, node: YamlNode, what: str) -> None:
        try:
            _template(node.text)
        except TemplateError as error:
            lines = node.text.split("\n")
            position = sum(len(line) + 1 for line in lines[: max(error.line - 1, 0)]) + max(error.column - 1, 0)
            self._fault(node, position, f"bad template in {what}: {error.message}")

    def _expression(self, node: YamlNode | None) -> Expr | None:
        if node is None:
            return None
        if not node.is_scalar:
            self._problems.add(node, f"expr must be a text, not {node.describe()}")
            return None
        try:
            expr = _parsed(node.text)
        except ParseError as error:
            self._fault(node, error.position, f"bad PromQL expression: {error.message}")
            return None
        if value_type(expr) not in (ValueType.VECTOR, ValueType.SCALAR):
            kind = "range vector" if value_type(expr) is ValueType.MATRIX else "string"
            self._fault(node, 0, f"a rule needs an instant vector or a scalar, this is a {kind}")
            return None
        return expr

    def _log_expression(self, node: YamlNode, range_ms: int, range_node: YamlNode) -> LogExpression | None:
        if not node.is_scalar:
            self._problems.add(node, f"logs must be a text, not {node.describe()}")
            return None
        if not 1_000 <= range_ms <= LONGEST_RANGE_MS:
            self._problems.add(range_node, "the range is between 1s and 31d")
            return None
        try:
            return read_log_expression(node.text, range_ms)
        except SearchError as error:
            self._fault(node, error.start, f"bad search of logs: {error.message()}", error.hint())
        except LogExpressionError as error:
            self._fault(node, error.position, str(error), error.hint)
        return None

    def _fault(self, node: YamlNode, position: int, message: str, hint: str = "") -> None:
        line, column = locate(self._lines, node, position)
        self._problems.diagnostics.append(Diagnostic(message, self._file, line, column, hint))

    def _comment(self, line: int) -> str:
        """The comment lines directly above a rule."""
        found: list[str] = []
        index = line - 2
        first = index - _MOST_COMMENT_LINES
        while max(0, first) <= index < len(self._lines) and self._lines[index].lstrip().startswith("#"):
            found.append(self._lines[index].lstrip().removeprefix("#").strip())
            index -= 1
        return " ".join(reversed(found))


def is_name(text: str) -> bool:
    """Whether a text can name a label or a metric: any UTF-8 since Prometheus 3, here without control characters."""
    return bool(text) and not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text)


def locate(lines: list[str], node: YamlNode, position: int) -> tuple[int, int]:
    """Line and column (from 1) in the file of a character of a scalar's text.

    YAML folds and indents white space, so the characters that are not white space are counted; escapes
    inside quotation marks count as one.
    """
    text = node.text
    wanted = sum(not char.isspace() for char in text[:position])
    at_end = position >= len(text.rstrip())
    row, column = node.line - 1, node.column - 1
    quote = ""
    if node.is_block_text:
        row, column = row + 1, 0
    elif node.is_quoted:
        quote = lines[row][column]
        column += 1
    last = (row, column)
    seen = 0
    while row < len(lines):
        line = lines[row]
        while column < len(line):
            char = line[column]
            if char.isspace():
                column += 1
                continue
            if seen == wanted and not at_end:
                return row + 1, column + 1
            width = 2 if (quote == '"' and char == "\\") or (quote == "'" and line[column : column + 2] == "''") else 1
            last = (row, column + width)
            seen += 1
            if at_end and seen == wanted:
                return last[0] + 1, last[1] + 1
            column += width
        row, column = row + 1, 0
    return last[0] + 1, last[1] + 1


__all__ = ["ConfigError", "ExaminedRules", "examine_rule_file", "examine_rules", "is_name", "locate", "parse_rule_file"]

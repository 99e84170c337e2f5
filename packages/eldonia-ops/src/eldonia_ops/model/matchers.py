"""Label matchers, shared by PromQL selectors, routes, inhibitions and silences."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import re2

from eldonia_ops.model.labels import quote


class MatchOp(StrEnum):
    """How a label's value is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a missing label counts as the empty string.

    Regular expressions are RE2 and anchored at both ends, as in Prometheus and Alertmanager:
    linear in time whatever the pattern, so a rule file cannot hang the process.

    Raises:
        ValueError: the value of a regex matcher is not an RE2 pattern.
    """

    name: str
    op: MatchOp
    value: str
    _pattern: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
            try:
                pattern = re2.compile(f"^(?s:{self.value})$", _OPTIONS)
            except re2.error as error:
                detail = error.args[0] if error.args else error
                text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
                raise ValueError(f"bad regular expression {self.value!r} for label {self.name}: {text}") from None
            object.__setattr__(self, "_pattern", pattern)

    def matches_value(self, value: str) -> bool:
        """Whether a value (empty when the label is absent) satisfies this matcher."""
        match self.op:
            case MatchOp.EQUAL:
                return value == self.value
            case MatchOp.NOT_EQUAL:
                return value != self.value
            case MatchOp.REGEX:
                return self._pattern.match(value) is not None
            case MatchOp.NOT_REGEX:
                return self._pattern.match(value) is None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set satisfies this matcher."""
        return self.matches_value(labels.get(self.name, ""))

    def __str__(self) -> str:
        return f"{self.name}{self.op.value}{quote(self.value)}"


_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether a label set satisfies every matcher; true for no matchers."""
    return all(matcher.matches(labels) for matcher in matchers)

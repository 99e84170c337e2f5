"""``@type redaction``: secrets and personal data are replaced before anything is kept.

::

    <filter app.**>
      @type redaction
      keys password,$.user.email     # fields whose whole value goes
      find email,bearer,card         # in all texts of the record
      <rule>
        key message                  # optional: in this field alone
        pattern /token=(?<secret>[^&]+)/
        replace [token]              # optional
      </rule>
    </filter>
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.record_edits import as_text, with_field
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.ruby_search import RubySearch
from eldonia_ops.pipeline.section import SectionReader

REPLACEMENT: Final = "[REDACTED]"
MAX_DEPTH: Final = 64
FOUND: Final = {
    "email": r"/[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+/",
    "bearer": r"/\b(?:bearer|basic)\s+(?<secret>[A-Za-z0-9._~+\/=-]{8,})/i",
    "jwt": r"/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/",
    "card": r"/\b[0-9](?:[ -]?[0-9]){12,18}\b/",
    "ipv4": r"/\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b/",
    "aws_key": r"/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/",
    "password": r"/\b(?:password|passwd|pwd|secret|api_?key|token)[\"']?\s*[=:]\s*[\"']?(?<secret>[^\s\"',;&]+)/i",
}
"""What can be found by name."""


class Redaction(StatelessFilter):
    """Of an expression with a group named ``secret`` only that group is replaced, else the whole match."""

    type: ClassVar[str] = "redaction"

    def __init__(self, reader: SectionReader) -> None:
        self._replacement = reader.string("replacement", REPLACEMENT)
        self._keys = tuple(key for key in reader.texts("keys") if _is_path(reader, "keys", key))
        self._rules: list[tuple[str, _Rule]] = []
        for name in reader.texts("find"):
            if name in FOUND:
                check = _is_card if name == "card" else None
                self._rules.append(("", _Rule(RubySearch(FOUND[name]), self._replacement, check)))
            else:
                reader.problem(f"{name} is not known", "find", hint=f"there are {', '.join(sorted(FOUND))}")
        for section in reader.sections("rule"):
            inside = SectionReader(section, reader.problems)
            key, pattern = inside.string("key"), inside.string("pattern", required=True)
            replacement = inside.string("replace", self._replacement)
            try:
                if key:
                    steps_of(key)
                self._rules.append((key, _Rule(RubySearch(pattern), replacement)))
            except ValueError as error:
                inside.problem(f"pattern: {error}", "pattern")
            inside.finish()
        if not self._keys and not self._rules:
            reader.problem("redaction replaces nothing", hint="write keys, find or a <rule>")

    def filter(self, batch: Batch) -> Filtered:
        """The events without what is secret."""
        return Filtered(tuple([self._event(event) for event in batch.events]))

    def _event(self, event: Event) -> Event:
        record = event.record
        for key in self._keys:
            if field_of(record, key) is not None:
                record = with_field(record, key, self._replacement)
        everywhere = [rule for key, rule in self._rules if not key]
        if everywhere:
            record = _replaced(record, everywhere, MAX_DEPTH)
        for key, rule in self._rules:
            if key and (value := field_of(record, key)) is not None:
                record = with_field(record, key, rule.replaced(as_text(value)))
        return event if record is event.record else Event(event.time_ns, record)


class _Rule:
    def __init__(self, pattern: RubySearch, replacement: str, check: Callable[[str], bool] | None = None) -> None:
        self._pattern = pattern
        self._replacement = replacement
        self._group = pattern.group_of("secret")
        self._check = check

    def replaced(self, text: str) -> str:
        parts: list[str] = []
        done = 0
        for match in self._pattern.all(text):
            start, end = match.span(self._group)
            if start >= done and end > start and (self._check is None or self._check(text[start:end])):
                parts += (text[done:start], self._replacement)
                done = end
        return "".join(parts) + text[done:] if parts else text


def _replaced(value: Any, rules: list[_Rule], depth: int) -> Any:
    """A value with every text in it replaced; itself where nothing was found."""
    if isinstance(value, str):
        for rule in rules:
            value = rule.replaced(value)
        return value
    if not depth:
        return REPLACEMENT if isinstance(value, dict | list) else value
    if isinstance(value, dict):
        changed = {key: _replaced(item, rules, depth - 1) for key, item in value.items()}
        return changed if any(changed[key] is not value[key] for key in value) else value
    if isinstance(value, list):
        items = [_replaced(item, rules, depth - 1) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def _is_card(text: str) -> bool:
    """Luhn's check: https://en.wikipedia.org/wiki/Luhn_algorithm. An order number is no card."""
    digits = [int(digit) for digit in re.sub("[^0-9]", "", text)][::-1]
    doubled = [digit * 2 - 9 * (digit > 4) if at % 2 else digit for at, digit in enumerate(digits)]
    return sum(doubled) % 10 == 0


def _is_path(reader: SectionReader, name: str, key: str) -> bool:
    try:
        steps_of(key)
    except ValueError as error:
        reader.problem(str(error), name)
        return False
    return True

"""``@type throttle``: a group of events that is too loud is dropped until its period ends.

Names and rules of fluent-plugin-throttle (https://github.com/rubrikinc/fluent-plugin-throttle).
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filter, Filtered
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.section import SectionReader

MAX_GROUPS: Final = 10_000
_CLOSED: Final = -1


@dataclass(frozen=True, slots=True)
class _Group:
    rate_since_ms: int
    rate_count: int
    rate: float
    bucket_ms: int
    bucket_count: int
    warned_ms: int


_Groups = dict[tuple[str, ...], _Group]


class Throttle(Filter):
    """``group_bucket_limit`` events of a group may pass in ``group_bucket_period_s``; then none, until the period has
    ended and the group's rate is below ``group_reset_rate_s`` (events a second, -1: at once)."""

    type: ClassVar[str] = "throttle"

    def __init__(self, reader: SectionReader) -> None:
        self._keys = reader.texts("group_key", ("kubernetes.container_name",))
        for key in self._keys:
            try:
                steps_of(key)
            except ValueError as error:
                reader.problem(str(error), "group_key")
        period = reader.integer("group_bucket_period_s", 60, minimum=1)
        self._period_ms = period * 1_000
        self._limit = reader.integer("group_bucket_limit", 6_000, minimum=1)
        self._drop = reader.boolean("group_drop_logs", True)
        self._reset_rate = reader.number("group_reset_rate_s", self._limit / period)
        if not (self._reset_rate == -1 or 0 < self._reset_rate <= self._limit / period):
            message = f"group_reset_rate_s must be -1, or above 0 and at most {self._limit / period:g}"
            reader.problem(message, "group_reset_rate_s", hint="the most that may pass each second")
        self._warn_ms = reader.integer("group_warning_delay_s", 10, minimum=1) * 1_000

    def start(self) -> _Groups:
        """No group is known."""
        return {}

    def step(self, state: _Groups, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        groups = dict(state)
        kept: list[Event] = []
        printed: list[str] = []
        for event in batch.events:
            name = tuple(as_text(_field(event.record, key)) for key in self._keys)
            group = groups.pop(name, None) or _Group(now_ms, 0, 0.0, now_ms, 0, 0)
            passes, group = self._count(group, now_ms)
            if not passes and now_ms - group.warned_ms >= self._warn_ms:
                group = replace(group, warned_ms=now_ms)
                printed.append(f"throttle: {'.'.join(name) or batch.tag} is above {self._limit} events a period")
            groups[name] = group  # the group that was seen last is the last to be forgotten
            if len(groups) > MAX_GROUPS:
                del groups[next(iter(groups))]
            if passes or not self._drop:
                kept.append(event)
        return Filtered(tuple(kept), printed=tuple(printed)), groups

    def _count(self, group: _Group, now_ms: int) -> tuple[bool, _Group]:
        count, rate, since = group.rate_count + 1, group.rate, group.rate_since_ms
        if now_ms - since >= 1_000:
            rate, count, since = round(count * 1_000 / (now_ms - since)), 0, now_ms
        bucket, bucket_ms = group.bucket_count, group.bucket_ms
        measured = _Group(since, count, rate, bucket_ms, bucket, group.warned_ms)
        if now_ms // self._period_ms > bucket_ms // self._period_ms:
            if bucket == _CLOSED and self._reset_rate != -1 and rate >= self._reset_rate:
                return False, measured
            bucket, bucket_ms = 0, now_ms
        elif bucket == _CLOSED:
            return False, measured
        bucket += 1
        if bucket > self._limit:
            return False, replace(measured, bucket_count=_CLOSED, bucket_ms=bucket_ms)
        return True, replace(measured, bucket_count=bucket, bucket_ms=bucket_ms)


def _field(record: dict[str, Any], key: str) -> Any:
    """A field; ``a.b`` reaches into the record, as that plug-in has it."""
    found = field_of(record, key)
    return field_of(record, f"$.{key}") if found is None and "." in key and not key.startswith("$") else found

"""Which patterns the records of a search have, and what is new in a range of time against another.

Counts are those of the records that are stored, so they hold for every search, and after deletions. A pattern whose
template has become that of another one is shown as one with it, under the id of the one that was seen first.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from eldonia_ops.log_patterns.comparison import RateChange, rate_changes
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.log_patterns import LogPattern
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search.aggregates import MAX_ROWS, Aggregate, AggregateRow, ByField
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.search.tree import OneOf, conjunction

PATTERN: Final = FieldName(("pattern",))
_LEVEL: Final = FieldName(("level",))
_SERVICE: Final = FieldName(("service",))
_NS: Final = 1_000_000


@dataclass(slots=True)
class PatternCount:
    """A pattern among the records of a search.

    ``ids`` are all ids whose records have this template, the first of them is that of the pattern. ``buckets`` are
    records over time. ``first_seen_ms`` is when the platform got the first record ever, 0 when it is not known.
    """

    ids: list[str]
    template: str
    first_seen_ms: int
    count: int = 0
    levels: Counter[str] = field(default_factory=Counter[str])
    services: Counter[str] = field(default_factory=Counter[str])
    buckets: list[int] = field(default_factory=list[int])

    @property
    def id(self) -> str:
        """The id of the pattern."""
        return self.ids[0]

    @property
    def level(self) -> str:
        """The most severe level of its records."""
        return next((level.value for level in LogLevel if self.levels[level.value]), "")


@dataclass(frozen=True, slots=True)
class PatternPage:
    """The most frequent patterns. ``total`` and ``without`` are records of the search, the second those without one.

    ``starts_ns`` and ``width_ns`` say when the buckets begin and how wide they are.
    """

    patterns: list[PatternCount]
    groups: int
    total: int
    without: int
    starts_ns: list[int]
    width_ns: int


@dataclass(frozen=True, slots=True)
class PatternChange:
    """A pattern whose rate differs, with what is known of it in the range where it is more."""

    change: RateChange
    pattern: PatternCount


@dataclass(frozen=True, slots=True)
class PatternChanges:
    """What is different. ``total`` and ``total_before`` are the records of both ranges."""

    changes: list[PatternChange]
    groups: int
    total: int
    total_before: int


async def patterns_of(logs: LogStore, query: LogQuery, buckets: int = 30, limit: int = 100) -> PatternPage:
    """The patterns of the records of a search, the most frequent first.

    Raises:
        QueryTooLargeError: the store says so.
    """
    found, total, without = await _counted(logs, query)
    shown = found[:limit]
    width = max(1, -(-(query.until_ns - query.since_ns) // buckets))
    starts = list(range(query.since_ns, query.until_ns, width))
    await _fill_buckets(logs, query, shown, starts, width)
    return PatternPage(shown, len(found), total, without, starts, width)


async def pattern_changes(
    logs: LogStore, query: LogQuery, before: LogQuery, buckets: int = 30, limit: int = 200
) -> PatternChanges:
    """What is different in the records of ``query`` against those of ``before``.

    Raises:
        ValueError: a range is empty.
        QueryTooLargeError: the store says so.
    """
    now, total, _ = await _counted(logs, query)
    then, total_before, _ = await _counted(logs, before)
    by_template = {one.template or one.id: one for one in then} | {one.template or one.id: one for one in now}
    changes = rate_changes(
        {one.template or one.id: one.count for one in now},
        (query.until_ns - query.since_ns) / 1e9,
        {one.template or one.id: one.count for one in then},
        (before.until_ns - before.since_ns) / 1e9,
    )
    shown = [PatternChange(change, by_template[change.pattern]) for change in changes[:limit]]
    # Both ranges in one line, from the earlier beginning to the later end.
    whole = replace(query, since_ns=min(query.since_ns, before.since_ns), until_ns=max(query.until_ns, before.until_ns))
    width = max(1, -(-(whole.until_ns - whole.since_ns) // buckets))
    starts = list(range(whole.since_ns, whole.until_ns, width))
    await _fill_buckets(logs, whole, [one.pattern for one in shown], starts, width)
    return PatternChanges(shown, len(changes), total, total_before)


async def _counted(logs: LogStore, query: LogQuery) -> tuple[list[PatternCount], int, int]:
    """All patterns of a search, the most frequent first; all records, and those without a pattern."""
    aggregate = Aggregate((ByField(PATTERN), ByField(_LEVEL), ByField(_SERVICE)), limit=MAX_ROWS)
    answer = await logs.log_aggregate(query, aggregate)
    without = sum(row.count for row in answer.rows if not row.keys[0])
    rows = [row for row in answer.rows if row.keys[0]]
    known = {one.id: one for one in await logs.log_patterns(sorted({str(row.keys[0]) for row in rows}))}
    return _merged(rows, known), answer.total, without


def _merged(rows: Iterable[AggregateRow], known: Mapping[str, LogPattern]) -> list[PatternCount]:
    found: dict[str, PatternCount] = {}
    for row in rows:
        id, level, service = (str(key or "") for key in row.keys)
        one = known.get(id)
        template = one.template if one else ""
        key = template or id
        if (count := found.get(key)) is None:
            count = found[key] = PatternCount([], template, one.first_seen_ms if one else 0)
        if id not in count.ids:
            count.ids.append(id)
        count.count += row.count
        count.levels[level] += row.count
        if service:
            count.services[service] += row.count
    for count in found.values():
        count.ids.sort(key=lambda id: (known[id].first_seen_ms if id in known else 0, id))
        count.first_seen_ms = min((known[id].first_seen_ms for id in count.ids if id in known), default=0)
    return sorted(found.values(), key=lambda one: (-one.count, one.id))


async def _fill_buckets(
    logs: LogStore, query: LogQuery, patterns: Sequence[PatternCount], starts: Sequence[int], width: int
) -> None:
    places = {id: one for one in patterns for id in one.ids}
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(starts))
    if places:
        wanted = replace(query, search=conjunction([query.search, OneOf(PATTERN, tuple(places))]))
        by_time = ByTime(width, offset_ns=query.since_ns % width)
        answer = await logs.log_aggregate(wanted, Aggregate((ByField(PATTERN), by_time), limit=MAX_ROWS))
        for row in answer.rows:
            place = (int(row.keys[1] or 0) - query.since_ns) // width
            if 0 <= place < len(starts):
                counts[places[str(row.keys[0])].id][place] += row.count
    for one in patterns:
        one.buckets = counts[one.id]

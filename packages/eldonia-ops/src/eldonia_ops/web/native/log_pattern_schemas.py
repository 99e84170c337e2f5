"""Shapes of patterns of log messages in answers."""

import msgspec

from eldonia_ops.log_patterns.comparison import Difference
from eldonia_ops.services.logs.pattern_ranges import ComparedRanges
from eldonia_ops.services.logs.patterns import PatternChanges, PatternCount, PatternPage

_NS = 1_000_000
_MOST_SERVICES = 20
_MOST_IDS = 40
"""A search may have 50 conditions."""


class PatternShape(msgspec.Struct):
    """A pattern among the records of a query.

    In ``template``, ``<#>`` is in the place of a number or an identifier, ``<*>`` of any word or a quoted text; '' when
    the template is not known. ``query`` finds its records. ``level`` is the most severe one; ``levels`` and
    ``services`` count records. ``first_seen`` is when the platform got the first record ever (Unix ms), 0 when that is
    not known. ``buckets`` are records over time.
    """

    id: str
    template: str
    query: str
    count: int
    level: str
    levels: dict[str, int]
    services: dict[str, int]
    first_seen: int
    buckets: list[int]


class PatternPageShape(msgspec.Struct):
    """The most frequent patterns. ``groups`` is how many there are, ``total`` the records of the query; of these
    ``without`` have no pattern, for their messages have no form or they are older than patterns. ``starts`` (Unix ms)
    says when the buckets begin, ``width_ms`` how wide they are."""

    patterns: list[PatternShape]
    groups: int
    total: int
    without: int
    starts: list[float]
    width_ms: float


class PatternChangeShape(msgspec.Struct):
    """A pattern that differs.

    ``difference`` is ``new``, ``more``, ``rarer`` or ``gone``. ``count`` and ``count_before`` are records of the two
    ranges; ``ratio`` is the rate over the rate before, ``score`` how sure it is, in standard deviations.
    ``pattern.buckets`` are those of both ranges together, from the earlier beginning to the later end.
    """

    difference: Difference
    count: int
    count_before: int
    ratio: float
    score: float
    pattern: PatternShape


class PatternChangesShape(msgspec.Struct):
    """What is different in ``since`` to ``until`` against ``before_since`` to ``before_until`` (Unix ms).

    ``origin`` is ``deploy``, ``incident`` or '' for a time, ``title`` which one. ``groups`` is how many patterns
    differ; ``total`` and ``total_before`` are the records of the ranges.
    """

    changes: list[PatternChangeShape]
    groups: int
    total: int
    total_before: int
    since: int
    until: int
    before_since: int
    before_until: int
    origin: str
    title: str


def pattern_shape(one: PatternCount) -> PatternShape:
    """A pattern."""
    return PatternShape(
        one.id,
        one.template,
        f"pattern:{one.id}" if len(one.ids) == 1 else f"pattern:({' or '.join(one.ids[:_MOST_IDS])})",
        one.count,
        one.level,
        dict(one.levels),
        dict(one.services.most_common(_MOST_SERVICES)),
        one.first_seen_ms,
        one.buckets,
    )


def page_shape(found: PatternPage) -> PatternPageShape:
    """Patterns of a query."""
    return PatternPageShape(
        list(map(pattern_shape, found.patterns)),
        found.groups,
        found.total,
        found.without,
        [start / _NS for start in found.starts_ns],
        found.width_ns / _NS,
    )


def changes_shape(found: PatternChanges, ranges: ComparedRanges) -> PatternChangesShape:
    """What is different."""
    return PatternChangesShape(
        [
            PatternChangeShape(
                one.change.difference,
                one.change.count,
                one.change.count_before,
                round(one.change.ratio, 4),
                round(one.change.score, 2),
                pattern_shape(one.pattern),
            )
            for one in found.changes
        ],
        found.groups,
        found.total,
        found.total_before,
        ranges.start,
        ranges.end,
        ranges.start_before,
        ranges.end_before,
        ranges.since,
        ranges.title,
    )

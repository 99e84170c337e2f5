"""What people do with logs beside searching them: look around a record, and ask what else may have been meant."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from eldonia_ops.model.condition_fields import LOG_OWN_TEXTS
from eldonia_ops.model.condition_text import format_field
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.model.likeness import likest
from eldonia_ops.model.logs import LogRecord, source_name
from eldonia_ops.model.time_words import Stretch
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.search import EVERYTHING, Node, format_search, matches
from eldonia_ops.search.rewording import VALUE_FIELDS, plain_words, reworded
from eldonia_ops.search.tree import Comparison, Wildcard, conjunction, disjunction, leaves
from eldonia_ops.services.api import NotFoundError

AROUND_NS: Final = 24 * 3600 * 10**9
"""How far around a record others are looked for."""

ToNs: TypeAlias = Callable[[datetime], int]
_ATTRIBUTES: Final = 20
_ATTRIBUTES_NEAR: Final = 200
_MOST_FIELDS: Final = 5
_IN_ALL: Final = frozenset({"message", "level"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A record and those around it from the same place, newest first, and whether there are more on either side.

    ``origin`` is the search that finds records of the place.
    """

    records: list[LogRecord]
    origin: Node
    more_before: bool
    more_after: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another search that finds ``count`` records; ``since`` and ``until`` (no zone) when it is about another time."""

    search: str
    since: datetime | None
    until: datetime | None
    count: int


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that no record has, and the nearest one that some have, '' for none."""

    name: str
    near: str


def same_origin(record: LogRecord) -> Node:
    """The search for records of the same source, else of the same service and host."""
    names = ("source",) if record.source else ("service", "hostname")
    return conjunction(
        Comparison(Condition(FieldName((name,)), ConditionOp.EQUAL, value, quoted=True))
        for name in names
        if (value := source_name(str(getattr(record, name))))
    )


async def surroundings(logs: LogStore, place: tuple[int, int], count: int) -> Surroundings:
    """The record at a place (``timestamp_ns``, ``id``) with up to ``count`` records before it and as many after it.

    Raises:
        NotFoundError: there is no such record.
    """
    timestamp_ns, id = place
    found = await logs.search_logs(LogQuery(timestamp_ns, timestamp_ns + 1, before=(timestamp_ns, id + 1), limit=1))
    if not found.records or found.records[0].id != id:
        raise NotFoundError("no such record: it may have expired")
    origin = same_origin(found.records[0])
    query = LogQuery(timestamp_ns - AROUND_NS, timestamp_ns + AROUND_NS, search=origin, limit=count)
    earlier = await logs.search_logs(replace(query, before=place))
    later = await logs.search_logs(replace(query, after=place, oldest_first=True))
    records = [*reversed(later.records), *found.records, *earlier.records]
    return Surroundings(records, origin, earlier.more, later.more)


async def suggestion(logs: LogStore, query: LogQuery, now: datetime, to_ns: ToNs) -> Suggestion | None:
    """What may have been meant by a search that finds nothing, if that finds something.

    ``now`` is on the clock of the person who asks, without a zone; ``to_ns`` turns such times into Unix nanoseconds.
    """
    fields: dict[str, FieldName] = {}
    words = plain_words(query.search)
    if not words:
        return None
    timed = reworded(query.search, {}, now)
    within = replace(_within(query, timed.stretch if timed else None, to_ns), search=EVERYTHING)
    attributes = [one.name for one in await logs.log_fields(within, limit=_ATTRIBUTES)]
    for word in words:
        options = [Comparison(Condition(name, ConditionOp.EQUAL, word)) for name in (*VALUE_FIELDS, *attributes)]
        found = await logs.search_logs(replace(within, search=disjunction(options), limit=1))
        if found.records:
            fields[word] = next(one.condition.name for one in options if matches(one, found.records[0]))
    other = reworded(query.search, fields, now)
    if other is None:
        return None
    counted = await logs.log_histogram(replace(_within(query, other.stretch, to_ns), search=other.search), 1)
    if not counted.total:
        return None
    since, until = other.stretch or (None, None)
    return Suggestion(format_search(other.search), since, until, counted.total)


async def unknown_fields(logs: LogStore, query: LogQuery) -> list[UnknownField]:
    """The fields of a search that no record of its time has, each with the name that may have been meant."""
    wanted = dict.fromkeys(
        leaf.condition.name if isinstance(leaf, Comparison) else leaf.name
        for leaf, _ in leaves(query.search)
        if isinstance(leaf, Comparison | Wildcard)
    )
    within = LogQuery(query.since_ns, query.until_ns)
    asked = [name for name in wanted if name.exact or name.name not in _IN_ALL][:_MOST_FIELDS]
    missing = [name for name in asked if not await _is_known(logs, within, name)]
    if not missing:
        return []
    attributes = [one.name for one in await logs.log_fields(within, limit=_ATTRIBUTES_NEAR)]
    known = {format_field(one): one for one in [*attributes, *(FieldName((own,)) for own in LOG_OWN_TEXTS)]}
    found: list[UnknownField] = []
    for name in missing:
        near = ""
        for other in likest(format_field(name), known):
            if await _is_known(logs, within, known[other]):
                near = other
                break
        found.append(UnknownField(format_field(name), near))
    return found


async def _is_known(logs: LogStore, within: LogQuery, name: FieldName) -> bool:
    there = Comparison(Condition(name, ConditionOp.EXISTS))
    return bool((await logs.search_logs(replace(within, search=there, limit=1))).records)


def _within(query: LogQuery, stretch: Stretch | None, to_ns: ToNs) -> LogQuery:
    return replace(query, since_ns=to_ns(stretch[0]), until_ns=to_ns(stretch[1])) if stretch else query

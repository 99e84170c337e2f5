"""Which pattern each message has: known shapes by a look-up, others by Drain, in bounded memory and time.

Text without form, in which hardly two messages are alike, would make a pattern of every message and cost more than the
rest of the intake. So it is recognised, for each service apart, by how many of its new shapes find a pattern; then only
one in :data:`SAMPLED` of its new shapes is looked at, and the others have no pattern. Of services in which hardly any
record has one, only one in :data:`STRIDE` records is looked at. And a service may begin :data:`NEW_AT_ONCE` patterns at
once, then one each :data:`NEW_EVERY_MS`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.log_patterns.drain import Cluster, Drain, generalised, pattern_id
from eldonia_ops.log_patterns.shapes import Masking, shapes_of, template_of, words_of_template
from eldonia_ops.model.log_patterns import LogPattern

NO_PATTERN: Final = ""
MOST_PATTERNS: Final = 10_000
MOST_SHAPES: Final = 50_000
MOST_SERVICES: Final = 512
NEW_AT_ONCE: Final = 200
NEW_EVERY_MS: Final = 60_000
SAMPLED: Final = 64
STRIDE: Final = 8
RENEWED_MS: Final = 86_400_000
"""A pattern that is still seen is written again so often, so that it does not expire."""

_LOOKED_AT: Final = 128
"""After so many records it is decided whether the messages of a service have a form: fewer than a third are new."""

_REMEMBERED: Final = 1_024


@dataclass(slots=True)
class _Service:
    """What is known of one service: how many of its last records found a pattern, and how many it may begin."""

    allowance: float
    allowed_at_ms: int
    found: int = 0
    missed: int = 0
    shapeless: bool = False
    barren: bool = False
    passed: int = 0

    def note(self, found: int, missed: int) -> None:
        """Count records that found a pattern, and others."""
        self.found += found
        self.missed += missed
        count = self.found + self.missed
        if count < _LOOKED_AT:
            return
        shapeless = self.missed * 3 > count
        if shapeless and not self.shapeless:
            self.allowance = 0.0
        self.shapeless = shapeless
        self.barren = self.found * 8 < count
        if count > _REMEMBERED:
            self.found, self.missed = self.found * _LOOKED_AT // count, self.missed * _LOOKED_AT // count

    def looks(self) -> bool:
        """Whether a new shape is looked at."""
        if not self.shapeless:
            return True
        self.passed += 1
        return not self.passed % SAMPLED

    @property
    def weight(self) -> int:
        """How many records one that is looked at is an example of."""
        return SAMPLED if self.shapeless else 1

    def may_begin(self, now_ms: int) -> bool:
        """Whether a pattern may begin; it is taken for done."""
        earned = max(0, now_ms - self.allowed_at_ms) / NEW_EVERY_MS
        self.allowance, self.allowed_at_ms = min(NEW_AT_ONCE, self.allowance + earned), now_ms
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


@dataclass(slots=True)
class _State:
    """A pattern in memory; ``written_ms`` is what the store has as its last time, 0 for a pattern to be written."""

    cluster: Cluster
    first_ms: int
    last_ms: int
    written_ms: int


class Miner:
    """All patterns of one platform. What it does follows from the calls alone: it reads no clock."""

    def __init__(self, stored: Iterable[LogPattern] = (), *, most_patterns: int = MOST_PATTERNS) -> None:
        """``stored`` are the patterns of earlier runs; the newest ``most_patterns`` of them are taken up."""
        self._most = most_patterns
        self._masking = Masking()
        self._shapes: dict[bytes, str] = {}
        self._masked: dict[str, str] = {}
        self._services: dict[str, _Service] = {}
        newest = sorted(stored, key=lambda one: (-one.last_seen_ms, one.id))[:most_patterns]
        self._states = {
            one.id: _State(
                Cluster(one.id, tuple(words_of_template(one.template))),
                one.first_seen_ms,
                one.last_seen_ms,
                one.last_seen_ms,
            )
            for one in reversed(newest)
        }
        self._tree = Drain.of(state.cluster for state in self._states.values())
        self._changed: dict[str, _State] = {}
        self.unmined = 0
        """Records without a pattern so far."""

    def __len__(self) -> int:
        return len(self._states)

    def assign(self, messages: Sequence[str], services: Sequence[str] | str, now_ms: int) -> list[str]:
        """The id of each message's pattern, :data:`NO_PATTERN` for none. ``services`` are theirs, or that of all."""
        places = self._looked_at(services, len(messages))
        if places is None:
            ids = self._assigned(messages, services, now_ms)
        else:
            ids = [NO_PATTERN] * len(messages)
            some = [messages[place] for place in places]
            of = services if isinstance(services, str) else [services[place] for place in places]
            for place, id in zip(places, self._assigned(some, of, now_ms), strict=True):
                ids[place] = id
        self.unmined += ids.count(NO_PATTERN)
        return ids

    def _looked_at(self, services: Sequence[str] | str, count: int) -> Sequence[int] | None:
        """The places of the messages that are looked at; None for all."""
        names = (services,) if isinstance(services, str) else set(services)
        barren = {name for name in names if (known := self._services.get(name)) is not None and known.barren}
        if not barren:
            return None
        if isinstance(services, str):
            return range(0, count, STRIDE)
        return [place for place, name in enumerate(services) if name not in barren or not place % STRIDE]

    def _assigned(self, messages: Sequence[str], services: Sequence[str] | str, now_ms: int) -> list[str]:
        shapes = shapes_of(messages)
        found = list(map(self._shapes.get, shapes))
        new = [place for place, id in enumerate(found) if id is None]
        ids: list[str] = found if not new else self._mined(shapes, found, new, services, now_ms)  # pyright: ignore[reportAssignmentType]
        for id in set(ids):
            if (state := self._states.get(id)) is not None and now_ms > state.last_ms:
                state.last_ms = now_ms
                if now_ms - state.written_ms >= RENEWED_MS:
                    self._changed[id] = state
        return ids

    def changed(self) -> list[LogPattern]:
        """The patterns that are new, have another template, or are to be renewed, since this was asked last."""
        changed, self._changed = self._changed, {}
        for state in changed.values():
            # What is written later counts, also within one millisecond and when the clock was set back.
            state.last_ms = state.written_ms = max(state.last_ms, state.written_ms + 1)
        return list(map(_pattern, changed.values()))

    def _mined(
        self, shapes: list[bytes], found: list[str | None], new: list[int], services: Sequence[str] | str, now_ms: int
    ) -> list[str]:
        ids: list[str] = [id or NO_PATTERN for id in found]
        known = self._shapes
        same = services if isinstance(services, str) else None
        if len(self._services) > MOST_SERVICES:
            _forget_half(self._services)
        counts = {same: len(ids)} if same is not None else Counter(services)
        for name, missed in Counter(same if same is not None else services[place] for place in new).items():
            self._service(name, now_ms).note(counts[name] - missed, 0)
        for place in new:
            service = self._services[same if same is not None else services[place]]
            if not service.looks():
                continue
            shape = shapes[place]
            if (id := known.get(shape)) is None:  # not seen earlier in this batch
                id = self._pattern_of(shape, service, now_ms)
                if id:
                    if len(known) >= MOST_SHAPES:
                        _forget_half(known)
                    known[shape] = id
            ids[place] = id
        return ids

    def _pattern_of(self, shape: bytes, service: _Service, now_ms: int) -> str:
        words = self._masking.words_of(shape)
        masked = " ".join(words)
        if (id := self._masked.get(masked)) is not None:
            service.note(service.weight, 0)
            return id
        cluster = self._tree.match(words)
        service.note(*((0, service.weight) if cluster is None else (service.weight, 0)))
        if cluster is None:
            if not words or not service.may_begin(now_ms):
                return NO_PATTERN
            cluster = self._begin(words, now_ms)
        elif (general := generalised(cluster.words, words)) != cluster.words:
            cluster.words = general
            if (state := self._states.get(cluster.id)) is not None:
                self._changed[cluster.id] = state
        if len(self._masked) >= MOST_SHAPES:
            _forget_half(self._masked)
        self._masked[masked] = cluster.id
        return cluster.id

    def _begin(self, words: Sequence[str], now_ms: int) -> Cluster:
        id = pattern_id(words)
        if (state := self._states.get(id)) is not None:
            # Its template has become so general that it is found under other words.
            return state.cluster
        if len(self._states) >= self._most:
            self._forget()
        cluster = Cluster(id, tuple(words))
        self._states[id] = self._changed[id] = _State(cluster, now_ms, now_ms, 0)
        self._tree.add(cluster)
        return cluster

    def _forget(self) -> None:
        """Drop the tenth of the patterns that was seen the longest ago, and what leads to them."""
        oldest = sorted(self._states.values(), key=lambda one: (one.last_ms, one.cluster.id))
        self._states = {state.cluster.id: state for state in oldest[max(1, self._most // 10) :]}
        self._tree = Drain.of(state.cluster for state in self._states.values())
        self._shapes = {shape: id for shape, id in self._shapes.items() if id in self._states}
        self._masked = {masked: id for masked, id in self._masked.items() if id in self._states}

    def _service(self, name: str, now_ms: int) -> _Service:
        if (service := self._services.get(name)) is None:
            service = self._services[name] = _Service(NEW_AT_ONCE, now_ms)
        return service


def _forget_half(known: dict) -> None:
    for key in list(known)[: len(known) // 2]:
        del known[key]


def _pattern(state: _State) -> LogPattern:
    return LogPattern(
        id=state.cluster.id,
        template=template_of(state.cluster.words),
        first_seen_ms=state.first_ms,
        last_seen_ms=state.last_ms,
    )

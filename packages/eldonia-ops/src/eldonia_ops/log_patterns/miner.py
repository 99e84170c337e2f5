"""Which pattern each message has: known shapes by a look-up, others by Drain, in bounded memory and time."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.log_patterns.drain import Cluster, Drain, pattern_id
from eldonia_ops.log_patterns.service_form import NEW_AT_ONCE, STRIDE, ServiceForm
from eldonia_ops.log_patterns.shapes import Masking, shapes_of, template_of, words_of_template
from eldonia_ops.model.log_patterns import LogPattern

NO_PATTERN: Final = ""
MOST_PATTERNS: Final = 10_000
MOST_SHAPES: Final = 50_000
MOST_SERVICES: Final = 512
RENEWED_MS: Final = 86_400_000
"""A pattern that is still seen is written again so often, so that it does not expire."""


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
        self._services: dict[str, ServiceForm] = {}
        self._shapeless: set[str] = set()
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
        if not self._shapeless:
            return None
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
        if new or self._shapeless:
            self._note(services, len(messages), new, now_ms)
        ids: list[str] = found if not new else self._mined(shapes, found, new, services, now_ms)  # pyright: ignore[reportAssignmentType]
        if new or self._shapeless:
            self._shapeless = {name for name, service in self._services.items() if service.shapeless}
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

    def _note(self, services: Sequence[str] | str, count: int, new: Sequence[int], now_ms: int) -> None:
        """Count the records of known shapes, of services that have others too or are taken for shapeless."""
        if len(self._services) > MOST_SERVICES:
            _forget_half(self._services)
        same = services if isinstance(services, str) else None
        counts = {same: count} if same is not None else Counter(services)
        unknown = Counter(same if same is not None else services[place] for place in new)
        for name in {*unknown, *(self._shapeless & counts.keys())}:
            self._service(name, now_ms).note(counts[name] - unknown[name], 0)

    def _mined(
        self, shapes: list[bytes], found: list[str | None], new: list[int], services: Sequence[str] | str, now_ms: int
    ) -> list[str]:
        ids: list[str] = [id or NO_PATTERN for id in found]
        known = self._shapes
        same = services if isinstance(services, str) else None
        for place in new:
            shape = shapes[place]
            service = self._services[same if same is not None else services[place]]
            if (id := known.get(shape)) is not None:  # seen earlier in this batch
                service.note(1, 0)
            else:
                if not service.looks():
                    continue
                id = self._pattern_of(shape, service, now_ms)
                if id:
                    if len(known) >= MOST_SHAPES:
                        _forget_half(known)
                    known[shape] = id
            ids[place] = id
        return ids

    def _pattern_of(self, shape: bytes, service: ServiceForm, now_ms: int) -> str:
        words = self._masking.words_of(shape)
        masked = " ".join(words)
        if (id := self._masked.get(masked)) is not None:
            service.note(service.weight, 0)
            return id
        cluster = self._tree.match(words) or self._joined(words)
        service.note(*((0, service.weight) if cluster is None else (service.weight, 0)))
        if cluster is None:
            if not words or not service.may_begin(now_ms):
                return NO_PATTERN
            cluster = self._begin(words, now_ms)
        if len(self._masked) >= MOST_SHAPES:
            _forget_half(self._masked)
        self._masked[masked] = cluster.id
        return cluster.id

    def _joined(self, words: Sequence[str]) -> Cluster | None:
        """The cluster that has become so general that it fits."""
        general = self._tree.join(words)
        for cluster in general:
            if (state := self._states.get(cluster.id)) is not None:
                self._changed[cluster.id] = state
        return general[0] if general else None

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

    def forget(self, ids: Collection[str]) -> None:
        """Drop patterns, and what leads to them: a message of theirs begins a pattern anew."""
        self._keep({id: state for id, state in self._states.items() if id not in ids})
        self._changed = {id: state for id, state in self._changed.items() if id not in ids}

    def _forget(self) -> None:
        """Drop the tenth of the patterns that was seen the longest ago."""
        oldest = sorted(self._states.values(), key=lambda one: (one.last_ms, one.cluster.id))
        self._keep({state.cluster.id: state for state in oldest[max(1, self._most // 10) :]})

    def _keep(self, states: dict[str, _State]) -> None:
        self._states = states
        self._tree = Drain.of(state.cluster for state in self._states.values())
        self._shapes = {shape: id for shape, id in self._shapes.items() if id in self._states}
        self._masked = {masked: id for masked, id in self._masked.items() if id in self._states}

    def _service(self, name: str, now_ms: int) -> ServiceForm:
        if (service := self._services.get(name)) is None:
            service = self._services[name] = ServiceForm(NEW_AT_ONCE, now_ms)
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

"""Decides whether a pattern of :mod:`re` takes time linear in its text.

A backtracking matcher is slow where a text can be read in many ways. The pattern becomes an automaton of its
positions, one for each character that it can consume. Two questions decide (Weideman et al., "Analyzing Matching
Time Behavior of Backtracking Regular Expression Matchers by Using Ambiguity of NFA", 2016):

- exponential: some position returns to itself in two ways on the same text;
- polynomial: for two loops p and q some text leads from p to p, from p to q and from q to q.

What is approximated errs on the side of a complaint: anchors, boundaries and assertions always hold; what an
assertion reads is a branch of its own that ends nowhere. Counted repetitions are cut down to two: they multiply the
time by a constant, which the tests measure with real texts.
"""

import re
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_MOST_COPIES = 2
_MOST_PATHS = 50_000
_SAMPLES = [*map(chr, range(256)), *"éÀ你٣\u2003\u2028ſK\u200bａ’µ", "\ud800"]


class TooComplexError(ValueError):
    """The pattern is outside of what can be decided: write it in a simpler form."""


@dataclass(slots=True)
class Position:
    """A place that consumes one character out of ``chars`` (a bit for each sample)."""

    chars: int
    group: tuple[int, ...]
    """The atomic groups around it, outermost first."""
    looping: bool = False
    follow: dict[int, int] = field(default_factory=dict)
    """The positions that may come next, each with the number of ways to it (1, or 2 for more)."""
    accepts: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``degree`` is "linear", "polynomial" or "exponential"; ``pump`` is a text that, repeated, shows it."""

    degree: str
    pump: str = ""

    def __bool__(self) -> bool:
        return self.degree == "linear"


class Automaton:
    """The positions of a pattern. Edges without a character are kept until all are known.

    ``loose`` leaves out references to groups, which no automaton can follow.
    """

    def __init__(self, pattern: "re.Pattern[Any]", *, search: bool, loose: bool = False) -> None:
        self.loose = loose
        self.binary = isinstance(pattern.pattern, bytes)
        tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
        self.samples = list(_SAMPLES[:256] if self.binary else _SAMPLES)
        for code in _codes(tree):
            for near in (code - 1, code, code + 1):
                if 0 <= near <= (255 if self.binary else sys.maxunicode) and chr(near) not in self.samples:
                    self.samples.append(chr(near))
        self.everything = (1 << len(self.samples)) - 1
        self.positions: list[Position] = []
        self.edges: dict[int, list[int]] = {}
        """From a state to the next ones. States below zero consume: state ``-1 - n`` is position ``n``."""
        self.loops: set[int] = set()
        self.exits: dict[int, int] = {}
        """The state behind a loop, with the loop's own."""
        self._states = 0
        self._groups = 0
        self._categories: dict[tuple[str, str, int], int] = {}
        self.start = begin = self.state()
        first = next(iter(tree), None)
        anchored = first is not None and first[0] is op.AT and first[1] in (op.AT_BEGINNING, op.AT_BEGINNING_STRING)
        if search and not (anchored and not pattern.flags & re.MULTILINE):
            again, begin = self.state(), self.state()
            self.link(self.start, again)
            self.link(self.start, begin)
            self.consume(again, self.everything, again, ())
            newline = 1 << self.samples.index("\n")
            self.consume(again, newline if anchored else self.everything, begin, ())
        self.end = self.build(tree, begin, pattern.flags, ())
        self._close()

    def state(self) -> int:
        self._states += 1
        return self._states

    def link(self, source: int, target: int) -> None:
        self.edges.setdefault(source, []).append(target)

    def consume(self, source: int, chars: int, target: int, group: tuple[int, ...]) -> None:
        self.positions.append(Position(chars, group))
        here = -len(self.positions)
        self.link(source, here)
        self.link(here, target)

    def build(self, items: Iterable[Any], at: int, flags: int, group: tuple[int, ...]) -> int:
        """Add a sequence behind a state; returns the state behind it."""
        for code, argument in items:
            if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN):
                after = self.state()
                self.consume(at, self.chars(code, argument, flags), after, group)
                at = after
            elif code is op.AT and argument in (op.AT_END, op.AT_END_STRING):
                # Where the text goes on, a match that needs its end breaks off, and every other way is tried.
                after = self.state()
                self.consume(at, 1 << self.samples.index("\n"), after, group)
                at = after
            elif code is op.AT:
                continue
            elif code is op.SUBPATTERN:
                _, added, removed, inner = argument
                at = self.build(inner, at, (flags | added) & ~removed, group)
            elif code is op.ATOMIC_GROUP:
                self._groups += 1
                at = self.build(argument, at, flags, (*group, self._groups))
            elif code is op.BRANCH:
                after = self.state()
                for inner in argument[1]:
                    self.link(self.build(inner, self.forked(at), flags, group), after)
                at = after
            elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
                if code is op.POSSESSIVE_REPEAT:
                    self._groups += 1
                    at = self.repeat(argument, at, flags, (*group, self._groups))
                else:
                    at = self.repeat(argument, at, flags, group)
            elif code in (op.ASSERT, op.ASSERT_NOT):
                self.build(argument[1], self.forked(at), flags, group)
            elif code is op.GROUPREF and self.loose:
                continue
            else:
                raise TooComplexError(f"{code} cannot be judged")
        return at

    def forked(self, at: int) -> int:
        new = self.state()
        self.link(at, new)
        return new

    def repeat(self, argument: Any, at: int, flags: int, group: tuple[int, ...]) -> int:
        least, most, inner = argument
        for _ in range(min(least, _MOST_COPIES)):
            at = self.build(inner, at, flags, group)
        if most is op.MAXREPEAT:
            loop = self.forked(at)
            self.link(self.build(inner, self.forked(loop), flags, group), loop)
            left = self.forked(loop)
            self.loops.add(loop)
            self.exits[left] = loop
            return left
        after = self.state()
        for _ in range(min(most - least, _MOST_COPIES)):
            self.link(at, after)
            at = self.build(inner, self.forked(at), flags, group)
        self.link(at, after)
        return after

    def chars(self, code: Any, argument: Any, flags: int) -> int:
        if code is op.ANY:
            newline = 1 << self.samples.index("\n")
            return self.everything if flags & re.DOTALL else self.everything & ~newline
        if code is op.IN:
            found = 0
            for kind, value in argument:
                if kind is not op.NEGATE:
                    found |= self._matching(kind, value, flags)
            return self.everything & ~found if argument[0][0] is op.NEGATE else found
        found = self._matching(op.LITERAL, argument, flags)
        return self.everything & ~found if code is op.NOT_LITERAL else found

    def _matching(self, kind: Any, value: Any, flags: int) -> int:
        key = (str(kind), str(value), flags)
        if key in self._categories:
            return self._categories[key]
        found = 0
        for index, sample in enumerate(self.samples):
            variants = {sample}
            if flags & re.IGNORECASE:
                variants |= {sample.lower(), sample.upper(), *(("s", "S") if sample == "ſ" else ())}
                variants |= {"k", "K"} if sample == "K" else set()
            if any(len(one) == 1 and self._is(kind, value, one, flags) for one in variants):
                found |= 1 << index
        self._categories[key] = found
        return found

    def _is(self, kind: Any, value: Any, sample: str, flags: int) -> bool:
        code = ord(sample)
        if kind is op.LITERAL:
            return code == value
        if kind is op.RANGE:
            return value[0] <= code <= value[1]
        narrow = self.binary or bool(flags & re.ASCII)
        name = str(value)
        inside = {
            "DIGIT": sample.isdecimal() and (not narrow or code < 128),
            "SPACE": sample in " \t\n\r\f\v" if narrow else sample.isspace(),
            "WORD": (sample.isalnum() or sample == "_") and (not narrow or code < 128),
        }[name.rpartition("_")[2]]
        return inside is not ("_NOT_" in name)

    def _close(self) -> None:
        """Replace edges without a character by counts of the ways between positions."""
        self.first, _ = self._ways(self.start)
        for index, position in enumerate(self.positions):
            position.follow, position.accepts = self._ways(-1 - index)

    def _ways(self, state: int) -> tuple[dict[int, int], bool]:
        found: dict[int, int] = {}
        accepts = False
        paths = 0
        stack: list[tuple[int, frozenset[int]]] = [(target, frozenset()) for target in self.edges.get(state, ())]
        while stack:
            at, seen = stack.pop()
            paths += 1
            if paths > _MOST_PATHS:
                raise TooComplexError("too many ways to read nothing")
            if at < 0:
                found[-1 - at] = min(2, found.get(-1 - at, 0) + 1)
                continue
            if at == self.end:
                accepts = True
            if at in seen:
                continue  # an iteration that read nothing: the matcher ends the loop
            if at in self.loops:
                seen |= {at}
            elif at in self.exits:
                seen -= {self.exits[at]}
            stack += [(target, seen) for target in self.edges.get(at, ())]
        return found, accepts

    def sample(self, chars: int) -> str:
        """A printable character out of a set if there is one."""
        members = [one for index, one in enumerate(self.samples) if chars >> index & 1]
        plain = [one for one in members if one.isascii() and one.isprintable()]
        return (plain or members)[0]


def judge(pattern: "re.Pattern[Any]", *, search: bool, full: bool) -> Verdict:
    """How the time of a match grows with its text. ``search``: the pattern may begin anywhere. ``full``: it must
    reach the end of the text."""
    machine = Automaton(pattern, search=search)
    positions = machine.positions
    components = _components(range(len(positions)), lambda one: positions[one].follow)
    members: dict[int, list[int]] = {}
    for one, component in components.items():
        members.setdefault(component, []).append(one)
    looping = {one for one in components if len(members[components[one]]) > 1 or one in positions[one].follow}
    for component in members.values():
        if component[0] not in looping or (not full and _succeeds(positions, component)):
            continue
        if pump := _two_ways_back(machine, set(component)):
            return Verdict("exponential", pump)
    for p in sorted(looping):
        for q in sorted(looping):
            if p == q or not _may_leave(positions[p], positions[q]):
                continue
            if not full and _succeeds(positions, members[components[q]]):
                continue
            if pump := _overlap(machine, p, q, members[components[p]], members[components[q]]):
                return Verdict("polynomial", pump)
    return Verdict("linear")


def pumps(pattern: "re.Pattern[Any]", length: int) -> Iterator[str]:
    """Texts of a length that lead into each loop of a pattern and round it, and then break off."""
    machine = Automaton(pattern, search=False, loose=True)
    positions = machine.positions
    for index in range(len(positions)):
        cycle = _shortest(machine, positions[index].follow, {index})
        if cycle is None:
            continue
        head = _shortest(machine, machine.first, {index}) or ""
        for tail in ("\0", "!", "a"):
            yield (head + cycle * length)[:length] + tail
    prefix = ""
    at: Iterable[int] = machine.first
    while at and len(prefix) < 40:
        here = min(at)
        prefix += machine.sample(positions[here].chars)
        yield (prefix * length)[:length]
        at = [one for one in positions[here].follow if one > here]


def _shortest(machine: Automaton, begin: Iterable[int], goal: set[int]) -> str | None:
    queue: deque[tuple[int, str]] = deque(
        (one, machine.sample(machine.positions[one].chars)) for one in begin if machine.positions[one].chars
    )
    seen = set(begin)
    while queue:
        at, text = queue.popleft()
        if at in goal:
            return text
        for one in machine.positions[at].follow:
            if one not in seen and machine.positions[one].chars:
                seen.add(one)
                queue.append((one, text + machine.sample(machine.positions[one].chars)))
    return None


def _succeeds(positions: list[Position], component: list[int]) -> bool:
    """Whether a matcher that goes round this loop has a match to fall back to from a bounded distance."""
    rest = {one for one in component if not positions[one].accepts}
    within = {one: [other for other in positions[one].follow if other in rest] for one in rest}
    found = _components(rest, lambda one: within[one])
    return len(set(found.values())) == len(rest) and not any(one in within[one] for one in rest)


def _may_leave(p: Position, q: Position) -> bool:
    """Whether a matcher that has read on in p may come back and go on to q instead: out of an atomic group it
    may not."""
    return p.group == q.group[: len(p.group)]


def _two_ways_back(machine: Automaton, component: set[int]) -> str:
    positions = machine.positions
    for one in component:
        for other, ways in positions[one].follow.items():
            if other in component and ways > 1:
                return machine.sample(positions[other].chars)

    def following(pair: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for left in positions[pair[0]].follow:
            if left not in component:
                continue
            for right in positions[pair[1]].follow:
                if right in component and positions[left].chars & positions[right].chars:
                    yield left, right

    reached: set[tuple[int, int]] = set()
    queue = [(one, one) for one in component]
    reached.update(queue)
    while queue:
        for pair in following(queue.pop()):
            if pair not in reached:
                reached.add(pair)
                queue.append(pair)
    strong = _components(reached, lambda pair: list(following(pair)))
    even = {strong[pair] for pair in reached if pair[0] == pair[1]}
    for pair in reached:
        if pair[0] != pair[1] and strong[pair] in even:
            return machine.sample(positions[pair[0]].chars & positions[pair[1]].chars)
    return ""


def _overlap(machine: Automaton, p: int, q: int, loop_p: list[int], loop_q: list[int]) -> str:
    """A text that leads from p to p, from p to q, and from q to q."""
    positions = machine.positions
    inside_p, inside_q = set(loop_p), set(loop_q)
    begin, goal = (p, p, q), (p, q, q)
    queue: deque[tuple[tuple[int, int, int], str]] = deque([(begin, "")])
    seen = {begin}
    while queue:
        (one, two, three), text = queue.popleft()
        for a in positions[one].follow:
            if a not in inside_p:
                continue
            for c in positions[three].follow:
                both = positions[a].chars & positions[c].chars
                if c not in inside_q or not both:
                    continue
                for b in positions[two].follow:
                    common = both & positions[b].chars
                    state = (a, b, c)
                    if not common or state in seen:
                        continue
                    longer = text + machine.sample(common)
                    if state == goal:
                        return longer
                    seen.add(state)
                    queue.append((state, longer))
    return ""


def _components(nodes: Iterable[Any], following: Any) -> dict[Any, int]:
    """The strongly connected component of each node (Tarjan), without recursion."""
    index: dict[Any, int] = {}
    low: dict[Any, int] = {}
    found: dict[Any, int] = {}
    stack: list[Any] = []
    for root in nodes:
        if root in index:
            continue
        work: list[tuple[Any, Iterator[Any]]] = [(root, iter(list(following(root))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            node, rest = work[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    work.append((target, iter(list(following(target)))))
                    break
                if target not in found:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    number = len(found)
                    while True:
                        member = stack.pop()
                        found[member] = number
                        if member == node:
                            break
    return found


def _codes(items: Any) -> Iterator[int]:
    """The code points that a parsed pattern names."""
    if isinstance(items, (list, tuple, parser.SubPattern)):
        entries = list(items)
        if len(entries) == 2 and entries[0] in (op.LITERAL, op.NOT_LITERAL) and isinstance(entries[1], int):
            yield entries[1]
        elif len(entries) == 2 and entries[0] is op.RANGE:
            yield from entries[1]
        else:
            for entry in entries:
                yield from _codes(entry)

"""Match patterns of tags: ``*`` is one part of a tag, ``**`` any number of parts, ``{a,b}`` one of several.

https://docs.fluentd.org/configuration/config-file#how-do-the-match-patterns-work. A pattern is a small automaton: it
matches in linear time, and it can be said exactly whether one pattern leaves anything to another
(:func:`tag_beyond`). ``/…/`` is a regular expression and runs on RE2.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from eldonia_ops.pipeline.ruby_regexp import RubyRegexp

MAX_PATTERN: Final = 4_096
_MOST_STATES: Final = 20_000
_END: Final = ""
# Kinds of edges: a character; any but a dot; any; nothing; nothing before a dot or the end; nothing at the beginning.
_CHAR, _NO_DOT, _ANY, _EMPTY, _BEFORE_DOT, _AT_START = range(6)
_Edge = tuple[int, str, int]
_States = frozenset[int]


class TagPattern:
    """What is written behind ``<match`` or ``<filter``: one pattern or several with spaces between; '' is ``**``.

    Raises:
        ValueError: it is no pattern. The message says why.
    """

    def __init__(self, written: str) -> None:
        self.written = written.strip() or "**"
        if len(self.written) > MAX_PATTERN:
            raise ValueError(f"a pattern of more than {MAX_PATTERN} characters")
        words = self.written.split()
        self.expressions = tuple(_expression(word) for word in words if word.startswith("/"))
        self.globs = tuple(Glob(word) for word in words if not word.startswith("/"))

    @classmethod
    def of_texts(cls, tags: "Iterable[Sequence[str | None]]") -> "TagPattern":
        """Takes tags that are put together of texts and, where None is, any characters."""
        made = cls.__new__(cls)
        made.expressions = ()
        made.globs = tuple(Glob.of_texts(tag) for tag in tags)
        made.written = " ".join(glob.written for glob in made.globs)
        return made

    def matches(self, tag: str) -> bool:
        """Whether a tag is taken."""
        return any(glob.matches(tag) for glob in self.globs) or any(one.matches(tag) for one in self.expressions)


def _expression(word: str) -> RubyRegexp:
    if len(word) < 2 or not word.endswith("/"):
        raise ValueError(f"the expression {word} has no / at its end")
    return RubyRegexp(rf"\A(?:{word[1:-1]})\z")


class Glob:
    """One pattern without spaces."""

    def __init__(self, written: str) -> None:
        self.written = written
        self._edges: list[list[_Edge]] = [[]]
        self._last = self._build(written)
        self.start: _States = frozenset((0,))

    @classmethod
    def of_texts(cls, texts: Sequence[str | None]) -> "Glob":
        """Takes these texts one after another, with at least one character where None is."""
        made = cls("")
        made.written = "".join("*" if text is None else text for text in texts)
        for text in texts:
            if text is None:
                made._last = made._loop(made._next(made._last, _ANY), _ANY)
            else:
                for char in text:
                    made._last = made._next(made._last, _CHAR, char)
        return made

    def matches(self, tag: str) -> bool:
        """Whether it takes the whole tag."""
        states, first = self.start, True
        for char in tag:
            states = self.step(states, char, first=first)
            first = False
            if not states:
                return False
        return self.accepts(states, first=first)

    def step(self, states: _States, char: str, *, first: bool = False) -> _States:
        """Where a character leads."""
        found: set[int] = set()
        for state in self._closure(states, char, first=first):
            for kind, wanted, target in self._edges[state]:
                if kind == _ANY or (kind == _CHAR and wanted == char) or (kind == _NO_DOT and char != "."):
                    found.add(target)
        return frozenset(found)

    def accepts(self, states: _States, *, first: bool = False) -> bool:
        """Whether a tag may end here."""
        return self._last in self._closure(states, _END, first=first)

    def characters(self) -> set[str]:
        """The characters that are written in it."""
        return {wanted for edges in self._edges for kind, wanted, _ in edges if kind == _CHAR}

    def _closure(self, states: _States, following: str, *, first: bool) -> set[int]:
        found, waiting = set(states), list(states)
        while waiting:
            for kind, _, target in self._edges[waiting.pop()]:
                passes = (
                    kind == _EMPTY
                    or (kind == _BEFORE_DOT and following in (".", _END))
                    or (kind == _AT_START and first)
                )
                if passes and target not in found:
                    found.add(target)
                    waiting.append(target)
        return found

    # --- building

    def _new(self) -> int:
        self._edges.append([])
        return len(self._edges) - 1

    def _edge(self, source: int, kind: int, target: int, char: str = "") -> int:
        self._edges[source].append((kind, char, target))
        return target

    def _next(self, source: int, kind: int, char: str = "") -> int:
        return self._edge(source, kind, self._new(), char)

    def _loop(self, source: int, kind: int) -> int:
        """Any number of characters."""
        inside = self._next(source, _EMPTY)
        self._edge(inside, kind, inside)
        return self._next(inside, _EMPTY)

    def _build(self, text: str) -> int:
        """The automaton; returns its last state. A dot waits for what follows: ``a.**`` takes ``a`` as well."""
        now, at, dot = 0, 0, False
        groups: list[tuple[int, int]] = []  # where each group began, and where its alternatives end
        while at < len(text):
            char = text[at]
            if text.startswith("**", at):
                if dot:
                    now, dot = self._next(now, _BEFORE_DOT), False
                if text[at + 2 : at + 3] == ".":
                    start, end = now, self._new()
                    self._edge(self._loop(now, _ANY), _CHAR, end, ".")
                    self._edge(start, _AT_START, end)
                    now, at = end, at + 3
                else:
                    now, at = self._loop(now, _ANY), at + 2
                continue
            if dot:
                now, dot = self._next(now, _CHAR, "."), False
            if char == "\\" and at + 1 < len(text):
                at += 1
                now = self._next(now, _CHAR, text[at])
            elif char == ".":
                dot = True
            elif char == "*":
                now = self._loop(now, _NO_DOT)
            elif char == "{":
                groups.append((now, self._new()))
                now = self._next(now, _EMPTY)
            elif char == "," and groups:
                self._edge(now, _EMPTY, groups[-1][1])
                now = self._next(groups[-1][0], _EMPTY)
            elif char == "}" and groups:
                now = self._edge(now, _EMPTY, groups.pop()[1])
            else:
                now = self._next(now, _CHAR, char)
            at += 1
        if groups:
            raise ValueError(f"the pattern {text} has a {{ without }}")
        return now


_SOME: Final = "abcdefghijklmnopqrstuvwxyz0123456789_-"


def tag_beyond(
    wanted: TagPattern | Sequence[TagPattern], taken: Iterable[TagPattern], *, within: TagPattern | None = None
) -> str | None:
    """A shortest tag that ``wanted`` (all of them, if several) matches and none of ``taken`` does; None when there is
    none: then ``wanted`` can never get anything. ``within`` is one more pattern that has to match.

    Regular expressions among ``taken`` are left out, for what they take is not known: that may find a tag where there
    is none.

    Raises:
        ValueError: it cannot be said: ``wanted`` has a regular expression, or the patterns are too many.
    """
    all_wanted = [*([wanted] if isinstance(wanted, TagPattern) else wanted), *([] if within is None else [within])]
    if any(one.expressions for one in all_wanted):
        raise ValueError("a regular expression is not compared")
    needed = [pattern.globs for pattern in all_wanted]
    others = [glob for pattern in taken for glob in pattern.globs]
    globs = [*(glob for group in needed for glob in group), *others]
    characters = {char for glob in globs for char in glob.characters()} - {"."}
    spare = next((char for char in _SOME if char not in characters), None)
    alphabet = [*sorted(characters), *(spare or ""), "."]
    start = tuple(glob.start for glob in globs)
    waiting = deque([(start, "")])
    seen: set[tuple[tuple[_States, ...], bool]] = {(start, True)}
    while waiting:
        states, tag = waiting.popleft()
        if tag and _is_beyond(globs, states, needed):
            return tag
        for char in alphabet:
            following = tuple(glob.step(state, char, first=not tag) for glob, state in zip(globs, states, strict=True))
            if (following, False) in seen or not _may_match(following, needed):
                continue
            seen.add((following, False))
            if len(seen) > _MOST_STATES:
                raise ValueError("the patterns are too many to compare")
            waiting.append((following, tag + char))
    return None


def _is_beyond(globs: Sequence[Glob], states: Sequence[_States], needed: Sequence[Sequence[Glob]]) -> bool:
    accepted = [glob.accepts(state) for glob, state in zip(globs, states, strict=True)]
    at = 0
    for group in needed:
        if not any(accepted[at : at + len(group)]):
            return False
        at += len(group)
    return not any(accepted[at:])


def _may_match(states: Sequence[_States], needed: Sequence[Sequence[Glob]]) -> bool:
    at = 0
    for group in needed:
        if not any(states[at : at + len(group)]):
            return False
        at += len(group)
    return True


def is_literal(pattern: str) -> bool:
    """Whether a pattern is one tag."""
    return re.search(r"[*{}/\\\s]", pattern) is None

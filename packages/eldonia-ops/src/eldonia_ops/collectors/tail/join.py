"""Lines of a log file that belong together: parts of one line of a container, and the lines of a stack trace.

Docker and the container runtimes of Kubernetes cut a long line into parts of 16 KiB: in docker's json-file all but
the last part lack the line end in ``log``, in CRI's form they are marked ``P``. Plain text has stack traces below the
line that they belong to. What belongs together becomes one line, its parts separated by line ends, which
:func:`eldonia_ops.protocols.logs.lines.parse_line` reads.

The parts of stdout and stderr may alternate. A joined line is handed out only when no line before its end is held
back, and has the offset behind its last part. So the offset of any line handed out is a place to start again from.

Formats: https://docs.docker.com/engine/logging/drivers/json-file/ and
https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.model.timestamps import leading_timestamp
from eldonia_ops.protocols.logs.plain import level_in, read_cri

MAX_LINES: Final = 1_000
"""How many lines become one, and how many may be held back altogether."""

MAX_HELD: Final = 64
"""How many complete lines may wait for one before them that is not complete."""

_HEAD_BYTES: Final = 400
_ANY_TIME: Final = 1_700_000_000_000_000_000
_DOCKER = b'{"log":"'
_DOCKER_END = re.compile(rb'","stream":"(stdout|stderr)"(?=[,}])')
_CRI = re.compile(rb"\S{20,40} (stdout|stderr) ([FP])(?::\S{0,40})?(?: |\Z)")
_INDENTED = (b" ", b"\t")
# Frames of Java, JavaScript, .NET, Python and Ruby.
_FRAME = re.compile(rb'[ \t]+(?:at |\.\.\. \d|File "|from \S|Suppressed: |\| )')
# What continues a stack trace without being indented.
_MORE = re.compile(
    rb"Caused by: |Suppressed: |Traceback \(most recent call last\):|During handling of the above exception|"
    rb"The above exception was the direct cause|--- End of |created by |goroutine \d|exit status \d|#\d{1,4} "
)
_TRACEBACK = re.compile(rb"Traceback \(most recent call last\):|Exception Group Traceback|goroutine \d|panic: ")
_NAME = re.compile(rb"(?:[A-Za-z_$][\w$]{0,99}\.){0,20}+[A-Za-z_$][\w$]{0,99}(?=: |:?\Z)")
_EXCEPTION = re.compile(
    rb"(?:Exception in thread \"[^\"]{0,200}\" |Unhandled exception\. |Uncaught )?"
    rb"((?:[A-Za-z_$][\w$]{0,99}\.){0,20}+[A-Za-z_$][\w$]{0,99}+)(?=: |:?\Z)"
)
_EXCEPTION_NAMES = (b"Exception", b"Error", b"Throwable", b"Failure", b"Fault", b"Interrupt")
_LONGEST_CALL: Final = 300


Begins: TypeAlias = Callable[[bytes], bool]
"""Whether a line is the first of a text."""


class _Kind(Enum):
    """How a line is written. Of ``WHOLE`` lines nothing belongs to another."""

    WHOLE = auto()
    PLAIN = auto()
    DOCKER = auto()
    CRI = auto()


@dataclass(frozen=True, slots=True)
class Held:
    """Lines that are one. ``open`` while others may follow; ``at`` is when the last came, in seconds.

    ``stack``: a stack trace has begun in it. ``size`` counts bytes.
    """

    kind: _Kind
    stream: bytes
    lines: tuple[TailLine, ...]
    size: int
    at: float
    open: bool
    stack: bool = False

    @property
    def offset(self) -> int:
        """The byte behind the last of the lines."""
        return self.lines[-1].offset

    def line(self) -> TailLine:
        """One line of all of them."""
        if len(self.lines) == 1:
            return self.lines[0]
        return TailLine(self.offset, b"\n".join([line.data for line in self.lines]))


@dataclass(frozen=True, slots=True)
class JoinState:
    """What is held back, in the order of its first lines; empty when everything has been handed out."""

    held: tuple[Held, ...] = ()


@dataclass(frozen=True, slots=True)
class JoinBounds:
    """How far lines are joined: ``lines`` and ``bytes`` of one, and of all that is held back together.

    What is held back for ``seconds`` without another part is given up: handed out as it is. Without ``containers``
    the forms of docker and CRI are left alone. With ``begins`` a line goes on with those before it unless that takes it
    for the beginning of a text; with ``off`` none does.
    """

    lines: int = MAX_LINES
    bytes: int = 1024 * 1024
    seconds: float = 2.0
    containers: bool = True
    begins: Begins | None = None
    off: bool = False


NOTHING: Final = JoinState()
DEFAULT_BOUNDS: Final = JoinBounds()


def joined(
    state: JoinState, line: TailLine, at: float = 0.0, bounds: JoinBounds = DEFAULT_BOUNDS
) -> tuple[list[TailLine], JoinState]:
    """The lines that are complete now that ``line`` has come ``at`` that time, in seconds, and what is held back."""
    held = state.held
    kind, stream, more = _classify(line, bool(held), bounds)
    if kind is _Kind.WHOLE and not held:
        return [line], state
    index = _place(held, kind, stream, line, bounds)
    if index is None:
        # What follows a line of plain text at once, and does not continue it, ends it.
        parts = [replace(one, open=False) if one.open and one.kind is _Kind.PLAIN else one for one in held]
        if kind in (_Kind.DOCKER, _Kind.CRI):
            # A part that found no room behind the others of its stream begins another line.
            parts = [replace(one, open=False) if (one.kind, one.stream) == (kind, stream) else one for one in parts]
        stack = kind is _Kind.PLAIN and _TRACEBACK.match(line.data) is not None
        parts.append(Held(kind, stream, (line,), len(line.data), at, more, stack))
    else:
        parts = list(held)
        one = parts[index]
        stack = one.stack or (kind is _Kind.PLAIN and not _only_indented(line.data))
        size = one.size + len(line.data) + 1
        parts[index] = replace(one, lines=(*one.lines, line), size=size, at=at, open=more, stack=stack)
    lines, size = sum([len(one.lines) for one in parts]), sum([one.size for one in parts])
    if len(parts) > MAX_HELD or lines > bounds.lines or size > bounds.bytes:
        # The newest may go on; what waits before it has waited for too much.
        parts = [replace(one, open=False) for one in parts[:-1]] + parts[-1:]
    return _released(parts)


def given_up(state: JoinState, now: float, bounds: JoinBounds = DEFAULT_BOUNDS) -> tuple[list[TailLine], JoinState]:
    """The lines that nothing has been added to for too long, and what is still held back."""
    if not state.held:
        return [], state
    return _released([replace(one, open=one.open and now - one.at < bounds.seconds) for one in state.held])


def all_held(state: JoinState) -> list[TailLine]:
    """Everything that is held back, as it is: nothing more will come."""
    return _released([replace(one, open=False) for one in state.held])[0]


def joined_lines(
    state: JoinState, lines: Iterable[TailLine], at: float, bounds: JoinBounds = DEFAULT_BOUNDS
) -> tuple[list[TailLine], JoinState]:
    """:func:`joined` for several lines."""
    lines = list(lines)
    if bounds.off:
        return lines, state
    if bounds.begins is not None:
        return _started(state, lines, at, bounds, bounds.begins)
    if not state.held:
        heads = {line.data[: len(_DOCKER)] for line in lines}
        if _DOCKER not in heads and all(head[:1] == b"{" for head in heads):
            return lines, state  # as nearly always
    found: list[TailLine] = []
    for line in lines:
        if not state.held and line.data[:1] == b"{" and not line.data.startswith(_DOCKER):
            found.append(line)
            continue
        complete, state = joined(state, line, at, bounds)
        found += complete
    return found, state


def _started(
    state: JoinState, lines: list[TailLine], at: float, bounds: JoinBounds, begins: Begins
) -> tuple[list[TailLine], JoinState]:
    """:func:`joined_lines` where it is known which lines begin a text."""
    found: list[TailLine] = []
    held = state.held[0] if state.held else None
    parts = list(held.lines) if held is not None else []
    size = held.size if held is not None else 0
    for line in lines:
        if parts and (begins(line.data) or len(parts) >= bounds.lines or size + len(line.data) >= bounds.bytes):
            found.append(Held(_Kind.PLAIN, b"", tuple(parts), size, at, False).line())
            parts, size = [], 0
        parts.append(line)
        size += len(line.data) + 1
    if not parts:
        return found, NOTHING
    since = at if lines or held is None else held.at
    return found, JoinState((Held(_Kind.PLAIN, b"", tuple(parts), size, since, True),))


def _classify(line: TailLine, waiting: bool, bounds: JoinBounds) -> tuple[_Kind, bytes, bool]:
    """Kind and stream of a line, and whether it may go on in another. Only what matters is looked at."""
    data = line.data
    if line.dropped or b"\n" in data:
        return _Kind.WHOLE, b"", False
    if data[:1] == b"{":
        if not bounds.containers or not data.startswith(_DOCKER):
            return _Kind.WHOLE, b"", False
        end = _DOCKER_END.search(data)
        if end is None or b'"time":"' not in data[end.end() :]:
            return _Kind.WHOLE, b"", False
        more = not _ends_line(data, end.start())
        return (_Kind.DOCKER, end[1], more) if more or waiting else (_Kind.WHOLE, b"", False)
    if bounds.containers and data[10:11] == b"T" and (match := _CRI.match(data)) is not None:
        more = match[2] == b"P"
        if not more and not waiting:
            return _Kind.WHOLE, b"", False
        # What joins them has to be able to take them apart again.
        if read_cri(data.decode("utf-8", "replace")) is not None:
            return _Kind.CRI, match[1], more
    return _Kind.PLAIN, b"", True


def _ends_line(data: bytes, end: int) -> bool:
    """Whether the JSON text that ends before ``end`` ends with an escaped line end."""
    if data[end - 2 : end] != b"\\n":
        return False
    before = data[len(_DOCKER) : end - 2]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 0


def _place(held: tuple[Held, ...], kind: _Kind, stream: bytes, line: TailLine, bounds: JoinBounds) -> int | None:
    """Which of the held lines goes on with this one."""
    for index in range(len(held) - 1, -1, -1):
        one = held[index]
        if one.open and one.kind is kind and one.stream == stream and kind is not _Kind.WHOLE:
            fits = len(one.lines) < bounds.lines and one.size + len(line.data) < bounds.bytes
            if not fits or (kind is _Kind.PLAIN and not _continues(one, line.data)):
                return None
            return index
    return None


def _released(parts: list[Held]) -> tuple[list[TailLine], JoinState]:
    """What may be handed out, and the rest: nothing that ends behind the beginning of a line that is held back."""
    ready = 0
    end = 0
    for index, one in enumerate(parts):
        if one.lines[0].offset > end:
            # All before this one ends before it begins.
            ready = index
        if one.open:
            break
        end = max(end, one.offset)
    else:
        ready = len(parts)
    if not ready:
        return [], JoinState(tuple(parts))
    found = sorted([one.line() for one in parts[:ready]], key=lambda line: line.offset)
    return found, JoinState(tuple(parts[ready:])) if ready < len(parts) else NOTHING


def _only_indented(data: bytes) -> bool:
    return data.startswith(_INDENTED) and _FRAME.match(data) is None


def _continues(held: Held, data: bytes) -> bool:
    """Whether a line of plain text belongs to those before it."""
    if data.startswith(_INDENTED):
        return held.stack or _FRAME.match(data) is not None or _begins_record(held.lines[0].data)
    if _MORE.match(data) is not None:
        return held.stack or _begins_record(held.lines[0].data, level=True)
    if held.stack:
        last = held.lines[-1].data
        if last.startswith(_INDENTED):
            # Below Python's frames is the exception; below the place of a frame of Go the next call.
            return _NAME.match(data) is not None or _is_call(data)
        return last.startswith((b"goroutine ", b"panic: ")) and _is_call(data)
    return len(held.lines) == 1 and _is_exception(data) and _begins_record(held.lines[0].data)


def _is_exception(data: bytes) -> bool:
    match = _EXCEPTION.match(data)
    return match is not None and match[1].endswith(_EXCEPTION_NAMES)


def _is_call(data: bytes) -> bool:
    name, bracket, _ = data[:_LONGEST_CALL].partition(b"(")
    return bool(bracket) and data.endswith(b")") and b" " not in name


def _begins_record(data: bytes, *, level: bool = False) -> bool:
    """Whether a line begins as those of a logger do: with an instant, or with ``level`` also with a level."""
    head = data[:_HEAD_BYTES].decode("utf-8", "replace")
    # The year that syslog's form lacks does not matter here.
    return leading_timestamp(head, _ANY_TIME) is not None or (level and level_in(head) is not None)

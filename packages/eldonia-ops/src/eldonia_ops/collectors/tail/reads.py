"""What touches a followed file: each function is one visit to the disk, and runs on a thread."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from eldonia_ops.collectors.tail.batches import TailOptions
from eldonia_ops.collectors.tail.files import FoundFile, LineReader, TailLine, open_file
from eldonia_ops.collectors.tail.join import NOTHING, JoinState, all_held, given_up, joined_lines

_T = TypeVar("_T")


class OnDisk(Protocol):
    """Runs what touches a file on a thread: a file system that does not answer (NFS) must not hold the event loop."""

    async def __call__(self, work: Callable[..., _T], /, *arguments: Any) -> _T:
        """What ``work`` returns, or raises."""
        ...


class Seen(NamedTuple):
    """How an open file and its path are now. ``node`` is the device and inode that the path leads to, zeros for none;
    ``modified_ns`` 0 when the open file is no regular one."""

    truncated: bool
    more: bool
    modified_ns: int
    node: tuple[int, int]


def look_again(reader: LineReader, path: Path) -> Seen:
    """In this order: a path that is found to lead elsewhere was left after it was looked whether there is more."""
    truncated, more, found = reader.truncated(), reader.has_more(), reader.find(path)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        node = (0, 0)
    else:
        node = (there.st_dev, there.st_ino)
    return Seen(truncated, more, found.modified_ns if found is not None else 0, node)


def opened(path: Path, offset: int, max_line_bytes: int) -> tuple[LineReader, FoundFile | None]:
    """A reader of the file at a path, and which file that is.

    Raises:
        OSError: it cannot be opened or read.
    """
    reader = LineReader(open_file(path), offset, max_line_bytes)
    try:
        return reader, reader.find(path)
    except OSError:
        reader.close()
        raise


def read_joined(reader: LineReader, state: JoinState, options: TailOptions) -> tuple[int, list[TailLine], JoinState]:
    """How many further lines there were, what is complete with them, and what is held back."""
    lines = reader.read(options.batch_lines, options.batch_bytes)
    now = time.monotonic()
    found, state = joined_lines(state, lines, now, options.join)
    more, state = given_up(state, now, options.join)
    return len(lines), [*found, *more], state


def read_planned(
    reader: LineReader, state: JoinState, options: TailOptions, end: int
) -> tuple[int, list[TailLine], JoinState]:
    """The lines up to the byte ``end``, where a batch ended before, so that none that belong together are parted
    there. What ends sooner is left to be read on."""
    lines: list[TailLine] = []
    while reader.offset < end and (some := reader.read(options.batch_lines, max(1, options.batch_bytes), until=end)):
        lines += some
    found, state = joined_lines(state, lines, time.monotonic(), options.join)
    if reader.offset == end:
        found, state = [*found, *all_held(state)], NOTHING
    return len(lines), list(found), state

"""Fluentd's ``pos_file``: how far each file has been read, so that either of the two can take over from the other.

One line a file: path, offset and inode (both hexadecimal, 16 digits), with tabs between. An offset of all ``f`` means
that the file is not followed any more. https://docs.fluentd.org/input/tail#pos_file-highly-recommended
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

MAX_BYTES: Final = 16 << 20
_LINE: Final = re.compile(r"([^\t\n]+)\t([0-9a-fA-F]{1,16})\t([0-9a-fA-F]{1,16})")
_UNWATCHED: Final = 0xFFFF_FFFF_FFFF_FFFF


class FilePosition(NamedTuple):
    """How far a file has been read; ``inode`` is that of the file that was read."""

    offset: int
    inode: int


def parse_pos_file(text: str) -> dict[str, FilePosition]:
    """The positions by path; lines of another form are left out, and of two of one path the last counts."""
    found: dict[str, FilePosition] = {}
    for line in text.split("\n"):  # a path may hold what Unicode calls the end of a line
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        offset = int(match[2], 16)
        if offset == _UNWATCHED:
            found.pop(match[1], None)
        else:
            found[match[1]] = FilePosition(offset, int(match[3], 16))
    return found


def format_pos_file(positions: Mapping[str, FilePosition]) -> str:
    """The text of some positions."""
    return "".join(f"{path}\t{one.offset:016x}\t{one.inode:016x}\n" for path, one in positions.items())


def read_pos_file(path: Path) -> dict[str, FilePosition]:
    """The positions of a file; none when it is not there.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return parse_pos_file(file.read(MAX_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        return {}


def write_pos_file(path: Path, positions: Mapping[str, FilePosition]) -> None:
    """Replace a file by the text of some positions: at every moment there is one that is whole.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(format_pos_file(positions))
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise

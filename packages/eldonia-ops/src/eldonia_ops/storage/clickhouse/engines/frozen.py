"""Files of the embedded engine that are kept as they are while it works.

``ALTER TABLE … FREEZE`` makes hard links of a table's parts below ``shadow``
(https://clickhouse.com/docs/sql-reference/statements/alter/partition#freeze-partition). With the files that describe
the tables they make a folder that the engine opens.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from eldonia_ops.model.snapshots import SnapshotFile

NAME: Final = "eldonia_ops"
"""Letters that the engine leaves as they are in the name of a folder."""
_SHADOW: Final = "shadow"
_LEFT_OUT: Final = frozenset({_SHADOW, "tmp", "preprocessed_configs"})
_FILES_LEFT_OUT: Final = frozenset({"status"})
_DESCRIPTIONS: Final = (".sql", "format_version.txt")
_FIRST: Final = "samples"
_LAST: Final = "log_patterns"


def in_order(tables: Iterable[str]) -> list[str]:
    """Tables in the order in which they are kept: samples first, patterns last, so that what describes is there too."""
    return sorted(tables, key=lambda table: (table != _FIRST, table == _LAST, table))


def files(folder: Path, data: Path) -> list[SnapshotFile]:
    """The kept parts under the names that they have in the tables, and what describes the tables.

    Raises:
        OSError: the engine kept nothing, though there are tables; or a file cannot be read.
    """
    kept = folder / _SHADOW / NAME
    if not kept.is_dir() and any(folder.glob("store/*/*/*_*_*_*")):
        raise OSError(errno.ENOENT, "the engine kept no parts", str(kept))
    found = list(_walk(kept, kept, folder, data))
    for path, described in _descriptions(folder):
        found.append(_file(path, described, data))
    return found


def remove(folder: Path) -> None:
    """Remove what was kept; the parts themselves have links of their own."""
    shutil.rmtree(folder / _SHADOW / NAME, ignore_errors=True)


def at_rest(folder: Path, data: Path) -> list[SnapshotFile]:
    """All files of an engine that does not run."""
    found: list[SnapshotFile] = []
    for top in sorted(folder.iterdir()) if folder.is_dir() else ():
        if top.is_dir() and not top.is_symlink():
            found += [] if top.name in _LEFT_OUT else _walk(top, folder, folder, data)
        elif top.name not in _FILES_LEFT_OUT:
            found.append(_file(top, top, data))
    return found


def _walk(here: Path, root: Path, folder: Path, data: Path) -> Iterator[SnapshotFile]:
    """Files and links below ``here``, named as if ``root`` were ``folder``."""
    for place, folders, names in os.walk(here):
        folders.sort()
        for name in sorted([*names, *(one for one in folders if os.path.islink(os.path.join(place, one)))]):
            path = Path(place, name)
            yield _file(path, folder / path.relative_to(root), data)


def _descriptions(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Everything but parts: files of the top, definitions of tables, links; of a table's folder its files alone."""
    for top in sorted(folder.iterdir()):
        if top.name == "store":
            for path in sorted(top.glob("*/*/*")):
                # Notes of changes that are under way come and go.
                if path.is_file() and path.name.endswith(_DESCRIPTIONS):
                    yield path, path
        elif top.is_dir() and not top.is_symlink():
            if top.name not in _LEFT_OUT:
                for path in sorted(top.rglob("*")):
                    if path.is_symlink() or path.is_file():
                        yield path, path
        elif top.name not in _FILES_LEFT_OUT:
            yield top, top


def _file(path: Path, place: Path, data: Path) -> SnapshotFile:
    name = place.relative_to(data).as_posix()
    if path.is_symlink():
        return SnapshotFile(name, path, target=os.readlink(path))
    return SnapshotFile(name, path, path.stat().st_size)

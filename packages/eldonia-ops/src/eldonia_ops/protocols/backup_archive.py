"""A backup as one file: a tar archive whose last member says what the others must be.

Tar: POSIX.1-2001 (pax), written as a stream. ``MANIFEST.json`` holds the size and SHA-256 of every file, so an archive
that was cut off, or changed, is found out: without it nothing is restored.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.snapshots import SnapshotFile

MANIFEST: Final = "MANIFEST.json"
FORMAT: Final = 1
_CHUNK: Final = 1 << 20
_BLOCK: Final = 512
_MOST_MEMBERS: Final = 5_000_000
_LARGEST_MANIFEST: Final = 1 << 30
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")

Progress = Callable[[int], None]
"""Called with the bytes that were read or written since the last call."""


@dataclass(slots=True)
class Manifest:
    """What is in it holds: ``about`` says who made it and when; ``files`` have size and SHA-256, ``links`` targets."""

    about: dict[str, Any]
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def archive_size(files: Sequence[SnapshotFile]) -> int:
    """About how many bytes an archive of these files takes."""
    return sum(_BLOCK + -(-file.size // _BLOCK) * _BLOCK for file in files)


def archive(files: Sequence[SnapshotFile], about: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of an archive, in pieces. Blocks while it reads: call it on a thread.

    Raises:
        OSError: a file cannot be read, or is shorter than it was.
    """
    manifest = Manifest(dict(about))
    for file in files:
        if file.target:
            manifest.links[file.name] = file.target
            yield _header(file.name, target=file.target)
            continue
        yield _header(file.name, size=file.size)
        digest, left = hashlib.sha256(), file.size
        with file.path.open("rb") as source:
            while left:
                piece = source.read(min(_CHUNK, left))
                if not piece:
                    raise OSError(f"{file.name} has become shorter while it was read")
                left -= len(piece)
                digest.update(piece)
                yield piece
        yield b"\0" * (-file.size % _BLOCK)
        manifest.files[file.name] = (file.size, digest.hexdigest())
    text = json.dumps(
        {"format": FORMAT, "about": manifest.about, "files": manifest.files, "links": manifest.links}
    ).encode()
    yield _header(MANIFEST, size=len(text)) + text + b"\0" * (-len(text) % _BLOCK)
    yield b"\0" * (2 * _BLOCK)


def _header(name: str, *, size: int = 0, target: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.mode, info.size = 0o600, size
    if target:
        info.type, info.linkname = tarfile.SYMTYPE, target
    return info.tobuf(tarfile.PAX_FORMAT)


class _Counting(io.RawIOBase):
    """A file that says how much of it was read."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        super().__init__()
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._progress(len(data))
        return len(data)


def read_archive(path: Path, into: Path | None = None, progress: Progress = lambda _: None) -> Manifest:
    """Verify an archive as a whole; with ``into``, put its files below that folder, synced and closed to others.

    Raises:
        ConfigError: it is no backup, is not whole, or was changed; or a file cannot be read or written.
    """
    try:
        with (
            path.open("rb") as file,
            tarfile.open(fileobj=io.BufferedReader(_Counting(file, progress)), mode="r|") as tar,
        ):
            return _read(path, tar, into)
    except (tarfile.TarError, EOFError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, ConfigError):
            raise
        raise _broken(path, f"it is no backup of Eldonia Ops, or not whole ({error or type(error).__name__})") from None
    except OSError as error:
        raise _broken(path, f"cannot be read or written: {error.strerror or error}") from None


def _read(path: Path, tar: tarfile.TarFile, into: Path | None) -> Manifest:
    found = Manifest({})
    said: dict[str, Any] | None = None
    for count, member in enumerate(tar):
        if said is not None:
            raise _broken(path, f"something follows {MANIFEST}")
        if count > _MOST_MEMBERS:
            raise _broken(path, "it has too many files")
        if member.name == MANIFEST:
            if member.size > _LARGEST_MANIFEST:
                raise _broken(path, f"{MANIFEST} is too large")
            content = tar.extractfile(member)
            said = json.loads(content.read() if content is not None else b"")
            continue
        place = _place(path, member.name)
        if member.name in found.files or member.name in found.links:
            raise _broken(path, f"{member.name} occurs twice")
        if member.issym():
            _check_target(path, place, member.linkname)
            found.links[member.name] = member.linkname
            if into is not None:
                _folder(into, place)
                os.symlink(member.linkname, into / place)
        elif member.isreg():
            content = tar.extractfile(member)
            assert content is not None
            found.files[member.name] = _copied(content, None if into is None else _folder(into, place) / place.name)
        else:
            raise _broken(path, f"{member.name} is neither a file nor a link")
    if said is None:
        raise _broken(path, "it is not whole: its end is missing")
    if said.get("format") != FORMAT:
        raise _broken(path, f"its format is {said.get('format')!r}; this version reads {FORMAT}")
    wanted = {name: (int(size), str(digest)) for name, (size, digest) in said["files"].items()}
    if not all(_DIGEST.fullmatch(digest) for _, digest in wanted.values()):
        raise _broken(path, f"{MANIFEST} is damaged")
    wrong = sorted(name for name in {*wanted, *found.files} if wanted.get(name) != found.files.get(name))
    wrong += sorted(name for name in {*said["links"], *found.links} if said["links"].get(name) != found.links.get(name))
    if wrong:
        raise _broken(path, f"{len(wrong)} files are not what they were, among them {wrong[0]}")
    found.about = dict(said["about"])
    return found


def _place(path: Path, name: str) -> PurePosixPath:
    """A path below the folder.

    Raises:
        ConfigError: it leads elsewhere.
    """
    place = PurePosixPath(name)
    if not name or "\0" in name or place.is_absolute() or any(part in ("..", "") for part in name.split("/")):
        raise _broken(path, f"it holds a file at {name!r}, outside of its folder")
    return place


def _check_target(path: Path, place: PurePosixPath, target: str) -> None:
    """Links stay below ``telemetry``, where the engine's own lie."""
    end = os.path.normpath(place.parent / target)
    if os.path.isabs(target) or place.parts[0] != "telemetry" or PurePosixPath(end).parts[:1] != ("telemetry",):
        raise _broken(path, f"the link {place} leads to {target!r}, outside of its folder")


def _folder(into: Path, place: PurePosixPath) -> Path:
    """The folder of a file, made if needed; never through a link, behind which lies something else."""
    folder = into
    for part in place.parts[:-1]:
        folder = folder / part
        if folder.is_symlink():
            raise ValueError(f"{place} lies behind a link")
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _copied(source: IO[bytes], target: Path | None) -> tuple[int, str]:
    """Read a file to its end, into ``target`` if there is one, synced; size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    descriptor = None
    if target is not None:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while piece := source.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
            view = memoryview(piece)
            while descriptor is not None and view:
                view = view[os.write(descriptor, view) :]
        if descriptor is not None:
            os.fsync(descriptor)
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return size, digest.hexdigest()


def _broken(path: Path, message: str) -> ConfigError:
    return ConfigError(Diagnostic(message, str(path)))

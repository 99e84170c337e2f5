"""Writes chunks to files: by time, appended or numbered, compressed, with a link to the newest."""

import asyncio
import contextlib
import errno
import gzip
import os
from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Final

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import Placeholders
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.formatters import Formatter
from eldonia_ops.pipeline.outputs.file import INDEX, FileOutput
from eldonia_ops.pipeline_outputs.running import OutputError

_MOST_NUMBERS: Final = 1_000_000
_MODE: Final = 0o644
_NEVER: Final = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP, errno.EILSEQ})
_NEVER_OF_SENDERS: Final = frozenset({errno.EISDIR, errno.ENOTDIR, errno.EEXIST})
"""Faults of names that senders chose: what is tried again stops all that is behind it, so these are not."""


def formatted(formatter: Formatter, batches: Sequence[Batch]) -> bytes:
    """The events of a chunk as bytes, one behind the other."""
    write = formatter.format
    return b"".join(write(batch.tag, event.time_ns, event.record) for batch in batches for event in batch.events)


class FileDelivery:
    """Writes for one file output. A chunk that was written before a crash is appended once more (at least once)."""

    def __init__(self, output: FileOutput, settings: BufferSettings, executor: Executor | None = None) -> None:
        assert output.formatter is not None
        self._output = output
        self._formatter = output.formatter
        self._path = Placeholders(output.template, settings)
        self._link = Placeholders(output.symlink, settings) if output.symlink else None
        self._executor = executor
        self._writing = asyncio.Lock()

    async def deliver(self, chunk: Chunk, batches: Sequence[Batch]) -> None:
        """Write a chunk, and have it on disk."""
        tag = batches[0].tag if batches else ""
        path = self._path.expand(chunk.key, chunk.id, tag=tag)
        link = self._link.expand(chunk.key, chunk.id, tag=tag) if self._link is not None else ""
        for name, template in ((path, self._output.template), (link, self._output.symlink)):
            _check(name, template)
        async with self._writing:
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._write, path, link, batches)
            except OSError as error:
                final = error.errno in _NEVER or (error.errno in _NEVER_OF_SENDERS and "${" in self._output.template)
                raise OutputError(f"{path} cannot be written: {error.strerror or error}", retry=not final) from error

    def _write(self, path: str, link: str, batches: Sequence[Batch]) -> None:
        content = formatted(self._formatter, batches)
        if self._output.compress == "gzip":
            content = gzip.compress(content, 6, mtime=0)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if link and Path(link).exists() and not Path(link).is_symlink():
            raise OutputError(f"{link} is no link, so it is not made one", retry=False)
        number, path = _opened(path)
        try:
            end = os.fstat(number).st_size
            try:
                view = memoryview(content)
                while view:
                    view = view[os.write(number, view) :]
                os.fsync(number)
            except OSError:
                # A part of a chunk would be read twice when it is tried again.
                with contextlib.suppress(OSError):
                    os.ftruncate(number, end)
                raise
        finally:
            os.close(number)
        if link:
            _point(link, path, relative=self._output.symlink_relative)

    async def close(self) -> None:
        """Nothing is kept open."""


def _check(path: str, template: str) -> None:
    """Refuse a path by which a tag or a field would lead out of the folder that the settings mean.

    Raises:
        OutputError: with the reason; it is for good.
    """
    if ".." in Path(path).parts:
        raise OutputError(f"a path with .. is not written: {path}", retry=False)
    if "\0" in path:
        raise OutputError("a path with a NUL character is not written", retry=False)
    if template.startswith("${") and path.startswith("/"):
        raise OutputError(f"a path that begins with a placeholder stays relative: {path} is not written", retry=False)


def _opened(path: str) -> tuple[int, str]:
    """The file to write, which is new where the path has a number."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    if INDEX not in path:
        return os.open(path, flags, _MODE), path
    for count in range(_MOST_NUMBERS):
        numbered = path.replace(INDEX, f"_{count}", 1)
        try:
            return os.open(numbered, flags | os.O_EXCL, _MODE), numbered
        except FileExistsError:
            continue
    raise OSError(f"there are {_MOST_NUMBERS} files of this name")


def _point(link: str, path: str, *, relative: bool) -> None:
    place = Path(link)
    place.parent.mkdir(parents=True, exist_ok=True)
    target = os.path.relpath(path, place.parent) if relative else str(Path(path).absolute())
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        beside.unlink()
    beside.symlink_to(target)
    beside.replace(place)

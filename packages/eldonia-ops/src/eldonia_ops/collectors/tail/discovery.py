"""Finds the log files that patterns match, and follows each of them with a task of its own."""

import asyncio
import glob
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeVar

from eldonia_ops.collectors.collector import Positions
from eldonia_ops.collectors.status import TargetStatus, TurnWatch, Unwatched
from eldonia_ops.collectors.tail.batches import DEFAULT_OPTIONS, PlannedBatches, TailOptions, TailSink, no_plan
from eldonia_ops.collectors.tail.files import main_of, shown_path
from eldonia_ops.collectors.tail.follow import FollowedFile

log = logging.getLogger("eldonia_ops.collectors.tail")
_T = TypeVar("_T")
_THREADS: Final = 2
"""For each tail: files that never answer hold up those of the same entry of the settings, and no others."""
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z")


class FollowedPaths:
    """The files that some tails follow between them: none twice, since each of its lines would be stored twice.

    They look for files one after another, in the order in which they were started: of two that match the same
    file it is always the first that follows it.
    """

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.turn = asyncio.Lock()


class FileTail:
    """Follows every file that matches one of ``patterns`` (shell globs, ``**`` included) and that no other tail
    of those that share ``followed`` follows. ``watch`` gives what each path notes its failures in."""

    def __init__(
        self,
        patterns: Sequence[str],
        sink: TailSink,
        positions: Positions,
        options: TailOptions = DEFAULT_OPTIONS,
        followed: FollowedPaths | None = None,
        watch: Callable[[str], TurnWatch] = lambda _: Unwatched(),
        plan: PlannedBatches = no_plan,
    ) -> None:
        self._patterns = tuple(os.path.abspath(pattern) for pattern in patterns)
        self._sink = sink
        self._positions = positions
        self._options = options
        self._shared = followed or FollowedPaths()
        self._watch = watch
        self._plan = plan
        self._threads = ThreadPoolExecutor(_THREADS, "tail")
        self._discovery = watch(", ".join(self._patterns))
        self._followed: dict[str, FollowedFile] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._problem = ""
        self._empty = set(self._patterns)

    def statuses(self) -> list[TargetStatus]:
        """One status a file followed, one a pattern that matches nothing yet, and one for files left out."""
        found = [followed.status for followed in self._followed.values()]
        found += [
            TargetStatus("tail", pattern, pattern, error="no file matches yet")
            for pattern in self._patterns
            if pattern in self._empty
        ]
        if self._problem:
            all_patterns = ", ".join(self._patterns)
            found.append(TargetStatus("tail", all_patterns, all_patterns, error=self._problem))
        return found

    async def close(self) -> None:
        """Files are closed when ``run`` ends. A thread that a file system holds is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def run(self) -> None:
        """Follow until cancelled."""
        try:
            while True:
                try:
                    async with self._shared.turn:
                        await self._discover()
                    self._discovery.succeeded()
                except Exception as error:
                    # The files that are followed already go on being followed.
                    self._discovery.failed(error)
                    log.exception("tail %s: looking for files", ", ".join(self._patterns))
                await asyncio.sleep(self._options.discover_seconds)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            for path in list(self._tasks):
                self._leave(path)

    async def _discover(self) -> None:
        mains, self._empty = await self._on_disk(_matches, self._patterns, self._options.exclude)
        for path in [path for path, task in self._tasks.items() if task.done()]:
            self._leave(path)
        problem = ""
        for path, with_rotated in mains.items():
            if path in self._tasks:
                continue
            if path in self._shared.paths:
                problem = f"{shown_path(path)} is followed already, by another entry"
            elif len(self._tasks) >= self._options.max_files:
                problem = f"more than {self._options.max_files} files match; the rest is not followed"
                break
            else:
                try:
                    self._follow(path, with_rotated)
                except Exception as error:
                    # The others are followed all the same; this one is tried again.
                    problem = f"{shown_path(path)} cannot be followed: {error}"
                    self._watch(shown_path(path)).failed(error)
                    log.exception("tail %s: not followed", shown_path(path))
        if problem and problem != self._problem:
            log.warning("tail %s: %s", ", ".join(self._patterns), problem)
        self._problem = problem

    def _follow(self, path: str, with_rotated: bool) -> None:
        followed = FollowedFile(
            Path(path),
            self._sink,
            self._positions,
            self._options,
            with_rotated=with_rotated,
            watch=self._watch(shown_path(path)),
            on_disk=self._on_disk,
            plan=self._plan,
        )
        self._shared.paths.add(path)
        self._followed[path] = followed
        self._tasks[path] = asyncio.create_task(followed.run(), name=f"tail {path}")

    async def _on_disk(self, work: Callable[..., _T], /, *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def _leave(self, path: str) -> None:
        self._shared.paths.discard(path)
        del self._followed[path], self._tasks[path]


def _matches(patterns: Sequence[str], exclude: Sequence[str] = ()) -> tuple[dict[str, bool], set[str]]:
    """Files to follow, each with whether rotated files of it match too; and the patterns that match nothing."""
    found: set[str] = set()
    empty: set[str] = set()
    for pattern in patterns:
        try:
            paths = [path for path in glob.glob(pattern, recursive=True) if not path.endswith(_COMPRESSED)]
        except (OSError, ValueError, RecursionError):
            log.warning("tail %s: the pattern cannot be looked for", pattern, exc_info=True)
            paths = []
        paths = [path for path in paths if not any(fnmatchcase(path, pattern) for pattern in exclude)]
        found.update(paths)
        if not paths:
            empty.add(pattern)
    mains: dict[str, bool] = {}
    # Sorted, so that app.log is a main already when app.log.1 comes.
    for path in sorted(found):
        main = main_of(path, mains)
        if main is not None:
            mains[main] = True
        elif os.path.isfile(path):
            mains[path] = False
    return mains, empty

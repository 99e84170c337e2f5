"""The first lines of the files that a pipeline follows, sent through it on trial."""

import glob
import os
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final

from eldonia_ops.lint.pipeline import LoadedPipeline, braces
from eldonia_ops.pipeline.inputs import TailInput
from eldonia_ops.pipeline.times.strftime import DIRECTIVE
from eldonia_ops.pipeline.trial import try_lines
from eldonia_ops.pipeline.unread_lines import Sample, unread_lines

_FILES: Final = 3
_LINES: Final = 100
_BYTES: Final = 256 << 10


def with_samples(loaded: LoadedPipeline, now_ms: int) -> LoadedPipeline:
    """The pipeline with what its files say about its parsers: of each source the three newest that are on this machine.
    Nothing is written. One with faults is returned as it is."""
    if loaded.faulty:
        return loaded
    samples = [
        Sample(source, path, try_lines(loaded.pipeline, source, source.tag_of(path), lines, now_ms, path=path))
        for source in loaded.pipeline.sources
        if isinstance(source, TailInput)
        for path, lines in _samples(source)
    ]
    problems = sorted([*loaded.problems, *unread_lines(samples)], key=lambda one: (one.file, one.line))
    return replace(loaded, problems=tuple(problems))


def _samples(source: TailInput) -> Iterator[tuple[str, list[str]]]:
    found = 0
    for path in _newest(source):
        try:
            with open(path, "rb") as file:
                data = file.read(_BYTES)
        except OSError:
            continue
        whole, _, _ = data.rpartition(b"\n")  # the last line may not be whole
        if whole and b"\0" not in whole:
            yield path, whole.decode(source.encoding or "utf-8", "replace").splitlines()[:_LINES]
            found += 1
        if found == _FILES:
            return


def _newest(source: TailInput) -> list[str]:
    patterns = [DIRECTIVE.sub("*", one) for path in source.paths for one in braces(path)]
    paths = {path for pattern in patterns for path in glob.iglob(pattern, recursive=True)}
    kept = [path for path in paths if not any(fnmatchcase(path, one) for one in source.exclude)]
    times: list[tuple[float, str]] = []
    for path in kept:
        try:
            if os.path.isfile(path):
                times.append((os.stat(path).st_mtime, path))
        except OSError:
            continue
    return [path for _, path in sorted(times, reverse=True)]

"""Reads the pipeline that settings or a file of Fluentd describe, with the files that belong to it."""

import glob
import os
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.pipeline.building import build_pipeline
from eldonia_ops.pipeline.checks import check_pipeline
from eldonia_ops.pipeline.graph import Pipeline
from eldonia_ops.pipeline.outputs import ElasticsearchOutput
from eldonia_ops.pipeline.outputs.index_setup import IndexSetup
from eldonia_ops.pipeline.section import Section
from eldonia_ops.protocols.fluentd_config import MAX_BYTES, Surroundings, read_pipeline_file
from eldonia_ops.settings import Settings, examine_settings
from eldonia_ops.settings.pipeline import PipelineSettings

MOST_PATTERNS: Final = 1_000
MOST_PATHS: Final = 10_000
"""That are looked at for one ``@include``: ``/**/*`` would go through the whole machine."""
_BRACES: Final = re.compile(r"\{([^{}]{0,4096})\}")
_FLUENTD: Final = re.compile(r"^(?:config|system):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LoadedPipeline:
    """A pipeline, the sections that it was built from, and everything that is wrong with it; ``settings`` say how it
    runs."""

    pipeline: Pipeline
    root: Section
    problems: tuple[Diagnostic, ...]
    settings: PipelineSettings

    @property
    def faulty(self) -> bool:
        """Whether it must not run."""
        return any(problem.level is Level.ERROR for problem in self.problems)


class DiskFiles:
    """The files of this machine. ``**`` is any number of folders; ``{a,b}`` is one of several, as in Ruby."""

    def matching(self, pattern: str) -> Sequence[str]:
        """The paths that a pattern stands for, sorted."""
        paths = (path for one in braces(pattern) for path in glob.iglob(one, recursive=True))
        return sorted({path for path in islice(paths, MOST_PATHS) if os.path.isfile(path)})

    def read(self, path: str) -> bytes:
        """What a file holds; of one that is larger than a configuration may be, so much as shows that."""
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)


def load_pipeline(path: Path, env: Mapping[str, str]) -> LoadedPipeline:
    """The pipeline of a ``fluent.conf``, of Fluentd's YAML, or of an eldonia-ops.yml.

    Raises:
        ConfigError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be read: {error.strerror or error}", str(path))) from None
    if path.suffix in (".yml", ".yaml") and not _FLUENTD.search(data.decode("utf-8", "replace")):
        settings, problems = examine_settings(data.decode("utf-8", "replace"), path, env, missing=Level.WARNING)
        return pipeline_of(settings, env, problems)
    return _built(PipelineSettings(file=path), env, [])


def pipeline_of(settings: Settings, env: Mapping[str, str], problems: Sequence[Diagnostic] = ()) -> LoadedPipeline:
    """The pipeline of settings; an empty one where they have none."""
    return _built(settings.pipeline, env, list(problems))


def _built(settings: PipelineSettings, env: Mapping[str, str], problems: list[Diagnostic]) -> LoadedPipeline:
    hostname = socket.gethostname()
    root = None
    if settings.file is not None:
        surroundings = Surroundings(env=env, hostname=hostname, files=DiskFiles())
        try:
            data = settings.file.read_bytes()
        except OSError as error:
            problems.append(Diagnostic(f"cannot be read: {error.strerror or error}", str(settings.file)))
        else:
            root = read_pipeline_file(data, str(settings.file), surroundings, problems)
    own = (*settings.sources, *settings.filters, *settings.outputs, *settings.labels)
    found = root or Section("ROOT")
    joined = Section("ROOT", "", found.parameters, (*found.sections, *own), found.place)
    pipeline = build_pipeline(joined, problems, hostname=hostname)
    if settings.used:
        problems += check_pipeline(pipeline)
        problems += _templates(pipeline)
    return LoadedPipeline(pipeline, joined, tuple(sorted(problems, key=lambda one: (one.file, one.line))), settings)


def _templates(pipeline: Pipeline) -> Iterator[Diagnostic]:
    """What is wrong with the templates that outputs put. A file that is not here may be where the pipeline runs."""
    for _, output in pipeline.outputs():
        setup = output.setup if isinstance(output, ElasticsearchOutput) else IndexSetup()
        for file in setup.files:
            place = (output.place.file, output.place.line)
            try:
                setup.read(Path(file.path).read_text("utf-8"))
            except OSError as error:
                message = f"the index template {file.path} cannot be read: {error.strerror or error}"
                yield Diagnostic(message, *place, level=Level.WARNING)
            except ValueError as error:
                yield Diagnostic(f"the index template {file.path} {error}", *place)


def braces(pattern: str) -> list[str]:
    """The patterns that one with ``{a,b}`` stands for, :data:`MOST_PATTERNS` at most."""
    found = [pattern]
    while len(found) < MOST_PATTERNS and (match := _BRACES.search(found[0])):
        before, behind, parts = match.string[: match.start()], match.string[match.end() :], match[1].split(",")
        found = [*found[1:], *(before + part + behind for part in parts)]
    return found[:MOST_PATTERNS]

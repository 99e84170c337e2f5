"""Configurations of Fluentd as tests write them."""

import posixpath
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.building import build_pipeline
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters import Filter, filter_of
from eldonia_ops.pipeline.graph import Pipeline
from eldonia_ops.pipeline.section import Section, SectionReader
from eldonia_ops.protocols.fluentd_config import Surroundings, read_fluent_conf

HOST = "web-1"
NOW_MS = 1_700_000_000_000
NOW_NS = NOW_MS * 1_000_000


class FakeFiles:
    """Files that are in memory."""

    def __init__(self, texts: Mapping[str, str | bytes]) -> None:
        self.texts = texts

    def matching(self, pattern: str) -> Sequence[str]:
        """By shell patterns within one folder."""
        folder = posixpath.dirname(pattern)
        return sorted(path for path in self.texts if posixpath.dirname(path) == folder and fnmatchcase(path, pattern))

    def read(self, path: str) -> bytes:
        """What is there."""
        text = self.texts[path]
        return text if isinstance(text, bytes) else text.encode()


def read(text: str | bytes, env: Mapping[str, str] | None = None, files: Mapping[str, str | bytes] | None = None):
    """The sections of a text, and what is wrong with it."""
    problems: list[Diagnostic] = []
    data = text if isinstance(text, bytes) else text.encode()
    around = Surroundings(env=env or {}, hostname=HOST, files=FakeFiles(files or {}))
    return read_fluent_conf(data, "/etc/fluent.conf", around, problems), problems


def sections(text: str, **arguments: Any) -> tuple[Section, ...]:
    """The sections of a text that has to be right."""
    root, problems = read(text, **arguments)
    assert problems == [], problems
    return root.sections


def values(section: Section) -> dict[str, Any]:
    """The parameters of a section."""
    return {name: parameter.value for name, parameter in section.parameters.items()}


def built(text: str) -> tuple[Pipeline, list[Diagnostic]]:
    """A pipeline, and what is wrong with it."""
    root, problems = read(text)
    return build_pipeline(root, problems, hostname=HOST), problems


def pipeline(text: str) -> Pipeline:
    """A pipeline without errors."""
    found, problems = built(text)
    assert [one for one in problems if one.level is Level.ERROR] == []
    return found


def made(text: str) -> tuple[Filter | None, list[Diagnostic]]:
    """The filter whose ``<filter>`` has this text, and what is wrong with it."""
    root, problems = read(f"<filter **>\n{text}\n</filter>")
    return filter_of(SectionReader(root.sections[0], problems), HOST), problems


def filter_with(text: str) -> Filter:
    """A filter that has to be right."""
    found, problems = made(text)
    assert found is not None, problems
    return found


def batch(*records: dict[str, Any], tag: str = "app.web", time_ns: int = NOW_NS) -> Batch:
    """Events with these records."""
    return Batch(tag, tuple(Event(time_ns, record) for record in records))


def filtered(text: str, *records: dict[str, Any], tag: str = "app.web") -> list[dict[str, Any]]:
    """The records that a filter lets pass."""
    one = filter_with(text)
    found, _ = one.step(one.start(), batch(*records, tag=tag), NOW_MS)
    return [event.record for event in found.events]


def texts(problems: Sequence[Diagnostic]) -> list[str]:
    """What is wrong, with its line: ``3: message``."""
    return [f"{one.line}: {one.message}" for one in problems]

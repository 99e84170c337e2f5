"""Sections of a pipeline as tests write them."""

from typing import Any

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.formatters import Formatter, formatter_of
from eldonia_ops.pipeline.outputs import Output, output_of
from eldonia_ops.pipeline.parsers import Parser, parser_of
from eldonia_ops.pipeline.section import Parameter, Place, Section, SectionReader


def section(name: str, values: dict[str, Any] | None = None, *inner: Section, argument: str = "") -> Section:
    """A section with parameters; each is on a line of its own."""
    parameters = {
        key: Parameter(key, value, Place("fluent.conf", line))
        for line, (key, value) in enumerate((values or {}).items(), 2)
    }
    return Section(name, argument, parameters, inner, Place("fluent.conf", 1))


def parser(type: str, *inner: Section, **values: Any) -> Parser:
    """A parser that has to be right."""
    found, problems = read_parser(type, *inner, **values)
    assert not problems, problems
    assert found is not None
    return found


def read_parser(type: str, *inner: Section, **values: Any) -> tuple[Parser | None, list[Diagnostic]]:
    """A parser, and what is wrong with it."""
    problems: list[Diagnostic] = []
    reader = SectionReader(section("parse", {"@type": type, **values}, *inner), problems)
    found = parser_of(reader)
    reader.finish()
    return found, problems


def formatter(type: str, **values: Any) -> Formatter:
    """A formatter that has to be right."""
    problems: list[Diagnostic] = []
    reader = SectionReader(section("format", {"@type": type, **values}), problems)
    found = formatter_of(reader)
    reader.finish()
    assert not problems, problems
    assert found is not None
    return found


def read_output(type: str, *inner: Section, **values: Any) -> tuple[Output | None, list[Diagnostic]]:
    """An output, and what is wrong with it. ``at_id`` is ``@id``."""
    problems: list[Diagnostic] = []
    values = {name.replace("at_", "@", 1) if name.startswith("at_") else name: value for name, value in values.items()}
    found = output_of(SectionReader(section("match", {"@type": type, **values}, *inner, argument="**"), problems))
    return found, problems


def output(type: str, *inner: Section, **values: Any) -> Any:
    """An output that has to be right."""
    found, problems = read_output(type, *inner, **values)
    assert not [problem for problem in problems if problem.level == "error"], problems
    assert found is not None
    return found

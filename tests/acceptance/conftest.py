"""The product as its users run it: processes, files, HTTP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from programs import Program


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Makes programs that end with the test."""
    made: list[Program] = []

    def make(name: str, *arguments: str) -> Program:
        made.append(Program(name, tmp_path, *arguments))
        return made[-1]

    yield make
    for one in reversed(made):
        one.end()

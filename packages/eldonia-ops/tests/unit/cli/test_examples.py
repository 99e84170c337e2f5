"""Every command has examples, and every example is one that the command line takes."""

import shlex
from typing import Any

import pytest
import typer
from typer.main import get_command

from eldonia_ops.cli.examples import EXAMPLES, commands_of, plain_words
from eldonia_ops.cli.main import app


def test_every_command_has_examples_and_every_example_a_command():
    assert {name for name, _ in commands_of(app)} == set(EXAMPLES)


def parse(line: str) -> str:
    """Read a line as the command line does, without running it; the name of its command."""
    command: Any = get_command(app)
    words, context, name = shlex.split(line), None, []
    while hasattr(command, "commands"):
        context = command.make_context("eldonia-ops", words[:1], parent=context, resilient_parsing=True)
        found, command, words = command.resolve_command(context, words)
        name.append(found)
    command.make_context(name[-1], words, parent=context)
    return " ".join(filter(None, name))


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in EXAMPLES.items() for line in lines])
def test_an_example_can_be_typed(name, line):
    try:
        assert parse(line) == name
    except typer.BadParameter as error:
        pytest.fail(f"{line}: {error}")


def test_groups_and_the_whole_have_examples_of_what_is_below_them():
    command: Any = get_command(app)
    assert "eldonia-ops init" in command.epilog
    groups = [one for one in command.commands.values() if hasattr(one, "commands")]
    assert len(groups) > 8
    for group in groups:
        assert f"eldonia-ops {group.name} " in group.epilog, group.name


def test_a_bound_is_said_in_our_words():
    wrong = "Input should be greater than or equal to 1"
    assert plain_words(f"Invalid value for '--limit': {wrong}") == "Invalid value for '--limit': it must be at least 1"

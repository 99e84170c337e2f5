"""``eldonia-ops logs``: a search, unless the first word is a command of its own."""

from typing import Any, Final

import typer
from typer.core import TyperGroup

from eldonia_ops.cli.log_patterns import new, patterns
from eldonia_ops.cli.logs import logs

SEARCH: Final = "logs"


class SearchOrCommand(TyperGroup):
    """Commands beside a search: what is none of their names is the beginning of the search, or an option of it.

    A search for one of their names alone is written in quotes within quotes: ``logs '"new"'``.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the search in front of what is not a command."""
        return super().parse_args(ctx, _with_command(self, args))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of some words; the search is called as the group is."""
        name, command, rest = super().resolve_command(ctx, _with_command(self, args))
        return ("" if name == SEARCH else name), command, rest


def _with_command(group: TyperGroup, args: list[str]) -> list[str]:
    if args and args[0] in group.commands:
        return args
    return [SEARCH, *args]


app = typer.Typer(cls=SearchOrCommand, add_help_option=False)
app.command(SEARCH)(logs)
app.command()(patterns)
app.command()(new)

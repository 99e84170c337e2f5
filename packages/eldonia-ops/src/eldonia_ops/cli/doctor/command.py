"""``eldonia-ops doctor``: what is wrong, what it means, what to do."""

import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.text import Text

from eldonia_ops.cli.session import DEFAULT, AsJson, Token, Url, console, print_json

if TYPE_CHECKING:
    from eldonia_ops.cli.doctor.findings import Finding

_STYLES: Final = {"ERROR": "bold red", "WARNING": "yellow", "NOTE": "cyan", "OK": "green"}


def doctor(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings; default: those in this folder.")
    ] = None,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Leave out what is well.")] = False,
) -> None:
    """Look at machine, files and the running platform: what is wrong, what it means, what to do.

    Disk, clock, limits, permissions, versions, ports, settings, loops, reload, targets, receivers. Changes nothing.
    Exit code 0: no errors (warnings allowed). 1: errors.
    """
    from eldonia_ops.cli.doctor.findings import Gravity
    from eldonia_ops.cli.doctor.look import examine

    found = examine(config, url, token)
    if quiet:
        found = [one for one in found if one.gravity is not Gravity.OK]
    if as_json:
        print_json([{**asdict(one), "gravity": one.gravity.name.lower()} for one in found])
    else:
        _print(found)
    if any(one.gravity is Gravity.ERROR for one in found):
        raise typer.Exit(1)


def _print(found: "Sequence[Finding]") -> None:
    out = console()
    for one in found:
        name = one.gravity.name
        out.print(Text.assemble((f"{name.lower():8}", _STYLES[name]), f"{one.topic}: {one.what}"))
        for word, text in (("means", one.means), ("do", one.do)):
            if text:
                out.print(textwrap.indent("\n".join(textwrap.wrap(f"{word}: {text}", out.width - 10)), " " * 8))
    counts = {name: sum(one.gravity.name == name for one in found) for name in _STYLES}
    said = [f"{counts[name]} {word}{'' if counts[name] == 1 else 's'}" for name, word in _COUNTED if counts[name]]
    out.print(", ".join(said) or "nothing is wrong", style="bold")


_COUNTED: Final = (("ERROR", "error"), ("WARNING", "warning"), ("NOTE", "note"))

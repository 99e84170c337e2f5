"""``eldonia-ops init``: settings that fit this machine."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eldonia_ops.cli.screen import Screen, readable
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME

if TYPE_CHECKING:
    from eldonia_ops.discovery import Proposal
    from eldonia_ops.discovery.receiver import GivenReceiver


def init(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path(FILE_NAME),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Write without asking; an existing file stays.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --yes: replace an existing file, and keep it as FILE.old.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    receiver: Annotated[
        str,
        typer.Option(
            "--receiver",
            envvar="ELDONIA_OPS_RECEIVER",
            help="Who is notified: the address of a webhook (Slack, Teams, any), or a PagerDuty integration key.",
        ),
    ] = "",
) -> None:
    """Look at this machine and propose an eldonia-ops.yml: what runs, with the reason for every entry.

    Looks at listening ports, exporters, log files, nginx, PostgreSQL, Redis, Docker and systemd, for reading alone.
    What needs a password or a step of yours is a commented entry that names the step. Shows the file and asks before
    it writes, and asks for a receiver of alerts: its address is kept in a file of its own, for you alone. Exit code 0:
    written, or --dry-run. 1: not written.
    """
    from eldonia_ops.discovery import gather, propose, settings_text
    from eldonia_ops.discovery.receiver import ROUTING_FILE, SECRET_FILE, routing_text
    from eldonia_ops.settings import examine_settings

    err = Screen(stderr=True, soft_wrap=True)
    if not dry_run and yes and output.exists() and not force:
        hint = "--force replaces it and keeps the old one; --dry-run shows what would be written"
        raise ConfigError(Diagnostic("there is such a file already; it stays as it is", str(output), hint=hint))
    given = _read_receiver(receiver) if receiver else None
    err.print("looking at this machine …", style="dim")
    proposal = propose(asyncio.run(gather()))
    folder = Path(os.path.abspath(output)).parent
    routing = folder / ROUTING_FILE
    if given is None and not (dry_run or yes or routing.exists()) and sys.stdin.isatty():
        given = _asked_receiver(err)
    if given is not None and routing.exists() and not force and not dry_run:
        hint = "leave out --receiver and add the receiver there, or --force: the old file is kept beside it"
        raise ConfigError(Diagnostic("there is a routing already; it stays as it is", str(routing), hint=hint))
    text = settings_text(proposal, routed=given is not None or routing.exists(), language=_language(os.environ))
    _, found = examine_settings(text, Path(os.path.abspath(output)), os.environ)
    if wrong := [item for item in found if item.level is Level.ERROR]:
        raise ConfigError(wrong)
    sys.stdout.write(readable(text))
    sys.stdout.flush()
    err.print(_sum(proposal), style="bold")
    if dry_run:
        return
    if not yes and not _agreed(output):
        err.print("nothing was written")
        raise typer.Exit(1)
    if given is not None:
        _write(folder / SECRET_FILE, given.secret + "\n")
        _write(routing, routing_text(given))
        err.print(f"alerts go to {given.title}, by {routing.name}; try it: eldonia-ops receivers test team")
    _write(output, text)
    start = "eldonia-ops serve" if str(output) == FILE_NAME else f"eldonia-ops serve --config {output}"
    err.print(f"written to {output}; start with: {start}", style="green")


def _language(environment: Mapping[str, str]) -> str:
    """That of the terminal, where it is one of ours and not the default."""
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "ja" if locale.lower().startswith("ja") else ""


def _read_receiver(text: str) -> "GivenReceiver":
    from eldonia_ops.discovery.receiver import receiver_of

    try:
        return receiver_of(text)
    except ValueError as error:
        raise ConfigError(Diagnostic(f"--receiver: {error}")) from None


def _asked_receiver(err: Screen) -> "GivenReceiver | None":
    """The receiver that a person names; None when they name none."""
    from eldonia_ops.discovery.receiver import receiver_of

    question = "Who is notified? Address of a webhook (Slack, Teams, any) or PagerDuty key; Enter for none yet"
    while text := typer.prompt(question, default="", show_default=False, hide_input=True, err=True).strip():
        try:
            return receiver_of(text)
        except ValueError as error:
            err.print(str(error), style="red")
    return None


def _sum(proposal: "Proposal") -> str:
    counts = [
        f"{name} {sum(not entry.step for entry in entries)}" for name, entries in proposal.sections.items() if entries
    ]
    waiting = sum(bool(entry.step) for entries in proposal.sections.values() for entry in entries)
    later = f"; {waiting} wait for a step of yours" if waiting else ""
    return f"found: {', '.join(counts)}{later}"


def _agreed(output: Path) -> bool:
    """Whether a person wants the file written; without a terminal there is no one to ask."""
    if not sys.stdin.isatty():
        typer.echo("this is not a terminal: --yes writes without asking", err=True)
        return False
    question = f"Write {output}?"
    if output.exists():
        question = f"{output} exists. Replace it? (the old one is kept as {output.name}.old)"
    return typer.confirm(question, default=False, err=True)


def _write(output: Path, text: str) -> None:
    """Put the text in place in one step; what was there is kept beside it."""
    folder = Path(os.path.abspath(output)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=folder, prefix=f".{output.name}.", delete=False
        ) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if output.exists():
            os.replace(output, output.with_name(f"{output.name}.old"))
        os.replace(file.name, output)
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be written: {error.strerror}", str(output))) from None

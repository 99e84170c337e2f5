"""``eldonia-ops promql``: the query language by itself, without a platform."""

from pathlib import Path
from typing import Annotated

import typer

from eldonia_ops.cli.session import print_table
from eldonia_ops.model.errors import ConfigError, Diagnostic

app = typer.Typer(help="The query language, without a platform.", no_args_is_help=True)


@app.command("test")
def run_tests(
    files: Annotated[list[Path], typer.Argument(help="Files in Prometheus' promqltest format.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name every case that did not pass.")] = False,
) -> None:
    """Run PromQL test files; exit code 1 if a case fails."""
    from eldonia_ops.promql.testing import Outcome, run_file

    rows = []
    failed = 0
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(Diagnostic(f"cannot be read: {error}", str(file))) from None
        result = run_file(text, str(file))
        counts = {outcome: result.count(outcome) for outcome in Outcome}
        failed += counts[Outcome.FAILED]
        rows.append((file.name, counts[Outcome.PASSED], counts[Outcome.FAILED], counts[Outcome.UNSUPPORTED]))
        for case in result.cases if verbose else ():
            if case.outcome is not Outcome.PASSED:
                typer.echo(f"{file}:{case.line}: {case.outcome.value}: {case.command}: {case.detail}")
    print_table(("file", "passed", "failed", "unsupported"), rows, empty="No files.")
    if failed:
        raise typer.Exit(1)


@app.command("format")
def format_query(expression: str) -> None:
    """Print a query in canonical spelling, or say where it is wrong."""
    from eldonia_ops.promql import PromQLError, format_expr, parse

    try:
        typer.echo(format_expr(parse(expression)))
    except PromQLError as error:
        marker = " " * max(error.position, 0) + "^"
        typer.echo(f"{error}\n  {expression}\n  {marker}", err=True)
        raise typer.Exit(1) from None

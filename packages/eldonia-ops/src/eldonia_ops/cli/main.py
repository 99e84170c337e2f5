"""The command line: ``eldonia-ops COMMAND``.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration.

Commands import what only they need when they run: the platform's own packages take longer to load than most answers
take to come.
"""

import sys
from typing import Annotated

import typer

from eldonia_ops import __version__
from eldonia_ops.cli import acting, config, promql, reading, serving
from eldonia_ops.cli.client import ApiError, MalformedAnswerError, answers_expected
from eldonia_ops.cli.demo.command import demo
from eldonia_ops.cli.screen import Screen
from eldonia_ops.model.errors import ConfigError, StoreError

app = typer.Typer(
    help="Metrics, logs, traces, alerts, incidents and automatic recovery in one process.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(serving.serve)
app.command()(demo)
app.command()(serving.check)
for command in (reading.query, reading.logs, reading.traces, reading.alerts, reading.targets, reading.slo):
    app.command()(command)
app.add_typer(acting.incidents, name="incidents")
app.add_typer(acting.silence, name="silence")
app.add_typer(acting.security, name="security")
app.add_typer(acting.recovery, name="recovery")
app.add_typer(acting.token_app, name="token")
app.add_typer(promql.app, name="promql")
app.add_typer(config.app, name="config")


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(f"eldonia-ops {__version__}")
        raise typer.Exit


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"eldonia-ops {__version__}")


def main() -> None:
    """Run the command line; faults that people can mend are said in a sentence, without a traceback."""
    err = Screen(stderr=True, soft_wrap=True)
    try:
        with answers_expected():
            app()
    except ConfigError as error:
        from eldonia_ops.lint import format_report

        err.print(format_report(error.diagnostics))
        sys.exit(2)
    except ApiError as error:
        err.print(f"error: {error}" + (f" ({error.hint})" if error.hint else ""), style="red")
        # What the platform refuses is an answer; not reaching it, a wrong token or a request that it cannot
        # understand is wrong usage.
        sys.exit(1 if error.status not in (0, 400, 401, 403, 422) else 2)
    except StoreError as error:
        err.print(f"error: {error}", style="red")
        sys.exit(2)
    except MalformedAnswerError as error:
        err.print(f"error: {error}", style="red")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

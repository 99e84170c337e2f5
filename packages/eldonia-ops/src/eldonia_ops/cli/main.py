"""The command line: ``eldonia-ops COMMAND``.

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or configuration.

Commands import what only they need when they run: the platform's own packages take longer to load than most answers
take to come.
"""

import sys
from typing import Annotated, Any

import typer

from eldonia_ops import __version__
from eldonia_ops.cli import (
    accounts,
    alertmanager,
    changes,
    config,
    configuration,
    dashboards,
    erasures,
    incidents,
    log_commands,
    log_metrics,
    log_retention,
    pipeline,
    promql,
    receivers,
    recovery,
    searches,
    security,
    silences,
    tokens,
)
from eldonia_ops.cli.alerts import alerts
from eldonia_ops.cli.audit import audit
from eldonia_ops.cli.backup import backup, restore
from eldonia_ops.cli.check import check
from eldonia_ops.cli.client import ApiError, MalformedAnswerError, answers_expected
from eldonia_ops.cli.demo.command import demo
from eldonia_ops.cli.doctor.command import doctor
from eldonia_ops.cli.examples import add_examples, plain_words
from eldonia_ops.cli.init import init
from eldonia_ops.cli.objectives import slo
from eldonia_ops.cli.query import query
from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.serve import serve
from eldonia_ops.cli.service.command import install_service, uninstall_service
from eldonia_ops.cli.support_bundle import support_bundle
from eldonia_ops.cli.targets import targets
from eldonia_ops.cli.traces import traces
from eldonia_ops.model.errors import ConfigError, StoreError

app = typer.Typer(
    help="Metrics, logs, traces, alerts, incidents and automatic recovery in one process.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(init)
app.command()(serve)
app.command()(demo)
app.command()(check)
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.command()(support_bundle)
app.command()(install_service)
app.command()(uninstall_service)
app.command()(configuration.reload)
app.command()(alertmanager.alertmanager)
for command in (query, traces, alerts, targets, slo, audit):
    app.command()(command)
app.add_typer(log_commands.app, name="logs", help="Search logs, show their patterns, and what is new in them.")
app.add_typer(incidents.app, name="incidents")
app.add_typer(searches.app, name="searches")
app.add_typer(log_metrics.app, name="log-metrics")
app.add_typer(log_retention.app, name="log-retention")
app.add_typer(erasures.app, name="erasures")
app.add_typer(changes.app, name="changes")
app.add_typer(silences.app, name="silence")
app.add_typer(dashboards.app, name="dashboards")
app.add_typer(receivers.app, name="receivers")
app.add_typer(security.app, name="security")
app.add_typer(recovery.app, name="recovery")
app.add_typer(accounts.app, name="accounts")
app.add_typer(tokens.app, name="token")
app.add_typer(pipeline.app, name="pipeline")
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


add_examples(app)

_UsageFault: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What the reader of arguments raises; its errors are said in our words."""


def _run() -> None:
    try:
        code = app(standalone_mode=False)
    except _UsageFault as error:
        fault: Any = error
        fault.message = plain_words(str(fault.message))
        fault.show()
        sys.exit(fault.exit_code)
    except typer.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def main() -> None:
    """Run the command line; faults that people can mend are said in a sentence, without a traceback."""
    err = Screen(stderr=True, soft_wrap=True)
    try:
        with answers_expected():
            _run()
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

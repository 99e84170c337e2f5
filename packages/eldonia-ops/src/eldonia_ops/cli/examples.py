"""Examples for the end of every ``--help``, and errors about arguments in our words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import typer

EXAMPLES: Final[Mapping[str, tuple[str, ...]]] = {
    "init": (
        "init",
        "init --dry-run",
        "init --yes --output /etc/eldonia-ops/eldonia-ops.yml",
        "init --yes --receiver https://hooks.slack.com/services/T000/B000/XXXX",
    ),
    "serve": (
        "serve",
        "serve --config ops.yml",
        "serve --data ./data --listen 127.0.0.1:9700",
        "serve --prometheus.config.file prometheus.yml --alertmanager.config.file alertmanager.yml",
    ),
    "demo": ("demo", "demo --once --kill"),
    "check": ("check", "check --strict", "check rules/ alertmanager.yml", "check prometheus.yml"),
    "doctor": ("doctor", "doctor --quiet", "doctor --json"),
    "backup": ("backup ops.tar", "backup /var/backups/ops.tar --force"),
    "restore": ("restore ops.tar", "restore ops.tar --data ./data", "restore ops.tar --force"),
    "support-bundle": ("support-bundle", "support-bundle ops-support.tar.gz"),
    "install-service": ("install-service --dry-run", "install-service"),
    "uninstall-service": ("uninstall-service --dry-run", "uninstall-service"),
    "reload": ("reload",),
    "alertmanager": (
        "alertmanager --config.file alertmanager.yml",
        "alertmanager --web.listen-address 127.0.0.1:9094 --storage.path /tmp/am",
    ),
    "query": (
        "query up",
        "query 'sum by (status) (rate(http_requests_total[5m]))' --start 1h --step 1m",
        "query up --json",
    ),
    "logs": (
        "logs '\"payment failed\" level:error' --follow",
        "logs 'user_id:alice level>=warn -path:/health' --since 'last tuesday' --until 'last tuesday'",
        "logs --where user.id=42 --json",
    ),
    "traces": ("traces --service shop --errors", "traces --min-duration 500ms --since 7d"),
    "alerts": ("alerts", "alerts --why HighErrorRate"),
    "targets": ("targets", "targets --json"),
    "slo": ("slo",),
    "version": ("version",),
    "incidents list": ("incidents list", "incidents list --json"),
    "incidents show": ("incidents show INC-2",),
    "incidents ack": ("incidents ack INC-2",),
    "incidents assign": ("incidents assign INC-2 mika",),
    "incidents status": ("incidents status INC-2 investigating --note 'disk is full'",),
    "incidents tick": ("incidents tick INC-2 restart", "incidents tick INC-2 restart --undo"),
    "incidents note": ("incidents note INC-2 'called the vendor'",),
    "incidents open": ("incidents open 'oven is cold' --service bakery --severity high",),
    "incidents postmortem": (
        "incidents postmortem INC-2 --lang ja -o postmortem.md",
        "incidents postmortem INC-2 --edit",
    ),
    "incidents metrics": ("incidents metrics --since 30d",),
    "changes list": ("changes list", "changes list --since yesterday --service bakery"),
    "changes add": (
        "changes add 'bakery 2.4.1' --service bakery --version 2.4.1",
        "changes add 'new firewall rules' --kind configuration --at -10m",
    ),
    "changes delete": ("changes delete 3f2a9c",),
    "receivers list": ("receivers list",),
    "receivers test": ("receivers test pager-duty-critical",),
    "receivers route": ("receivers route alertname=DiskFull severity=critical",),
    "silence list": ("silence list",),
    "silence add": ("silence add service=bakery --for 2h --comment 'oven replaced'",),
    "silence expire": ("silence expire 3f2a",),
    "security list": ("security list",),
    "security status": ("security status 12 resolved --note 'our own scan'",),
    "security report": ("security report --since 7d",),
    "recovery status": ("recovery status",),
    "recovery maintenance": ("recovery maintenance bakery on",),
    "recovery reset": ("recovery reset bakery",),
    "token list": ("token list",),
    "token create": ("token create bakery --role ingest", "token create grafana --role viewer --expires 90d"),
    "token first": ("token first --data /data",),
    "token revoke": ("token revoke 4",),
    "promql test": ("promql test queries.test", "promql test --verbose queries.test"),
    "promql format": ("promql format 'sum(rate(a[5m]))by(b)'",),
    "config show": ("config show", "config show --config ops.yml"),
    "config schema": ("config schema",),
}


def add_examples(app: typer.Typer) -> None:
    """Put the examples of each command below its help."""
    for name, info in commands_of(app):
        if lines := EXAMPLES.get(name):
            # \b keeps the reader of arguments from joining the lines.
            info.epilog = "\b\nExamples:\n" + "\n".join(f"  eldonia-ops {line}" for line in lines)


def commands_of(app: typer.Typer, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its whole name."""
    for info in app.registered_commands:
        name = info.name or (info.callback.__name__ if info.callback else "")
        yield f"{above}{name.replace('_', '-')}", info
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands_of(group.typer_instance, f"{above}{group.name} ")


_WORDS: Final = (
    (re.compile(r"Input should be greater than or equal to "), "it must be at least "),
    (re.compile(r"Input should be less than or equal to "), "it must be at most "),
    (re.compile(r"Input should be greater than "), "it must be more than "),
    (re.compile(r"Input should be less than "), "it must be less than "),
    (re.compile(r"Input should be a valid integer[^.;]{0,100}"), "it must be a whole number"),
    (re.compile(r"Input should be a valid number[^.;]{0,100}"), "it must be a number"),
    (re.compile(r"Input should be "), "it must be "),
)


def plain_words(message: str) -> str:
    """An error about an argument without the words of the library that reads them."""
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    return message

"""Examples for the end of every ``--help``, and errors about arguments in our words."""

from collections.abc import Iterable, Iterator, Mapping
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
        "query 'rate(http_requests_total[5m])' --at 2h",
        "query 'sum by (status) (rate(http_requests_total[5m]))' --start 1h --step 1m",
        "query up --json",
    ),
    "logs": (
        "logs '\"payment failed\" level:error' --follow",
        "logs 'user_id:alice level>=warn -path:/health' --since 'last tuesday' --until 'last tuesday'",
        "logs 'error | stats count(), p95(duration) as p by service | where p>100 | sort -p'",
        "logs --where user.id=42 --json",
        "logs 'level:error' --since 7d --format csv",
    ),
    "logs patterns": ("logs patterns", "logs patterns 'level>=warn service:shop' --since 7d"),
    "logs new": (
        "logs new --since-deploy",
        "logs new --incident INC-2",
        "logs new 'level>=warn' --range 09:00..09:30 --against 08:00..09:00",
    ),
    "searches list": ("searches list", "searches list --json"),
    "searches save": (
        "searches save slow '* | stats p95(duration) as p by service | sort -p'",
        "searches save errors level:error --column user_id",
    ),
    "searches run": ("searches run slow --since 7d", "searches run errors --format ndjson"),
    "searches delete": ("searches delete slow",),
    "log-metrics list": ("log-metrics list", "log-metrics list --json"),
    "log-metrics preview": (
        "log-metrics preview 'service:checkout level:error' --label operation --since 24h",
        "log-metrics preview 'service:checkout' --value performance.duration --name checkout_seconds",
    ),
    "log-retention list": ("log-retention list", "log-retention list --json"),
    "log-retention apply": ("log-retention apply", "log-retention apply --yes"),
    "erasures preview": ("erasures preview user_id:alice",),
    "erasures run": (
        "erasures run user_id:alice --reason 'request 4711'",
        "erasures run user_id:alice --yes --no-wait",
    ),
    "erasures list": ("erasures list",),
    "erasures show": ("erasures show 0f3a9c5d1e2b4a67",),
    "traces": ("traces --service shop --errors", "traces --min-duration 500ms --since 7d"),
    "alerts": ("alerts", "alerts --why HighErrorRate"),
    "targets": ("targets", "targets --json"),
    "slo": ("slo",),
    "audit": ("audit", "audit --since yesterday --actor mika", "audit --subject INC-2 --json"),
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
    "dashboards list": ("dashboards list", "dashboards list node --folder Infrastructure"),
    "dashboards show": ("dashboards show host",),
    "dashboards export": (
        "dashboards export host -o host.yml",
        "dashboards export checkout --format grafana -o checkout.json",
    ),
    "dashboards import": (
        "dashboards import node-exporter-full.json --dry-run",
        "dashboards import node-exporter-full.json --folder Linux",
    ),
    "dashboards check": ("dashboards check dashboards/", "dashboards check node-exporter-full.json --lang ja"),
    "dashboards versions": ("dashboards versions checkout",),
    "dashboards diff": ("dashboards diff checkout", "dashboards diff checkout --from 3 --to 5"),
    "dashboards restore": ("dashboards restore checkout 3",),
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
    "accounts list": ("accounts list",),
    "accounts create": (
        "accounts create hana --role admin",
        "accounts create hana --role admin --offline --data ./data",
    ),
    "accounts invite": ("accounts invite ken --role responder", "accounts invite ken"),
    "accounts set-role": ("accounts set-role ken admin",),
    "accounts disable": ("accounts disable ken",),
    "accounts enable": ("accounts enable ken",),
    "accounts reset-password": ("accounts reset-password ken",),
    "accounts delete": ("accounts delete kenn",),
    "accounts sessions": ("accounts sessions", "accounts sessions ken --end all"),
    "token list": ("token list",),
    "token create": ("token create bakery --role ingest", "token create laptop --owner hana --expires 90d"),
    "token first": ("token first --data /data",),
    "token revoke": ("token revoke 4",),
    "pipeline check": ("pipeline check fluent.conf", "pipeline check --strict"),
    "pipeline explain": ("pipeline explain app.web.access --file fluent.conf", "pipeline explain app.web --json"),
    "pipeline run": (
        "pipeline run /var/log/app/web.log --file fluent.conf",
        "pipeline run - --source 2 --lines 20",
    ),
    "promql test": ("promql test queries.test", "promql test --verbose queries.test"),
    "promql format": ("promql format 'sum(rate(a[5m]))by(b)'",),
    "config show": ("config show", "config show --config ops.yml"),
    "config schema": ("config schema",),
}


_FIRST: Final = (
    "demo --once",
    "init",
    "serve",
    "alerts",
    "logs 'level>=error' --since 1h",
    "receivers test team",
)
"""What somebody tries who has just installed it."""
_MOST_OF_A_GROUP: Final = 4


def add_examples(app: typer.Typer) -> None:
    """Put the examples of each command below its help, and some of a group's commands below that of the group."""
    of_groups: dict[str, list[str]] = {}
    for name, info in commands_of(app):
        if lines := EXAMPLES.get(name):
            info.epilog = _epilog(lines)
            of_groups.setdefault(name.rpartition(" ")[0], []).append(lines[0])
    for group in app.registered_groups:
        if lines := of_groups.get(group.name or ""):
            group.epilog = _epilog(lines[:_MOST_OF_A_GROUP])
    app.info.epilog = _epilog(_FIRST)


def _epilog(lines: Iterable[str]) -> str:
    # \b keeps the reader of arguments from joining the lines.
    return "\b\nExamples:\n" + "\n".join(f"  eldonia-ops {line}" for line in lines)


def commands_of(app: typer.Typer, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command with its whole name."""
    for info in app.registered_commands:
        name = info.name or (info.callback.__name__ if info.callback else "")
        # A command that is called as its group is what that does without one.
        yield above.strip() if f"{name} " == above else f"{above}{name.replace('_', '-')}", info
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from commands_of(group.typer_instance, f"{above}{group.name} ")


_WORDS: Final = (
    ("Input should be greater than or equal to ", "it must be at least "),
    ("Input should be less than or equal to ", "it must be at most "),
    ("Input should be greater than ", "it must be more than "),
    ("Input should be less than ", "it must be less than "),
    ("Input should be a valid integer, unable to parse string as an integer", "it must be a whole number"),
    ("Input should be a valid integer", "it must be a whole number"),
    ("Input should be a valid number, unable to parse string as a number", "it must be a number"),
    ("Input should be a valid number", "it must be a number"),
    ("Input should be ", "it must be "),
)


def plain_words(message: str) -> str:
    """An error about an argument without the words of the library that reads them."""
    for theirs, words in _WORDS:
        message = message.replace(theirs, words)
    return message

"""Everything that eldonia-ops.yml can say."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.errors import Level
from eldonia_ops.model.places import default_data
from eldonia_ops.model.secret import Secret
from eldonia_ops.settings.collectors import CollectorSections
from eldonia_ops.settings.containers import Items, Section
from eldonia_ops.settings.dashboards import DashboardSettings
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.elasticsearch import ElasticsearchSettings
from eldonia_ops.settings.incidents import IncidentSettings
from eldonia_ops.settings.kinds import Choice, Clean, Flag, Kind, Period, Size, Whole, any_of
from eldonia_ops.settings.listen import Listen, parse_listen
from eldonia_ops.settings.listeners import Listeners, ListenerSettings
from eldonia_ops.settings.log_metrics import LogMetricSettings, check_log_metric
from eldonia_ops.settings.log_retention import LogRetentionRule, check_log_retention
from eldonia_ops.settings.managed import NO_PARTS, Parts
from eldonia_ops.settings.noticing import (
    AlertmanagerSettings,
    ObjectiveSettings,
    RuleSettings,
    SecuritySettings,
    check_objective,
)
from eldonia_ops.settings.pipeline import PipelineSettings
from eldonia_ops.settings.reader import SettingsReader, is_url
from eldonia_ops.settings.recovery import RecoverySettings, check_recovery
from eldonia_ops.settings.services import ServiceSettings, check_services
from eldonia_ops.settings.sign_on import Networks, SignOnSettings, check_sign_on
from eldonia_ops.settings.span_metrics import SpanMetricSettings
from eldonia_ops.settings.texts import FilePath, SecretText, Text, Url
from eldonia_ops.settings.tls import TlsSettings, check_tls
from eldonia_ops.settings.units import DAY, HOUR, KIB, MIB, MINUTE, SECOND

LANGUAGES: Final = ("en", "ja")
TABLES: Final = ("single", "replicated", "distributed")
MAX_INSTANCE: Final = 1_023
_CLUSTER_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_DEFAULT_LISTEN: Final = Listen("127.0.0.1", 9600)
_EMBEDDED: Final = Secret("chdb")
_NO_SECRET: Final = Secret("")


@dataclass(frozen=True, slots=True)
class Address(Kind):
    """An address to listen on."""

    @property
    def words(self) -> str:
        """The kind in words."""
        return "`host:port`"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """The address."""
        text = reader.string(key, str(default))
        try:
            return parse_listen(text)
        except ValueError as error:
            reader.fault(key, f"{key} is not an address", str(error))
            return default

    def schema(self) -> dict[str, Any]:
        """A text that ends with a port, or the port."""
        return any_of({"type": "string", "pattern": r"\d\s*$"}, {"type": "integer", "minimum": 0, "maximum": 65_535})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The address as a text."""
        return str(value)


@dataclass(frozen=True, slots=True)
class DataFolder(FilePath):
    """The folder of everything that is stored; the user's own data folder without one."""

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """An absolute path."""
        return reader.absolute(key) or default_data(reader.around.env, reader.around.home)


@dataclass(frozen=True, slots=True)
class StateUrl(SecretText):
    """Where state is: a file of SQLite, which lies in the data folder unless set otherwise, or a PostgreSQL."""

    what: str = "`sqlite`, `sqlite:///path` or URL of a PostgreSQL, a secret"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """A URL."""
        text = reader.secret(key).reveal()
        if text in ("", "sqlite"):
            return sqlite_state(reader.values["data"])
        if text.startswith("sqlite:///"):
            return Secret(f"sqlite:///{reader.around.path(text.removeprefix('sqlite:///'))}")
        if not text.startswith(("postgresql://", "postgres://")):
            hint = "write sqlite, sqlite:///path or postgresql://user:password@host/database"
            reader.fault(key, f"{key} is neither sqlite nor the URL of a PostgreSQL", hint)
            return sqlite_state(reader.values["data"])
        return Secret("postgresql://" + text.partition("://")[2])

    def schema(self) -> dict[str, Any]:
        """One of the three."""
        return any_of({"enum": ["", "sqlite"]}, {"type": "string", "pattern": "^(sqlite:///|postgres(ql)?://)"})

    def plain(self, value: Any, clean: Clean) -> Any:
        """The path of a file, which is no secret; else ``<secret>``."""
        return value.reveal() if value.reveal().startswith("sqlite:///") else str(value)


@dataclass(frozen=True, slots=True)
class TelemetryUrl(SecretText):
    """Where telemetry is: in this process, or in a ClickHouse server."""

    what: str = "`chdb` or URL of a ClickHouse, a secret"

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """``chdb`` or a URL."""
        found = reader.secret(key)
        text = found.reveal()
        if text in ("", "chdb"):
            return _EMBEDDED
        if not is_url(text):
            hint = "write chdb or http://user:password@host:8123/database"
            reader.fault(key, f"{key} is neither chdb nor the HTTP URL of a ClickHouse", hint)
            return _EMBEDDED
        return found

    def schema(self) -> dict[str, Any]:
        """One of the two."""
        return any_of({"enum": ["", "chdb"]}, {"type": "string", "pattern": "^https?://"})

    def plain(self, value: Any, clean: Clean) -> Any:
        """``chdb``, else ``<secret>``."""
        return value.reveal() if value == _EMBEDDED else str(value)


@dataclass(frozen=True, slots=True)
class SignalUrl(TelemetryUrl):
    """Where one signal is kept; empty for the place of all telemetry."""

    def read(self, reader: SettingsReader, key: str, default: Any, required: bool) -> Any:
        """Empty, ``chdb`` or a URL."""
        return TelemetryUrl.read(self, reader, key, default, required) if reader.secret(key).reveal() else _NO_SECRET

    def plain(self, value: Any, clean: Clean) -> Any:
        """Empty, ``chdb``, else ``<secret>``."""
        return value.reveal() if value in (_NO_SECRET, _EMBEDDED) else str(value)


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where each signal is kept, when not all are where ``telemetry`` says; empty means there.

    Each is ``chdb`` or the URL of a ClickHouse server. Signals with the same address share one engine.
    ``tables`` and ``cluster`` say how the tables of a server are made.
    """

    logs_dsn: Annotated[Secret, Setting(SignalUrl(), "Logs. Empty: where `telemetry` says.")] = _NO_SECRET
    metrics_dsn: Annotated[Secret, Setting(SignalUrl(), "Metrics.")] = _NO_SECRET
    traces_dsn: Annotated[Secret, Setting(SignalUrl(), "Traces.")] = _NO_SECRET
    tables: Annotated[
        str,
        Setting(
            Choice(TABLES),
            "Of a server. `replicated` needs ClickHouse Keeper and the macros `shard` and `replica`; `distributed` is "
            "over the shards of a cluster, each of them replicated. Decides how tables are made; tables that exist are "
            "not changed.",
        ),
    ] = "single"
    cluster: Annotated[
        str,
        Setting(
            Text(),
            "The cluster's name in the servers' configuration. `distributed` needs it; with `replicated` it makes the "
            "tables on every node.",
        ),
    ] = ""
    instance: Annotated[
        int,
        Setting(
            Whole(minimum=0, maximum=MAX_INSTANCE),
            "Another number for each platform that writes to the same tables. It is a part of every record's id.",
        ),
    ] = 0


def check_storage(reader: SettingsReader, found: StorageSettings) -> None:
    """Tables and cluster have to fit together."""
    if found.cluster and not _CLUSTER_NAME.fullmatch(found.cluster):
        reader.fault("cluster", "storage.cluster has other characters than letters, digits and _.-")
    elif found.tables == "distributed" and not found.cluster:
        reader.fault("tables", "distributed tables need the name of their cluster", "write storage.cluster")
    elif found.tables == "single" and found.cluster:
        reader.fault("cluster", "the tables of a single server have no cluster", "write tables: replicated")


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in ms. ``head`` is the span of samples held in memory for rules and dashboards."""

    logs: Annotated[int, Setting(Period(minimum=MINUTE), "Telemetry is kept in whole days, at least one.")] = 30 * DAY
    traces: Annotated[int, Setting(Period(minimum=MINUTE), "Spans.")] = 7 * DAY
    metrics: Annotated[
        int, Setting(Period(minimum=MINUTE), "Label sets are kept a week longer than their last sample.")
    ] = 30 * DAY
    head: Annotated[
        int,
        Setting(
            Period(minimum=MINUTE), "Samples in memory, for rules and dashboards; also refilled from disk at a start."
        ),
    ] = 3 * HOUR
    state: Annotated[
        int,
        Setting(
            Period(minimum=MINUTE), "What is finished: delivered messages, decisions, timelines of closed incidents."
        ),
    ] = 400 * DAY
    log_rules: Annotated[
        tuple[LogRetentionRule, ...],
        Setting(
            Items(LogRetentionRule, "name", "rules", check_log_retention),
            "What of the logs goes sooner. See [retention of logs](log-retention.md).",
        ),
    ] = ()


def check_retention(reader: SettingsReader, found: Retention) -> None:
    """Say what is rounded up: telemetry expires by days."""
    for name in ("logs", "traces", "metrics"):
        value = getattr(found, name)
        if reader.get(name) is not None and value % DAY:
            message = f"retention.{name} is kept in whole days: this one becomes {-(-value // DAY)}d"
            reader.problems.add(reader.get(name), message, "write whole days, such as 1d", Level.WARNING)
    for one, rule in zip(reader.list_of("log_rules"), found.log_rules, strict=True):
        if rule.keep >= found.logs + DAY:
            message = f"the rule {rule.name} never deletes: retention.logs is {format_duration(found.logs)}"
            one.problems.add(one.get("keep"), message, "let retention.logs be longer, and a rule delete the rest")


_LARGEST_REQUEST: Final = 128 * MIB
"""A request is one record of the write-ahead log, which takes 256 MiB at most."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Bounds on what comes from outside."""

    request: Annotated[int, Setting(Size(_LARGEST_REQUEST), "Largest body of an ingest request, as sent.")] = 16 * MIB
    request_expanded: Annotated[
        int, Setting(Size(_LARGEST_REQUEST), "Largest body of an ingest request, unpacked.")
    ] = 32 * MIB
    series: Annotated[int, Setting(Whole(1, 100_000_000), "Series that are live at once.")] = 200_000
    scrape_samples: Annotated[int, Setting(Whole(1, 10_000_000), "Samples of one scrape.")] = 50_000
    labels: Annotated[int, Setting(Whole(1, 1_000), "Labels of one series.")] = 64
    label_value: Annotated[int, Setting(Whole(1, 1_000_000), "Characters of one label value.")] = 2048
    log_line: Annotated[
        int, Setting(Size(16 * MIB), "Longest log line; the rest of a longer one is cut off and marked.")
    ] = 256 * KIB
    query_samples: Annotated[
        int,
        Setting(Whole(1, 10_000_000_000), "Samples that one query may load, as Prometheus' `--query.max-samples`."),
    ] = 50_000_000
    query_timeout: Annotated[
        int, Setting(Period(minimum=SECOND), "Time of one query, its wait for a turn included.")
    ] = 30 * SECOND
    query_concurrency: Annotated[int, Setting(Whole(1, 64), "Queries of people that run at once.")] = 4
    posted_alerts: Annotated[
        int, Setting(Whole(1, 1_000_000), "Posted alerts that are active at once; as many urgent ones come on top.")
    ] = 50_000
    posted_alerts_token: Annotated[
        int, Setting(Whole(1, 1_000_000), "Posted alerts of one token that are active at once.")
    ] = 30_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that eldonia-ops.yml can say.

    ``state`` is a URL. ``telemetry`` is ``chdb`` or the URL of a ClickHouse server; ``storage`` names another
    for one signal. ``collectors`` has what each collector read from its section, by its key; one whose section
    is missing or says nothing new is not in it. ``file`` is where this was read from, None for the defaults alone.
    ``concealed`` is what messages about the settings may not show; ``parts`` is what the managed file holds beside
    settings, and where every entry is written.
    """

    data: Annotated[
        Path,
        Setting(
            DataFolder(),
            "Without it `~/.local/share/eldonia-ops` (after `XDG_DATA_HOME`); for root `/var/lib/eldonia-ops`.",
            required=False,
            default="",
        ),
    ]
    state: Annotated[
        Secret,
        Setting(
            StateUrl(),
            "Alerts, incidents, notifications, tokens. A PostgreSQL holds UTF-8 and needs the extra `postgresql`.",
            required=False,
            default="sqlite",
        ),
    ]
    file: Path | None = None
    listen: Annotated[
        Listen,
        Setting(Address(), "Pages and every interface. Beyond loopback only once there is a token or an account."),
    ] = _DEFAULT_LISTEN
    listeners: Annotated[
        Mapping[str, ListenerSettings],
        Setting(Listeners(), "Further listeners on the usual ports of other tools; none is open unless it is named."),
    ] = field(default_factory=dict)
    telemetry: Annotated[
        Secret, Setting(TelemetryUrl(), "Logs, metrics and traces. The database of a ClickHouse must exist.")
    ] = _EMBEDDED
    storage: Annotated[
        StorageSettings,
        Setting(Section(StorageSettings, check_storage), "Signals that are kept elsewhere than `telemetry` says."),
    ] = field(default_factory=StorageSettings)
    language: Annotated[str, Setting(Choice(LANGUAGES), "Of messages and reports. Pages follow the browser.")] = "en"
    external_url: Annotated[
        str,
        Setting(
            Url(bare=True),
            "How people reach the pages; for links in messages, and for `Secure` cookies when it is https.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            Networks(),
            "Where proxies in front connect from. From there, and only from there, `X-Forwarded-For` says who the "
            "client is: for the throttle of sign-ins, lists of sessions, and security events.",
        ),
    ] = ()
    sign_on: Annotated[
        SignOnSettings,
        Setting(Section(SignOnSettings, check_sign_on), "How people sign in. Passwords and tokens need none of it."),
    ] = field(default_factory=SignOnSettings)
    retention: Annotated[Retention, Setting(Section(Retention, check_retention), "How long things are kept.")] = field(
        default_factory=Retention
    )
    collectors: Annotated[
        Mapping[str, Any], Setting(CollectorSections(), "What collectors read, by the keys of their sections.")
    ] = field(default_factory=dict)
    rules: Annotated[RuleSettings, Setting(Section(RuleSettings), "Recording and alerting rules.")] = field(
        default_factory=RuleSettings
    )
    dashboards: Annotated[DashboardSettings, Setting(Section(DashboardSettings), "Dashboards from files.")] = field(
        default_factory=DashboardSettings
    )
    alertmanager: Annotated[AlertmanagerSettings, Setting(Section(AlertmanagerSettings), "Routing.")] = field(
        default_factory=AlertmanagerSettings
    )
    objectives: Annotated[
        tuple[ObjectiveSettings, ...],
        Setting(Items(ObjectiveSettings, "name", "objectives", check_objective), "Service-level objectives."),
    ] = ()
    span_metrics: Annotated[
        SpanMetricSettings, Setting(Section(SpanMetricSettings), "Metrics that are made of spans.")
    ] = field(default_factory=SpanMetricSettings)
    log_metrics: Annotated[
        tuple[LogMetricSettings, ...],
        Setting(
            Items(LogMetricSettings, "name", "metrics", check_log_metric),
            "Counters, gauges and histograms that are made of [log records](log-metrics.md) as they come in.",
        ),
    ] = ()
    elasticsearch: Annotated[ElasticsearchSettings, Setting(Section(ElasticsearchSettings), "Elasticsearch's API.")] = (
        field(default_factory=ElasticsearchSettings)
    )
    services: Annotated[
        tuple[ServiceSettings, ...],
        Setting(
            Items(ServiceSettings, "name", "services", check_all=check_services), "Services, and what they depend on."
        ),
    ] = ()
    security: Annotated[SecuritySettings, Setting(Section(SecuritySettings), "Detection of attacks.")] = field(
        default_factory=SecuritySettings
    )
    incidents: Annotated[IncidentSettings, Setting(Section(IncidentSettings), "How incidents are handled.")] = field(
        default_factory=IncidentSettings
    )
    recovery: Annotated[
        tuple[RecoverySettings, ...],
        Setting(
            Items(RecoverySettings, "service", "recovery policies", check_recovery), "Services that may be restarted."
        ),
    ] = ()
    pipeline: Annotated[
        PipelineSettings, Setting(Section(PipelineSettings), "The [log pipeline](pipeline.md), as Fluentd has it.")
    ] = field(default_factory=PipelineSettings)
    limits: Annotated[LimitSettings, Setting(Section(LimitSettings), "Bounds on what comes from outside.")] = field(
        default_factory=LimitSettings
    )
    tls: Annotated[
        TlsSettings, Setting(Section(TlsSettings, check_tls), "TLS of the main listener; without it plain HTTP.")
    ] = field(default_factory=TlsSettings)
    managed: Annotated[
        bool,
        Setting(
            Flag(),
            "Whether pages and API may change what is watched and who is notified, in `eldonia-ops.managed.yml` in the "
            "data folder. `false`: this file alone counts.",
        ),
    ] = True
    concealed: Concealed = field(default_factory=Concealed, compare=False, repr=False)
    parts: Parts = field(default=NO_PARTS, compare=False, repr=False)

    def with_data(self, data: Path) -> "Settings":
        """The same with another data folder (``--data``); a SQLite state that lay in the old one moves along."""
        moved = self.state == sqlite_state(self.data)
        return replace(self, data=data, state=sqlite_state(data) if moved else self.state)

    @property
    def address(self) -> str:
        """The address by which people reach the pages."""
        if self.external_url or not self.tls.enabled:
            return self.external_url or f"http://{self.listen}"
        names = self.tls.acme.domains
        return f"https://{names[0]}:{self.listen.port}" if names else f"https://{self.listen}"

    def telemetry_addresses(self) -> tuple[str, str, str]:
        """Where logs, metrics and traces are kept: ``chdb`` or a URL with its password."""
        of = self.storage
        logs, metrics, traces = (
            (own.reveal() or self.telemetry.reveal()) for own in (of.logs_dsn, of.metrics_dsn, of.traces_dsn)
        )
        return logs, metrics, traces


def sqlite_state(data: Path) -> Secret:
    """The URL of the state file in a data folder."""
    return Secret(f"sqlite:///{data / 'state.db'}")
